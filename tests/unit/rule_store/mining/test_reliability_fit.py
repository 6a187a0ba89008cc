"""Mined rules are believed as far as such rules were right when held out."""

import math

import numpy as np
import pytest

from rule_store.mining.reliability_fit import fit_reliability
from rule_store.reliability import HeldOutFirings, TrainingCounts
from tests.rules import has, rule

SMALL = TrainingCounts(right=2, wrong=0, positives=20, examples=200)
LARGE = TrainingCounts(right=18, wrong=2, positives=20, examples=200)


def held_out(training: TrainingCounts, *, fired: int, right: int) -> HeldOutFirings:
    return HeldOutFirings(rule=rule(has("where")), training=training, fired=fired, right=right)


def test_rules_that_fail_when_held_out_are_not_believed_for_their_training() -> None:
    """Both sorts look precise in training; the small ones were chance."""
    model = fit_reliability(
        [held_out(SMALL, fired=10, right=4)] * 20 + [held_out(LARGE, fired=10, right=9)] * 20
    )
    small = model.reliability(rule(has("where")), SMALL)
    large = model.reliability(rule(has("where")), LARGE)
    assert small.value == pytest.approx(0.4, abs=0.03)
    assert large.value == pytest.approx(0.9, abs=0.03)
    assert small.low < small.value < small.high < large.value


def test_mean_prediction_over_the_firings_is_what_came() -> None:
    """A logistic model with an intercept has this property, but for the two firings added."""
    rows = [held_out(SMALL, fired=100, right=35), held_out(LARGE, fired=300, right=261)]
    model = fit_reliability(rows)
    said = sum(each.fired * model.predict(each.rule, each.training) for each in rows)
    assert said / 400 == pytest.approx(296 / 400, abs=0.005)


def test_no_firings_say_one_half_of_everything() -> None:
    for nothing in ([], [held_out(LARGE, fired=0, right=0)]):
        model = fit_reliability(nothing)
        found = model.reliability(rule(has("where")), LARGE)
        assert found.value == 0.5
        assert found.high - found.low > 0.9


def test_the_interval_holds_the_rules_that_it_should() -> None:
    """Rules of one kind whose true reliabilities spread: most lie in the interval of the kind."""
    generator = np.random.Generator(np.random.PCG64(5))
    true = generator.beta(12, 4, size=400)
    right = generator.binomial(50, true).tolist()
    model = fit_reliability([held_out(LARGE, fired=50, right=each) for each in right])
    found = model.reliability(rule(has("where")), LARGE)
    inside = np.mean((true >= found.low) & (true <= found.high))
    assert found.value == pytest.approx(0.75, abs=0.02)
    assert 0.93 <= inside <= 0.97


def test_the_model_is_fitted_to_firings_not_to_rules() -> None:
    """A hundred rules that failed once weigh as much as one that failed a hundred times."""
    many = fit_reliability([held_out(SMALL, fired=1, right=0)] * 100)
    one = fit_reliability([held_out(SMALL, fired=100, right=0)])
    assert many.intercept == pytest.approx(one.intercept)
    assert math.isfinite(one.intercept)
