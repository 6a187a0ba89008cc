"""Timing: processor time of one core, compared within rounds."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

from rule_store import CompiledRules, Evidence, decide
from streams.bench.rules_drawn import CHANNEL, Drawn

T = TypeVar("T")
ANSWER_AT = 0.85
RELIABILITY = 0.9
_LOOK_EVERY = 8


def us_each(work: Callable[[T], object], given: Sequence[T], *, seconds: float) -> float:
    """Microseconds of processor time for one; stops early when the time is up.

    Processor time, since other programs on the machine do not count in it.
    """
    started_s = time.process_time()
    done = 0
    for start in range(0, len(given), _LOOK_EVERY):
        for each in given[start : start + _LOOK_EVERY]:
            work(each)
            done += 1
        took_s = time.process_time() - started_s
        if took_s > seconds:
            break
    return (time.process_time() - started_s) / max(done, 1) * 1e6


def whole(drawn: Drawn, compiled: CompiledRules) -> Callable[[str], object]:
    """Ours, from a text as it was written to a verdict."""
    reliability = {rule.id: RELIABILITY for rule in drawn.rule_set.rules}

    def run(text: str) -> object:
        evaluation = compiled.evaluate(Evidence.of({CHANNEL: [text]}))
        return decide(evaluation, reliability=reliability, answer_at=ANSWER_AT)

    return run


def stages_us(
    drawn: Drawn, compiled: CompiledRules, texts: Sequence[str], *, seconds: float, rounds: int
) -> Mapping[str, float]:
    """Microseconds of each stage; `candidates` is evaluation without its scan."""
    evidences = [Evidence.of({CHANNEL: [text]}) for text in texts]
    evaluations = compiled.evaluate_all(evidences)
    reliability = {rule.id: RELIABILITY for rule in drawn.rule_set.rules}
    found: dict[str, list[float]] = {"fold": [], "scan": [], "candidates": [], "decision": []}
    for _ in range(rounds):
        found["fold"].append(
            us_each(lambda text: Evidence.of({CHANNEL: [text]}), texts, seconds=seconds)
        )
        scan = us_each(compiled.scan, evidences, seconds=seconds)
        found["scan"].append(scan)
        evaluate = us_each(compiled.evaluate, evidences, seconds=seconds)
        found["candidates"].append(evaluate - scan)
        found["decision"].append(
            us_each(
                lambda each: decide(each, reliability=reliability, answer_at=ANSWER_AT),
                evaluations,
                seconds=seconds,
            )
        )
    return {stage: median(each) for stage, each in found.items()}
