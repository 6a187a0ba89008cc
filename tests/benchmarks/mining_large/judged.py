"""Judged: what rules are worth on examples that they were not mined from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rule_store.mining.bootstrap import paired_differences
from rule_store.mining.covering import flags_of
from rule_store.mining.table import Table, popcount
from rule_store.reliability import wilson_bound
from streams.evaluation import weighted_f1
from tests.benchmarks.mining_large.made_table import MadeTable, PlantedRule

Floats = npt.NDArray[np.float64]

_RECOVERED = 0.8
_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What rules say of the held-out examples.

    answers: one an example; None abstains.
    f1: weighted by the labels' sizes; an abstention misses.
    recovered: planted rules that one of the rules matches.
    """

    answers: tuple[str | None, ...]
    f1: float
    recovered: int


def judge(made: MadeTable, rules: Sequence[PlantedRule]) -> Judgement:
    """Let the most precise rule that fires decide, by the lower bound of its precision as mined."""
    best = np.zeros(len(made.held_out.labels))
    chosen = np.full(len(best), -1)
    for rule in rules:
        covered = made.mined.covered(rule.body)
        right = popcount(covered & made.mined.of_label(rule.label))
        worth = wilson_bound(right, popcount(covered))
        won = flags_of(made.held_out.covered(rule.body), len(best)) & (worth > best)
        best[won], chosen[won] = worth, rule.label
    names = made.held_out.label_names
    answers = tuple(None if each < 0 else names[each] for each in chosen.tolist())
    return Judgement(
        answers=answers,
        f1=weighted_f1(right_labels(made), answers),
        recovered=sum(_matched(made.mined, each, rules) for each in made.planted),
    )


def right_labels(made: MadeTable) -> list[str]:
    return [made.held_out.label_names[label] for label in made.held_out.labels.tolist()]


def interval(made: MadeTable, first: Judgement, second: Judgement) -> tuple[float, float]:
    """95 % of the differences in F1, the second's minus the first's, if examples are redrawn."""
    drawn = paired_differences(
        right_labels(made), first.answers, second.answers, seed=0, draws=_DRAWS
    ).weighted
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return low, high


def _matched(table: Table, planted: PlantedRule, rules: Sequence[PlantedRule]) -> bool:
    """Whether a rule of the label covers nearly what the planted one does."""
    mask = table.covered(planted.body)
    for body in (rule.body for rule in rules if rule.label == planted.label):
        covered = table.covered(body)
        if popcount(covered & mask) >= _RECOVERED * popcount(covered | mask):
            return True
    return False
