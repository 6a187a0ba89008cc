"""Figures: what can be said of a round, for any draw of its examples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rule_store.mining.answers import Answer
from rule_store.mining.calibration import ece, log_loss
from tests.benchmarks.mining.intervals import Floats, Statistic
from tests.benchmarks.mining.judged import Places, Round


def f1(answers: Sequence[Answer]) -> Statistic:
    """Weighted F1 as `answers.weighted_f1` has it; abstaining misses the label."""
    labels = sorted({each.label for each in answers})
    given = _one_hot([each.label for each in answers], labels)
    said = _one_hot([each.said.label if each.said else None for each in answers], labels)

    def of(times: Floats) -> float:
        support, claimed = times @ given, times @ said
        hits = times @ (given * said)
        score = 2 * hits / np.maximum(support + claimed, 1)
        return _divided(float(score @ support), float(support.sum()))

    return of


def answered(answers: Sequence[Answer]) -> Statistic:
    """Share of the questions that are answered."""
    return ratio(_flags([each.said is not None for each in answers]), np.ones(len(answers)))


def accuracy(answers: Sequence[Answer]) -> Statistic:
    """Share of the questions that are answered right."""
    return ratio(_flags([each.right for each in answers]), np.ones(len(answers)))


def precision(answers: Sequence[Answer]) -> Statistic:
    """Share of the answers that are right."""
    given = _flags([each.said is not None for each in answers])
    return ratio(_flags([each.right for each in answers]), given)


def ratio(above: Floats, below: Floats) -> Statistic:
    """Of sums over the examples; `[N]` each."""

    def of(times: Floats) -> float:
        return _divided(float(times @ above), float(times @ below))

    return of


def firing_precision(judged: Round, *, least: float) -> Statistic:
    """Share of firings that are right, of rules of so much reliability."""
    examples = len(judged.answers)
    chosen = judged.reliability >= least
    places = judged.places[chosen]
    return ratio(
        _summed(places, judged.right[chosen], examples),
        _summed(places, np.ones(len(places)), examples),
    )


def firing_ece(judged: Round) -> Statistic:
    """Expected calibration error of the reliabilities over firings."""
    places, said, came = judged.places, judged.reliability, judged.right

    def of(times: Floats) -> float:
        drawn = _repeated(places, times)
        return ece(said[drawn], came[drawn]) if len(drawn) else math.nan

    return of


def firing_log_loss(judged: Round, said: Floats) -> Statistic:
    """Mean log-loss of what is said, `[F]`, over firings."""
    examples = len(judged.answers)
    costs = np.array(
        [log_loss([p], [bool(c)]) for p, c in zip(said.tolist(), judged.right, strict=True)]
    )
    return ratio(
        _summed(judged.places, costs, examples),
        _summed(judged.places, np.ones(len(costs)), examples),
    )


def _repeated(places: Places, times: Floats) -> Places:
    """Positions of the firings, each as often as its example was drawn."""
    return np.repeat(np.arange(len(places)), times[places].astype(np.int64))


def _summed(places: Places, values: Floats, examples: int) -> Floats:
    """`[N]`: sum of the firings' values, `[F]`, by example."""
    return np.bincount(places, weights=values, minlength=examples).astype(np.float64)


def _divided(above: float, below: float) -> float:
    return above / below if below else math.nan


def _flags(values: Sequence[bool]) -> Floats:
    return np.array(values, dtype=np.float64)


def _one_hot(answers: Sequence[str | None], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """`[N, L]`: 1 where the answer is the label."""
    place = {label: number for number, label in enumerate(labels)}
    marked = np.zeros((len(answers), len(labels)))
    for row, answer in enumerate(answers):
        if answer in place:
            marked[row, place[answer]] = 1.0
    return marked
