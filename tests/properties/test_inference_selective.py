"""Laws of selective answers: what the curve and the promise do whatever the examples are."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.selective import promise, risk_coverage

UNTIMED = settings(deadline=None)
Examples = tuple[NDArray[np.float64], NDArray[np.bool_]]
SHARES = st.floats(0.01, 0.99)


@st.composite
def examples(draw: st.DrawFn, *, are_distinct: bool = False) -> Examples:
    """Mostly right, so that promises are made; few levels, so that confidences are tied."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 300))
    levels = draw(st.integers(1, 12))
    rng = np.random.default_rng(seed)
    confidences = rng.random(count)
    if not are_distinct:
        confidences = np.ceil(confidences * levels) / levels
    error = draw(st.floats(0.0, 0.5)) * (1.0 - confidences)
    return confidences, rng.random(count) >= error


@UNTIMED
@given(examples=examples())
def test_the_curve_grows_to_all_examples_and_ends_at_their_error_rate(examples: Examples) -> None:
    confidences, right = examples
    points = risk_coverage(confidences, right).points
    shares = [point.answered_share for point in points]
    thresholds = [point.threshold for point in points]
    assert shares == sorted(set(shares))
    assert thresholds == sorted(set(confidences.tolist()), reverse=True)
    if points:
        assert shares[-1] == 1.0
        assert math.isclose(points[-1].risk, 1.0 - right.mean(), abs_tol=1e-12)


@UNTIMED
@given(examples=examples(), risk=SHARES, confidence=SHARES, seed=st.integers(0, 99))
def test_the_order_of_the_examples_changes_nothing(
    examples: Examples, risk: float, confidence: float, seed: int
) -> None:
    confidences, right = examples
    order = np.random.default_rng(seed).permutation(len(right))
    shuffled = confidences[order], right[order]
    assert risk_coverage(*shuffled) == risk_coverage(confidences, right)
    assert promise(*shuffled, risk=risk, confidence=confidence) == promise(
        confidences, right, risk=risk, confidence=confidence
    )


@UNTIMED
@given(examples=examples(), risk=SHARES, confidence=SHARES, power=st.floats(0.5, 2.0))
def test_only_the_order_of_the_confidences_counts(
    examples: Examples, risk: float, confidence: float, power: float
) -> None:
    confidences, right = examples
    plain = promise(confidences, right, risk=risk, confidence=confidence)
    bent = promise(confidences**power, right, risk=risk, confidence=confidence)
    assert bent.answered_share == plain.answered_share


@UNTIMED
@given(examples=examples(), risk=SHARES, confidence=SHARES, least_share=SHARES)
def test_what_the_threshold_answers_is_the_answered_share_and_within_the_risk(
    examples: Examples, risk: float, confidence: float, least_share: float
) -> None:
    confidences, right = examples
    found = promise(confidences, right, risk=risk, confidence=confidence, least_share=least_share)
    answered = confidences >= found.threshold
    assert answered.sum() == round(found.answered_share * len(right))
    if answered.any():
        assert answered.mean() >= least_share - 1e-12
        # At a confidence below one half the bound may lie under what was found.
        assert confidence < 0.5 or 1.0 - right[answered].mean() <= risk


@UNTIMED
@given(
    examples=examples(are_distinct=True),
    risks=st.tuples(SHARES, SHARES).map(sorted),
    levels=st.tuples(SHARES, SHARES).map(sorted),
)
def test_promising_less_never_answers_fewer(
    examples: Examples, risks: list[float], levels: list[float]
) -> None:
    """Of distinct confidences: a group of ties may let a looser promise start earlier, and end."""
    strict = promise(*examples, risk=risks[0], confidence=levels[1])
    assert (
        strict.answered_share
        <= promise(*examples, risk=risks[1], confidence=levels[1]).answered_share
    )
    assert (
        strict.answered_share
        <= promise(*examples, risk=risks[0], confidence=levels[0]).answered_share
    )


@UNTIMED
@given(examples=examples(), risk=SHARES, confidence=SHARES, at=st.integers(0, 299))
def test_one_error_fewer_never_answers_fewer(
    examples: Examples, risk: float, confidence: float, at: int
) -> None:
    confidences, right = examples
    better = right.copy()
    better[at : at + 1] = True
    assert (
        promise(confidences, better, risk=risk, confidence=confidence).answered_share
        >= promise(confidences, right, risk=risk, confidence=confidence).answered_share
    )


@UNTIMED
@given(
    risk=st.floats(0.001, 0.9),
    confidence=st.floats(0.5, 0.999999),
    missing=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_too_few_examples_never_carry_a_promise(
    risk: float, confidence: float, missing: int, seed: int
) -> None:
    """Without any error it takes log δ / log(1 − risk) answers (Clopper and Pearson)."""
    enough = math.log(1.0 - confidence) / math.log1p(-risk)
    few = max(math.ceil(enough - 1e-6) - missing, 0)
    confidences = np.random.default_rng(seed).random(few)
    found = promise(confidences, np.ones(few, dtype=np.bool_), risk=risk, confidence=confidence)
    assert found.threshold == math.inf
    assert found.answered_share == 0.0
