"""Answering only when sure: the curve can be recounted, and the promise holds."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.selective import RiskPoint, promise, risk_coverage

Floats = NDArray[np.float64]
DRAWS = 1_000


def test_the_curve_answers_the_surest_first_and_equal_confidences_together() -> None:
    curve = risk_coverage(
        np.array([0.5, 0.9, 0.7, 0.5, 0.9]), np.array([True, True, False, False, True])
    )
    assert curve.points == (
        RiskPoint(threshold=0.9, answered_share=0.4, risk=0.0),
        RiskPoint(threshold=0.7, answered_share=0.6, risk=1 / 3),
        RiskPoint(threshold=0.5, answered_share=1.0, risk=0.4),
    )


def test_the_area_is_the_mean_risk_over_every_number_of_answers() -> None:
    # Errors among the surest 1, 2, 3, 4: 0, 1, 1, 2.
    curve = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
    assert curve.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_confidences_that_say_nothing_have_the_error_rate_as_area() -> None:
    curve = risk_coverage(np.full(4, 0.8), np.array([True, False, True, True]))
    assert curve.aurc == pytest.approx(0.25)


def test_a_curve_of_no_examples_has_no_points() -> None:
    curve = risk_coverage(np.zeros(0), np.zeros(0, dtype=np.bool_))
    assert (curve.points, curve.aurc) == ((), 0.0)


@pytest.mark.parametrize(("errors", "enough"), [(0, 59), (1, 93), (2, 124), (3, 153), (4, 181)])
def test_so_many_errors_need_as_many_answers_as_sampling_tables_say(
    errors: int, enough: int
) -> None:
    """Five percent at 95 percent confidence: the table of every acceptance-sampling textbook."""
    for examples, is_kept in ((enough - 1, False), (enough, True)):
        right = np.arange(examples) >= errors
        kept = promise(np.full(examples, 0.7), right, risk=0.05, confidence=0.95)
        assert math.isfinite(kept.threshold) == is_kept
        assert kept.answered_share == float(is_kept)
        assert kept.examples == examples


@pytest.mark.parametrize(("risk", "confidence"), [(0.02, 0.9), (0.1, 0.95), (0.3, 0.99)])
def test_a_promise_is_made_exactly_when_the_binomial_tail_is_small_enough(
    risk: float, confidence: float
) -> None:
    for examples in (20, 75, 200):
        for errors in range(0, examples, 3):
            tail = sum(
                math.comb(examples, k) * risk**k * (1 - risk) ** (examples - k)
                for k in range(errors + 1)
            )
            kept = promise(
                np.ones(examples), np.arange(examples) >= errors, risk=risk, confidence=confidence
            )
            assert math.isfinite(kept.threshold) == (tail <= 1 - confidence)


def test_the_threshold_lies_just_above_the_surest_that_stays_unanswered() -> None:
    # 60 right at .9; 40 more at .6 of which half are wrong: they cannot be let in.
    confidences = np.repeat([0.9, 0.6], [60, 40])
    right = np.repeat([True, False], [80, 20])
    kept = promise(confidences, right, risk=0.05, confidence=0.95)
    assert kept.threshold == math.nextafter(0.6, 1.0)
    assert kept.answered_share == 0.6
    assert (kept.answers(0.9), kept.answers(0.6)) == (True, False)


def test_all_or_none_of_equally_confident_examples_are_answered() -> None:
    # Of the 100 at .6, those that are right could be let in, were they not tied to the others.
    confidences = np.repeat([0.9, 0.6], [100, 100])
    right = np.repeat([True, False], [170, 30])
    assert promise(confidences, right, risk=0.05, confidence=0.95).answered_share == 0.5


def test_the_sequence_ends_at_the_first_set_that_is_too_risky() -> None:
    """Whatever comes later could pass by chance; it must not be looked at."""
    # 60 wrong, then 5,000 right: all together are 1.2 percent wrong, yet the first 30 are not.
    confidences = np.repeat([0.9, 0.6], [60, 5000])
    right = np.repeat([False, True], [60, 5000])
    early = promise(confidences, right, risk=0.05, confidence=0.95, least_share=0.01)
    assert (early.threshold, early.answered_share) == (math.inf, 0.0)


def test_a_later_start_overlooks_a_few_wrong_ones_among_the_surest() -> None:
    confidences = np.linspace(1.0, 0.5, 400)
    right = np.ones(400, dtype=np.bool_)
    right[[0, 5]] = False
    args = (confidences, right)
    assert promise(*args, risk=0.05, confidence=0.95, least_share=0.1).threshold == math.inf
    assert promise(*args, risk=0.05, confidence=0.95, least_share=0.5).threshold == 0.0


def test_a_promise_that_cannot_be_kept_answers_nothing() -> None:
    kept = promise(np.ones(500), np.zeros(500, dtype=np.bool_), risk=0.1, confidence=0.9)
    assert (kept.threshold, kept.answered_share) == (math.inf, 0.0)
    assert not kept.answers(1.0)


@pytest.mark.parametrize("name", ["risk", "confidence", "least_share"])
@pytest.mark.parametrize("value", [0.0, -0.1, 1.1, math.nan])
def test_shares_outside_their_range_are_refused_by_name(name: str, value: float) -> None:
    shares = {"risk": 0.1, "confidence": 0.9, "least_share": 0.5, name: value}
    with pytest.raises(ValueError, match=f"{name} is {value}; give a share above 0"):
        promise(np.ones(3), np.ones(3, dtype=np.bool_), **shares)


@pytest.mark.parametrize("confidence", [-0.1, 1.5, math.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        risk_coverage(np.array([0.5, confidence]), np.array([True, True]))


def test_confidences_and_outcomes_must_be_of_the_same_examples() -> None:
    with pytest.raises(ValueError, match="one of each for every example"):
        risk_coverage(np.array([0.5, 0.6]), np.array([True]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where examples come from: so many kinds, equally frequent, of known confidence and error.

    confidences: `[K]` of each kind.
    error: `[K]` probability that its answer is wrong.
    """

    confidences: Floats
    error: Floats

    def draw(self, rng: np.random.Generator, examples: int) -> tuple[Floats, NDArray[np.bool_]]:
        kinds = rng.integers(len(self.error), size=examples)
        return self.confidences[kinds], rng.random(examples) >= self.error[kinds]

    def risk(self, threshold: float) -> float:
        """The true selective risk; 0 when nothing is answered."""
        answered = self.confidences >= threshold
        return float(self.error[answered].mean()) if answered.any() else 0.0


