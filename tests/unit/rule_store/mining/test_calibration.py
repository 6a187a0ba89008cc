"""Whether what is said to be right so often is right so often."""

import math

import numpy as np
import pytest

from rule_store.mining.calibration import ece, log_loss, perfect_ece


def test_bins_hold_equally_many_answers_however_close_their_confidences() -> None:
    """Bins of two: .1 and .2 with none right, .8 and .9 with all right: errors .15 and .15."""
    found = ece([0.1, 0.2, 0.8, 0.9], [False, False, True, True], bins=2)
    assert found == pytest.approx(0.15)


def test_the_first_bin_takes_what_is_left_over() -> None:
    """Bins of two and one: |1.0 - (.5 + .75)| + |0 - 1.0|, by three."""
    found = ece([0.5, 0.75, 1.0], [True, False, False], bins=2)
    assert found == pytest.approx((0.25 + 1.0) / 3)


def test_the_order_of_equally_confident_answers_decides_nothing() -> None:
    said = [0.75] * 8
    first = ece(said, [True] * 6 + [False] * 2, bins=2)
    assert first == ece(said, [False] * 2 + [True] * 6, bins=2) == 0.0


def test_fewer_answers_than_bins_have_a_bin_each() -> None:
    assert ece([0.5], [True], bins=10) == 0.5


def test_no_answers_have_no_error() -> None:
    assert ece([], []) == log_loss([], []) == perfect_ece([], seed=0) == 0.0


def test_log_loss_of_a_sure_wrong_answer_is_large_and_finite() -> None:
    assert 20 < log_loss([1.0], [False]) < 21
    assert log_loss([0.25, 0.25], [True, False]) == pytest.approx(
        -(math.log(0.25) + math.log(0.75)) / 2
    )


def test_a_coin_deviates_as_a_coin_does() -> None:
    """One answer of confidence one half is always off by one half."""
    assert perfect_ece([0.5], seed=0) == 0.5


def test_certain_answers_of_a_perfect_model_never_deviate() -> None:
    assert perfect_ece([0.0, 1.0, 1.0], seed=0) == 0.0


def test_a_perfect_model_stays_below_its_quantile_nineteen_times_in_twenty() -> None:
    generator = np.random.Generator(np.random.PCG64(7))
    said = generator.random(300)
    bound = perfect_ece(said, seed=1)
    below = sum(ece(said, generator.random(300) < said) <= bound for _ in range(1000))
    assert 930 <= below <= 970


def test_overconfidence_is_found_out() -> None:
    generator = np.random.Generator(np.random.PCG64(7))
    said = 0.5 + generator.random(300) / 2
    assert ece(said, generator.random(300) < said - 0.15) > perfect_ece(said, seed=1)


def test_the_same_seed_gives_the_same_quantile() -> None:
    said = [0.1, 0.3, 0.6, 0.9] * 5
    assert perfect_ece(said, seed=3, draws=50) == perfect_ece(said, seed=3, draws=50)
    assert perfect_ece(said, seed=3, draws=50) != perfect_ece(said, seed=4, draws=50)


def test_answers_that_come_right_together_deviate_as_one() -> None:
    """A hundred rules on one example are one coin, not a hundred."""
    said = [0.5] * 100
    assert perfect_ece(said, seed=0, together=[0] * 100) == 0.5
    assert perfect_ece(said, seed=0) < 0.2


def test_rules_that_disagree_on_an_example_are_not_right_together() -> None:
    """Fifty examples, each with a rule for either label: coins apart, and not fifty twice."""
    said = [0.5] * 100
    examples = [place // 2 for place in range(100)]
    labels = ["track", "refund"] * 50
    keys = list(zip(examples, labels, strict=True))
    assert perfect_ece(said, seed=0, together=keys) == perfect_ece(said, seed=0)
    assert perfect_ece(said, seed=0, together=examples) > perfect_ece(said, seed=0)
