"""Intervals: a figure over examples, and between which values chance lets it lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

Statistic = Callable[[Floats], float]
"""A figure of one seed, from `[N]`: how often each example counts. NaN where it has no value."""

DRAWS = 1000
_SHARE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure; 95 % of the draws of the examples give one between `low` and `high`."""

    value: float
    low: float
    high: float


def estimate(
    statistics: Sequence[Statistic],
    among: Flags,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """The seeds' mean of a figure, with its bootstrap interval.

    A draw of the examples is the same for all seeds: an example is as easy or hard in each.

    Args:
        statistics: one a seed.
        among: `[N]`; the examples that count at all.
        seed: of the draws.
        draws: how many.

    Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", 13.3 (percentiles).
    """
    places = np.flatnonzero(among)
    value = _mean(statistics, among.astype(np.float64))
    if not len(places):
        return Estimate(value=math.nan, low=math.nan, high=math.nan)
    generator = np.random.Generator(np.random.PCG64(seed))
    came = np.array(
        [_mean(statistics, _drawn(generator, places, len(among))) for _ in range(draws)]
    )
    came = came[~np.isnan(came)]
    if not len(came):
        return Estimate(value=value, low=math.nan, high=math.nan)
    low, high = np.quantile(came, [(1 - _SHARE) / 2, (1 + _SHARE) / 2]).tolist()
    return Estimate(value=value, low=low, high=high)


def _drawn(generator: np.random.Generator, places: npt.NDArray[np.int64], size: int) -> Floats:
    drawn = places[generator.integers(len(places), size=len(places))]
    return np.bincount(drawn, minlength=size).astype(np.float64)


def _mean(statistics: Sequence[Statistic], times: Floats) -> float:
    values = [value for each in statistics if not math.isnan(value := each(times))]
    return sum(values) / len(values) if values else math.nan