def calibrated() -> Source:
    sureness = np.linspace(0.0, 1.0, 5_000) ** 3
    return Source(confidences=1 - sureness * 0.6, error=sureness * 0.6)


def far_too_sure() -> Source:
    """Every confidence is above .99, and a quarter of the answers are wrong."""
    sureness = np.linspace(0.0, 1.0, 5_000)
    return Source(confidences=1 - sureness * 0.01, error=sureness * 0.5)


def wrong_where_surest() -> Source:
    """Labels that are wrong themselves: the surest twentieth errs, the middle hardly does."""
    doubt = np.linspace(0.0, 1.0, 5_000)
    return Source(confidences=1 - doubt / 2, error=np.where(doubt < 0.05, 0.4, doubt**4))


def five_confidences() -> Source:
    step = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 100)
    return Source(confidences=1 - step / 2, error=0.01 + step**2 * 0.5)


def two_confidences_with_the_surer_worse() -> Source:
    kind = np.repeat([0, 1], [30, 70])
    return Source(confidences=np.array([0.9, 0.8])[kind], error=np.array([0.12, 0.0916])[kind])


def a_hair_too_risky_everywhere() -> Source:
    """No promise of ten percent is true here, so that each one made is broken."""
    return Source(confidences=np.linspace(0.5, 1.0, 5_000), error=np.full(5_000, 0.1001))


SOURCES = (
    calibrated,
    far_too_sure,
    wrong_where_surest,
    five_confidences,
    two_confidences_with_the_surer_worse,
    a_hair_too_risky_everywhere,
)


@pytest.mark.parametrize("examples", [120, 400])
@pytest.mark.parametrize("make", SOURCES)
def test_of_a_thousand_promises_no_more_are_broken_than_was_said(
    make: Callable[[], Source], examples: int
) -> None:
    source, rng = make(), np.random.default_rng(11)
    kept = 0
    for _ in range(DRAWS):
        found = promise(*source.draw(rng, examples), risk=0.1, confidence=0.9)
        kept += source.risk(found.threshold) <= 0.1
    assert kept >= 0.9 * DRAWS


def test_a_threshold_that_merely_looks_right_breaks_the_promise_far_more_often() -> None:
    """The simulation can tell: the lowest threshold of the curve within the risk fails half."""
    source, rng = calibrated(), np.random.default_rng(11)
    kept = 0
    for _ in range(200):
        curve = risk_coverage(*source.draw(rng, 400))
        within = [point.threshold for point in curve.points if point.risk <= 0.1]
        kept += source.risk(min(within, default=math.inf)) <= 0.1
    assert kept < 0.7 * 200


def test_the_promise_costs_few_answers_where_confidence_orders_well() -> None:
    """Of a source that could answer 87 percent at this risk, seven in eight of those."""
    source, rng = calibrated(), np.random.default_rng(11)
    possible = max(
        float((source.confidences >= threshold).mean())
        for threshold in source.confidences[::50]
        if source.risk(threshold) <= 0.1
    )
    shares = [
        promise(*source.draw(rng, 400), risk=0.1, confidence=0.9).answered_share for _ in range(200)
    ]
    assert possible == pytest.approx(0.87, abs=0.02)
    assert float(np.mean(shares)) >= 7 / 8 * possible
