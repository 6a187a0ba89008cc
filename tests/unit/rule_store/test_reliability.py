"""What share of a rule's firings is right."""

import math
import subprocess
import sys

import pytest

from rule_store.reliability import (
    FEATURES,
    STRENGTHS,
    FittedReliability,
    ReliabilityModel,
    TrainingCounts,
    features,
    fit_strength,
    posterior,
    written_reliabilities,
)
from tests.rules import has, no, rule

COUNTS = TrainingCounts(right=8, wrong=1, positives=16, examples=64)


def test_features_are_the_documented_ones() -> None:
    found = dict(zip(FEATURES, features(rule(has("where"), no(has("back"))), COUNTS), strict=True))
    assert found == {
        "log right": math.log(8),
        "log 1 + wrong": math.log(2),
        "Wilson bound": pytest.approx(0.743, abs=5e-4),  # of 8 in 9
        "literals": 2.0,
        "negated literals": 1.0,
        "facts": 0.0,
        "log-odds of the label": math.log(16.5 / 48.5),
        "recall": 0.5,
    }


def test_a_rule_that_covers_nothing_has_features() -> None:
    nothing = TrainingCounts(right=0, wrong=0, positives=0, examples=0)
    assert features(rule(has("where")), nothing) == (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)


def test_a_model_predicts_by_its_features() -> None:
    """Log-odds -1 + 2 · 0.5, with 0.5 the recall: even odds."""
    model = ReliabilityModel(
        intercept=-1.0, weights=(0, 0, 0, 0, 0, 0, 0, 2.0), strength=10.0, examples=64.0
    )
    assert model.predict(rule(has("where")), COUNTS) == 0.5


def test_training_precision_is_not_believed() -> None:
    """Right 50 times of 50 in training, yet the model, which saw such rules fail, says one half."""
    sure = TrainingCounts(right=50, wrong=0, positives=100, examples=1000)
    model = ReliabilityModel(intercept=0.0, weights=(0.0,) * 8, strength=10.0, examples=64.0)
    assert model.reliability(rule(has("where")), sure).value == 0.5


def test_a_value_without_its_interval_is_the_same() -> None:
    model = ReliabilityModel(
        intercept=-1.0, weights=(0.1, 0, 0, 0, 0, 0, 0, 0), strength=7.0, examples=64.0
    )
    where = rule(has("where"))
    assert model.value(where, COUNTS) == model.reliability(where, COUNTS).value


def test_the_interval_is_that_of_rules_like_this_one() -> None:
    """Strength 2 at one half is the uniform distribution: its middle 95 %."""
    assert posterior(0.5, 2.0) == FittedReliability(value=0.5, low=0.025, high=0.975)


def test_own_firings_move_the_prior_by_their_number() -> None:
    """A prior worth 10 firings, 8 right; then 10 of 10: 18 of 20."""
    found = posterior(0.8, 10.0, right=10)
    assert found.value == 0.9
    assert found.low < 0.9 < found.high


def test_many_rules_that_keep_to_the_mean_make_it_strong() -> None:
    assert fit_strength([(500, 500)] * 50, [0.5] * 50) > STRENGTHS[-1] / 4


def test_rules_that_are_all_right_or_all_wrong_make_the_mean_weak() -> None:
    assert fit_strength([(50, 0), (0, 50)] * 10, [0.5] * 20) < 2 * STRENGTHS[0]


def test_one_rule_does_not_make_the_mean_certain() -> None:
    nothing, one = fit_strength([], []), fit_strength([(90, 10)], [0.9])
    assert 5 < nothing < one < 50


def test_a_written_rule_that_never_fired_is_believed_like_the_others() -> None:
    found = written_reliabilities({"a": (80, 20), "b": (80, 20), "c": (80, 20), "new": (0, 0)})
    assert found["new"].value == pytest.approx(0.8, abs=0.02)
    assert found["a"].value == pytest.approx(0.8, abs=0.02)


def test_a_written_rule_is_judged_by_its_own_firings_once_it_has_many() -> None:
    found = written_reliabilities({"bad": (10, 190), "good": (190, 10), "seldom": (1, 0)})
    assert found["bad"].value == pytest.approx(0.05, abs=0.02)
    assert found["good"].value == pytest.approx(0.95, abs=0.02)
    assert found["seldom"].low < found["seldom"].value < found["good"].value


def test_written_rules_of_which_none_fired_are_believed_and_not_for_certain() -> None:
    """About as if they had fired ten times and been right nine times."""
    found = written_reliabilities({"a": (0, 0), "b": (0, 0)})
    assert found["a"] == found["b"]
    assert 0.85 < found["a"].value < 0.92
    assert found["a"].low < 0.75


def test_a_handful_of_right_firings_makes_no_written_rule_certain() -> None:
    found = written_reliabilities(
        {"a": (3, 0), "b": (2, 0), **{f"new{n}": (0, 0) for n in range(9)}}
    )
    assert 0.85 < found["new0"].value < found["a"].value < 0.97
    assert found["new0"].low < 0.8


def test_no_written_rules_need_no_judging() -> None:
    assert written_reliabilities({}) == {}


def test_the_live_path_needs_no_numpy_for_its_rules() -> None:
    """Workers import the package; reliabilities are fitted offline."""
    script = "import sys, rule_store, rule_store.reliability; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_rule_mined_on_more_examples_is_believed_halfway() -> None:
    """Four times the examples and all counts: as of twice the counts the model knows."""
    model = ReliabilityModel(
        intercept=0.0, weights=(0.3, -0.2, 1.0, 0, 0, 0, 0, 0), strength=10.0, examples=64.0
    )
    fourfold = TrainingCounts(right=32, wrong=4, positives=64, examples=256)
    twofold = TrainingCounts(right=16, wrong=2, positives=32, examples=64)
    found = model.predict(rule(has("where")), fourfold)
    assert found == pytest.approx(model.predict(rule(has("where")), twofold))
