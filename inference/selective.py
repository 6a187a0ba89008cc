"""Answering only when sure: what it costs, and the threshold that keeps a promise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.scoring import Floats

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPoint:
    """What it means to answer whatever has at least this confidence.

    threshold: a confidence that occurs.
    answered_share: of the examples, in (0, 1].
    risk: selective risk, the share of errors among the answered.
    """

    threshold: float
    answered_share: float
    risk: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """The risk–coverage curve of some examples.

    points: one for each confidence that occurs, the surest first.
    aurc: area under the curve, 0 at best; what the order of the confidences is worth.
    """

    points: tuple[RiskPoint, ...]
    aurc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """At most `risk` errors among the answered; so many times in a hundred, that is true.

    risk: promised share of errors among the answered, in (0, 1).
    confidence: 1 − δ, the probability over the draw of the examples that the promise holds.
    threshold: least confidence that is answered; 0 answers all, infinite answers none because the
        examples cannot carry the promise.
    answered_share: of the examples; what the promise leaves of them.
    examples: how many the promise rests on.
    """

    risk: float
    confidence: float
    threshold: float
    answered_share: float
    examples: int

    def answers(self, confidence: float) -> bool:
        """Whether an answer of this confidence is given."""
        return confidence >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nested:
    """Ever larger sets of examples: those of the `G` confidences that occur, one after the other.

    confidences: `[G]` the least of each set, falling.
    answered: `[G]` examples in each set.
    errors: `[G]` wrong ones among them.
    """

    confidences: Floats
    answered: Ints
    errors: Ints


def risk_coverage(confidences: Floats, right: Bools) -> RiskCoverage:
    """How the error among the answered grows with the share that is answered.

    Args:
        confidences: `[N]` in [0, 1], of held-out examples.
        right: `[N]` whether the answer is the right label.

    Raises:
        ValueError: the two do not fit together, or a confidence is outside [0, 1].

    Source: El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification";
    AURC: Geifman et al. 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers".

    >>> curve = risk_coverage(np.array([0.9, 0.5, 0.7, 0.5]), np.array([True, False, True, True]))
    >>> [(point.threshold, point.answered_share, point.risk) for point in curve.points]
    [(0.9, 0.25, 0.0), (0.7, 0.5, 0.0), (0.5, 1.0, 0.25)]
    >>> round(curve.aurc, 4)  # (0 + 0 + 0.5/3 + 1/4) / 4
    0.1042
    """
    nested = _nested(confidences, right)
    shares = nested.answered / len(confidences)
    risks = nested.errors / nested.answered
    rows = zip(nested.confidences.tolist(), shares.tolist(), risks.tolist(), strict=True)
    points = tuple(
        RiskPoint(threshold=threshold, answered_share=share, risk=risk)
        for threshold, share, risk in rows
    )
    return RiskCoverage(points=points, aurc=_area(nested))


def promise(
    confidences: Floats,
    right: Bools,
    *,
    risk: float,
    confidence: float,
    least_share: float = 0.25,
) -> Promise:
    """The lowest threshold that may promise at most so many errors among the answered.

    Fixed-sequence testing: one confidence after the other is let in, the surest first, as long as
    the exact binomial test at level δ = 1 − confidence (the Clopper–Pearson bound of the errors so
    far) shows a risk within the promise. Every set is tested at the full δ: the sequence passes the
    first set that is too risky with probability δ at most, wherever it goes later. Geifman and
    El-Yaniv's binary search divides δ among its steps, which leaves fewer answers.

    Only the order of the confidences counts; they need not be calibrated, nor their risk grow
    steadily. Nothing that made them (model, temperature, fusion) may have learned from these
    examples, and live questions must come from where the examples do.

    Args:
        confidences: `[N]` in [0, 1], of held-out examples.
        right: `[N]` whether the answer is the right label.
        risk: greatest share of errors among the answered, in (0, 1).
        confidence: 1 − δ, in (0, 1).
        least_share: of the examples, in (0, 1]: where the sequence starts, for small sets fail by
            chance and end it. The promise answers at least so many, or as few as could carry it
            if that is more. Chosen before the examples are seen, else the promise is void.

    Returns:
        A promise; its threshold is infinite when the examples cannot carry one.

    Raises:
        ValueError: an argument is outside its range, or the arrays do not fit together.

    Source: Angelopoulos et al. 2021, "Learn then Test" (fixed-sequence testing); Geifman and
    El-Yaniv 2017, "Selective Classification for Deep Neural Networks"; Clopper and Pearson 1934.

    >>> promise(np.full(59, 0.8), np.full(59, True), risk=0.05, confidence=0.95)
    Promise(risk=0.05, confidence=0.95, threshold=0.0, answered_share=1.0, examples=59)
    >>> promise(np.full(58, 0.8), np.full(58, True), risk=0.05, confidence=0.95).threshold
    inf
    """
    _check_share("risk", risk)
    _check_share("confidence", confidence)
    _check_share("least_share", least_share, may_be_all=True)
    nested = _nested(confidences, right)
    total = len(confidences)
    fewest = _fewest_answers(risk, 1.0 - confidence, most=total)
    sets = _sets_let_in(nested, fewest, start=math.ceil(least_share * total))
    return Promise(
        risk=risk,
        confidence=confidence,
        threshold=_threshold(nested, sets),
        answered_share=int(nested.answered[sets - 1]) / total if sets else 0.0,
        examples=total,
    )


def _nested(confidences: Floats, right: Bools) -> _Nested:
    if confidences.ndim != 1 or confidences.shape != right.shape:
        msg = (
            f"confidences {confidences.shape} and right {right.shape} do not fit; "
            "give one of each for every example"
        )
        raise ValueError(msg)
    if not ((confidences >= 0.0) & (confidences <= 1.0)).all():
        raise ValueError("a confidence is outside [0, 1]; give the probability of the answer")
    falling, place = np.unique(-confidences.astype(np.float64), return_inverse=True)
    wrong = place[np.logical_not(right)]
    return _Nested(
        confidences=-falling,
        answered=np.bincount(place, minlength=len(falling)).cumsum(),
        errors=np.bincount(wrong, minlength=len(falling)).cumsum(),
    )


def _area(nested: _Nested) -> float:
    """Mean selective risk over the surest 1, 2, … N examples.

    Inside a set of equal confidence any order is as good as another: the errors are spread evenly.
    """
    if len(nested.answered) == 0:
        return 0.0
    ranks = np.arange(1, nested.answered[-1] + 1)
    errors = np.interp(ranks, np.append(0, nested.answered), np.append(0, nested.errors))
    return float((errors / ranks).mean())


def _fewest_answers(risk: float, delta: float, *, most: int) -> Ints:
    """How many answers it takes to bear 0, 1, 2, … errors.

    Returns:
        `[K]` rising; `k` errors among `m` answers show the risk at level `delta` exactly when
        `m >= fewest[k]`, that is P(Bin(m, risk) <= k) <= delta. Entries above `most` are left out.

    >>> _fewest_answers(0.05, 0.05, most=200).tolist()
    [59, 93, 124, 153, 181]
    """
    fewest: list[int] = []
    errors = 0
    exactly = at_most = 1.0  # P(Bin(m, risk) = errors), P(Bin(m, risk) <= errors), at m = 0
    for answers in range(1, most + 1):
        at_most -= risk * exactly
        exactly *= (1.0 - risk) * answers / (answers - errors)
        if at_most <= delta:
            fewest.append(answers)
            errors += 1
            # One more error is never shown at once: P(Bin(m) <= k + 1) >= P(Bin(m - 1) <= k).
            exactly *= (answers - errors + 1) / errors * risk / (1.0 - risk)
            at_most += exactly
    return np.array(fewest, dtype=np.int64)


def _sets_let_in(nested: _Nested, fewest: Ints, *, start: int) -> int:
    """How many of the nested sets pass, one after the other, from the first of `start` examples."""
    if len(fewest) == 0:
        return 0
    # Errors must not decide where the sequence starts; sets that could bear none are left aside.
    first = int(np.searchsorted(nested.answered, max(start, int(fewest[0]))))
    needed = np.append(fewest, nested.answered[-1] + 1)[np.minimum(nested.errors, len(fewest))]
    failing = np.flatnonzero(nested.answered[first:] < needed[first:])
    passing = int(failing[0]) if len(failing) else len(nested.answered) - first
    return first + passing if passing else 0


def _threshold(nested: _Nested, sets: int) -> float:
    if sets == 0:
        return math.inf
    if sets == len(nested.confidences):
        return 0.0
    # The test of a set speaks of all that is above the next confidence, which is left out; from the
    # least sure example that is let in it would not be exact, for that one was chosen by its rank.
    return math.nextafter(float(nested.confidences[sets]), math.inf)


def _check_share(name: str, value: float, *, may_be_all: bool = False) -> None:
    if not 0.0 < value < 1.0 and not (may_be_all and value == 1.0):
        below = "at most" if may_be_all else "below"
        msg = f"{name} is {value}; give a share above 0 and {below} 1"
        raise ValueError(msg)
