"""The whole rule benchmark, from texts to results."""

import gc
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from rule_store import CompiledRules, Evidence, fold
from streams.bench.rules_alone import DIALOGUES, Alone, dialogues
from streams.bench.rules_drawn import CHANNEL, FIRED, HITS, Drawn, draw_rules
from streams.bench.rules_peers import PEERS, Given, Peer, given, versions
from streams.bench.rules_results import Compared, Met, Row, RulesResults, within_rounds
from streams.bench.rules_texts import made_dialogues, mixed
from streams.bench.rules_timing import stages_us, us_each, whole

Tell = Callable[[str], None]
_FEW, _MANY = 100, 10_000
# Peers are given their dialogues beforehand; the slowest work off a handful of these. They are
# mixed, so that a part of them is like the whole.
_GIVEN = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured: dialogues, rules, rounds, seconds a contestant has in a round."""

    dialogues: int = DIALOGUES
    few: int = _FEW
    many: int = _MANY
    rounds: int = 5
    seconds: float = 1.0
    seed: int = 0

    def quick(self) -> "Scale":
        """A tenth of it all."""
        return replace(
            self, dialogues=max(200, self.dialogues // 10), many=self.many // 10, rounds=2,
            seconds=0.2,
        )  # fmt: skip


def steps(scale: Scale) -> int:
    """How many lines `run_rules_bench` tells."""
    return 2 * (2 + scale.rounds) + 1


def run_rules_bench(scale: Scale, *, texts: Path | None, command: str, tell: Tell) -> RulesResults:
    """Measure everything.

    Args:
        scale: how much.
        texts: a file of dialogues; None for made ones.
        command: how to do it again, for the report.
        tell: takes a line for each step.

    Raises:
        DatasetError: the file holds no dialogues.
    """
    said = dialogues(texts, seed=scale.seed, count=scale.dialogues)
    few, many = _drawn(said, scale)
    tell(f"drew {len(few.phrases)} and {len(many.phrases)} phrases")
    origin = str(texts.name) if texts else "made"
    met = _row(f"{origin} dialogues", said, few, many, scale, tell)
    other = mixed(made_dialogues(scale.dialogues, seed=scale.seed, other=True), seed=scale.seed)
    tell("made dialogues without hits")
    without = _row("dialogues without hits", other, few, many, scale, tell)
    alone = Alone.measured(rules=scale.many, seed=scale.seed, texts=texts)
    tell("compiled in a process of its own")
    return RulesResults(peers=PEERS, rows=(met, without), alone=alone, machine=_machine(command))


def _drawn(said: Sequence[str], scale: Scale) -> tuple[Drawn, Drawn]:
    """Few rules and many, so that a dialogue meets as much of the ones as of the others."""
    folded = [fold(text) for text in said]
    many = draw_rules(folded, rules=scale.many, seed=scale.seed)
    met = _met(many, folded)
    few = draw_rules(
        folded,
        rules=scale.few,
        seed=scale.seed,
        hits=max(HITS, met.hits),
        fired=max(FIRED, met.fired),
    )
    return few, many


def _met(drawn: Drawn, folded: Sequence[str], us: float = 0.0) -> Met:
    compiled = CompiledRules.of(drawn.rule_set, drawn.lexicon)
    some = folded[:_GIVEN]
    evaluations = compiled.evaluate_all(Evidence(texts={CHANNEL: text}) for text in some)
    return Met(
        rules=len(drawn.rule_set.rules),
        phrases=len(drawn.phrases),
        hits=sum(len(each.phrases) for each in given(drawn, some)) / len(some),
        fired=sum(len(each.fired) for each in evaluations) / len(some),
        us=us,
    )


def _row(says: str, said: Sequence[str], few: Drawn, many: Drawn, scale: Scale, tell: Tell) -> Row:
    folded = [fold(text) for text in said]
    compiled = CompiledRules.of(many.rule_set, many.lexicon)
    few_us, many_us, peers_us = _times(said, few, many, scale, tell)
    tell(f"{says}: stages")
    return Row(
        says=says,
        characters=sum(map(len, said)) / len(said),
        few=_met(few, folded, median(few_us)),
        many=_met(many, folded, median(many_us)),
        growth=within_rounds(few_us, many_us),
        stages_us=stages_us(many, compiled, said, seconds=scale.seconds, rounds=scale.rounds),
        compared={
            name: Compared(us=median(us), ratio=within_rounds(many_us, us))
            for name, us in peers_us.items()
        },
    )


def _times(
    said: Sequence[str], few: Drawn, many: Drawn, scale: Scale, tell: Tell
) -> tuple[list[float], list[float], Mapping[str, list[float]]]:
    """Each contestant once a round, ours first and, in the next, last."""
    knowing = given(many, said[:_GIVEN])
    ours = whole(many, CompiledRules.of(many.rule_set, many.lexicon))
    ours_few = whole(few, CompiledRules.of(few.rule_set, few.lexicon))
    works = {peer.name: peer.prepare(many) for peer in PEERS}
    few_us: list[float] = []
    many_us: list[float] = []
    peers_us: dict[str, list[float]] = {peer.name: [] for peer in PEERS}
    # As in a worker: what was loaded before is not looked through again.
    gc.collect()
    gc.freeze()
    for number in range(scale.rounds):
        turns: list[Callable[[], None]] = [
            lambda: few_us.append(us_each(ours_few, said, seconds=scale.seconds)),
            lambda: many_us.append(us_each(ours, said, seconds=scale.seconds)),
            *(_turn(peer, works, knowing, peers_us, scale) for peer in PEERS),
        ]
        for turn in turns if number % 2 == 0 else turns[::-1]:
            turn()
        tell(f"round {number + 1} of {scale.rounds}: ours {many_us[-1]:.1f} µs a dialogue")
    gc.unfreeze()
    return few_us, many_us, peers_us


def _turn(
    peer: Peer,
    works: Mapping[str, Callable[[Given], object]],
    knowing: Sequence[Given],
    us: Mapping[str, list[float]],
    scale: Scale,
) -> Callable[[], None]:
    def turn() -> None:
        us[peer.name].append(us_each(works[peer.name], knowing, seconds=scale.seconds))

    return turn


def _machine(command: str) -> dict[str, str]:
    return {
        "command": command,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "versions": f"Python {platform.python_version()}, {versions()}",
    }
