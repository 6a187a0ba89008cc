"""Beta distribution: what is believed of a share after some of so many were right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

# Quantiles are told to one of so many equal cells of [0, 1]: finer than the six decimals that
# reliabilities keep.
_CELLS = 1 << 30
# Convergence takes about the root of the larger parameter; a strength is at most a few thousand.
_TERMS = 300
_CLOSE = 1e-12
_TINY = 1e-300


def share_below(bound: float, right: float, wrong: float) -> float:
    """Probability that a share drawn from Beta(right, wrong) is at most the bound.

    Args:
        bound: in [0, 1].
        right: first parameter, above 0.
        wrong: second parameter, above 0.

    Source: Press et al. 2007, "Numerical recipes", 6.4 (continued fraction after Lentz).

    >>> round(share_below(0.5, 2, 2), 6), round(share_below(0.3, 1, 1), 6)
    (0.5, 0.3)
    """
    if bound <= 0.0 or bound >= 1.0:
        return float(bound >= 1.0)
    # The fraction converges fast only below the mean.
    if bound > (right + 1.0) / (right + wrong + 2.0):
        return 1.0 - share_below(1.0 - bound, wrong, right)
    scale = right * math.log(bound) + wrong * math.log1p(-bound) - log_beta(right, wrong)
    return math.exp(scale) * _fraction(bound, right, wrong) / right


def quantile(share: float, right: float, wrong: float) -> float:
    """The bound that a share drawn from Beta(right, wrong) is at most with this probability.

    >>> round(quantile(0.975, 9 + 1, 1 + 1), 4), round(quantile(0.25, 1, 1), 4)
    (0.9772, 0.25)
    """
    low, high, cell = 0, _CELLS, int(_CELLS * right / (right + wrong))
    before = math.inf
    while high - low > 1:
        cell = min(max(cell, low + 1), high - 1)
        bound = cell / _CELLS
        missing = share - share_below(bound, right, wrong)
        low, high = (cell, high) if missing > 0.0 else (low, cell)
        density = _density(bound, right, wrong)
        aim = _CELLS * (bound + missing / density) if density else -1.0
        # Newton's step, as long as each leaves less than half of what was missing.
        is_closing = low <= aim <= high and abs(missing) < before / 2
        cell, before = (int(aim) if is_closing else (low + high) // 2), abs(missing)
    return (low + high) / 2 / _CELLS


def log_beta(right: float, wrong: float) -> float:
    return math.lgamma(right) + math.lgamma(wrong) - math.lgamma(right + wrong)


def log_likelihood(
    outcomes: Iterable[tuple[int, int]], means: Sequence[float], strength: float
) -> float:
    """How likely outcomes are when each has a share of its own, drawn around its mean.

    The order of right and wrong counts as given, so that no binomial factor is added.

    Args:
        outcomes: right and wrong of each.
        means: of the Beta distribution of each, in (0, 1).
        strength: sum of the two parameters: the higher, the closer the shares are to their means.

    >>> round(math.exp(log_likelihood([(1, 0), (1, 1)], [0.5, 0.5], 2.0)), 4)
    0.0833
    """
    total = 0.0
    for (right, wrong), mean in zip(outcomes, means, strict=True):
        a, b = strength * mean, strength * (1.0 - mean)
        total += log_beta(a + right, b + wrong) - log_beta(a, b)
    return total


def _density(bound: float, right: float, wrong: float) -> float:
    """Of Beta(right, wrong), at a bound above 0 and below 1."""
    rest = math.log1p(-bound)
    return math.exp((right - 1.0) * math.log(bound) + (wrong - 1.0) * rest - log_beta(right, wrong))


def _fraction(bound: float, right: float, wrong: float) -> float:
    value, above, below = 1.0, 1.0, 0.0
    below = 1.0 / _away(1.0 - (right + wrong) * bound / (right + 1.0))
    value = below
    for term in range(1, _TERMS):
        for step in _steps(term, bound, right, wrong):
            below = 1.0 / _away(1.0 + step * below)
            above = _away(1.0 + step / above)
            value *= below * above
        if abs(below * above - 1.0) < _CLOSE:
            break
    return value


def _steps(term: int, bound: float, right: float, wrong: float) -> tuple[float, float]:
    whole = right + 2 * term
    even = term * (wrong - term) * bound / ((whole - 1.0) * whole)
    odd = -(right + term) * (right + wrong + term) * bound / (whole * (whole + 1.0))
    return even, odd


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
