"""How good mined rules are on examples that they were not chosen by."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

import numpy as np

from rule_store.mining.answers import Answer, choose_threshold, held_out_answers, weighted_f1
from rule_store.mining.calibration import BINS, ece, perfect_ece
from rule_store.mining.mined import Mined
from rule_store.mining.miner import Effort

# The share of answers that shall be right, for the line that says how many can be given.
PRECISION = 0.95
_SEED = 0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one task; everything on held-out examples, by rules chosen without them.

    weighted_f1: of what rules alone answer; an abstention counts as wrong.
    spoken: share of the examples at which a rule fired.
    answered, precision: when only as many are answered as `PRECISION` lets be.
    ece, honest_ece: of the firings; the second is what honest reliabilities stay below in 19 of
        20 cases.
    firings: of rules on held-out examples.
    reliability: mean reliability and share that was right, of equally many firings each.
    selective: share that is answered, and share of the answers that is right, the surest first.
    convergence: bodies expanded for a label's first rule, and its reward as a share of the best;
        as far as the iterations given, where these are known.
    """

    weighted_f1: float
    spoken: float
    answered: float
    precision: float
    ece: float
    honest_ece: float
    firings: int
    reliability: tuple[Point, ...]
    selective: tuple[Point, ...]
    convergence: tuple[Point, ...]


def figures(mined: Mined, efforts: Sequence[Effort], *, iterations: int | None = None) -> Figures:
    """Work out what the summary shows.

    Args:
        mined: of one task.
        efforts: of the mining of all its examples.
        iterations: that every search was given; None, if the clock could end one before.
    """
    answers = held_out_answers(mined)
    fired = _Firings.of(mined)
    chosen = choose_threshold(answers, precision=PRECISION)
    return Figures(
        weighted_f1=weighted_f1(answers),
        spoken=sum(each.said is not None for each in answers) / max(1, len(answers)),
        answered=chosen.answered_share,
        precision=chosen.precision,
        ece=ece(fired.said, fired.right),
        honest_ece=perfect_ece(fired.said, seed=_SEED, together=fired.said_of),
        firings=len(fired.said),
        reliability=tuple(_bins(fired.said, fired.right)),
        selective=tuple(_selective(answers)),
        convergence=tuple(_convergence(efforts, iterations)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Firings:
    """Of every rule that fired on a held-out example: what was believed, what came, and where.

    said_of: dialogue of the example, and label of the rule: rules that agree, at whatever moments
        of a dialogue, are right together.
    """

    said: tuple[float, ...]
    right: tuple[bool, ...]
    said_of: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, mined: Mined) -> Self:
        rules = [{rule.id: rule for rule in judged.rules} for judged in mined.by_fold]
        values = [judged.values() for judged in mined.by_fold]
        fired = [
            (values[vote.fold][rule], vote, rules[vote.fold][rule].label)
            for vote in mined.votes
            for rule in vote.rules
        ]
        return cls(
            said=tuple(value for value, *_ in fired),
            right=tuple(label == vote.label for _, vote, label in fired),
            said_of=tuple((vote.dialogue_id, label) for _, vote, label in fired),
        )


def _bins(said: Sequence[float], right: Sequence[bool]) -> Iterator[Point]:
    if not said:
        return
    order = np.argsort(np.array(said), kind="stable")
    for part in np.array_split(order, min(BINS, len(order))):
        places = part.tolist()
        yield _mean(said[place] for place in places), _mean(right[place] for place in places)


def _selective(answers: Sequence[Answer]) -> Iterator[Point]:
    given = sorted(
        ((each.said.sureness, each.right) for each in answers if each.said is not None),
        key=lambda pair: -pair[0],
    )
    right = count = 0
    for _, equals in groupby(given, key=lambda pair: pair[0]):
        came = [hit for _, hit in equals]
        right, count = right + sum(came), count + len(came)
        yield count / len(answers), right / count


def _convergence(efforts: Sequence[Effort], iterations: int | None) -> Iterator[Point]:
    """The mean over labels, at every number of expansions at which one of them improved."""
    traces = [each.trace for each in efforts if each.trace]
    improved = {step.expansions for trace in traces for step in trace}
    if improved and iterations is not None:
        improved.add(max(iterations, *improved))
    for expansions in sorted(improved):
        yield (
            float(expansions),
            _mean(
                max((step.reward for step in trace if step.expansions <= expansions), default=0.0)
                / trace[-1].reward
                for trace in traces
            ),
        )


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
