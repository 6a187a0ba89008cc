"""Logits become probabilities that one can recount."""

import numpy as np
import pytest

from inference.calibration import calibrate, ece, fit_temperature, log_loss
from inference.scoring import log_softmax, softmax


def test_rows_of_softmax_sum_to_one_and_keep_their_order() -> None:
    probabilities = softmax(np.log(np.array([[1.0, 2.0, 5.0], [8.0, 1.0, 1.0]])))
    assert probabilities.round(6).tolist() == [[0.125, 0.25, 0.625], [0.8, 0.1, 0.1]]


def test_log_softmax_survives_huge_logits() -> None:
    assert log_softmax(np.array([[1e6, -1e6]])).tolist() == [[0.0, -2e6]]


def test_temperature_two_takes_the_root_of_the_odds() -> None:
    assert calibrate(np.log(np.array([[16.0, 1.0]])), 2.0).round(6).tolist() == [[0.8, 0.2]]


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        calibrate(np.zeros((1, 2)), temperature)


def test_the_fitted_temperature_makes_confidence_the_accuracy() -> None:
    # Odds of 81 to 1, right 9 times of 10: the true odds of 9 need temperature log 81 / log 9 = 2.
    logits = np.tile(np.log(np.array([[81.0, 1.0]])), (10, 1))
    labels = np.array([0] * 9 + [1])
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(2.0, abs=1e-6)
    assert log_loss(logits, labels, temperature) < log_loss(logits, labels)
    assert ece(calibrate(logits, temperature), labels) == pytest.approx(0.0, abs=1e-6)


def test_no_examples_leave_the_temperature_at_one() -> None:
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)) == 1.0


def test_ece_weighs_each_bin_by_its_share() -> None:
    # Three at .9 of which two right (gap .2333), one at .6 that is right (gap .4).
    probabilities = np.array([[0.9, 0.1]] * 3 + [[0.6, 0.4]])
    labels = np.array([0, 0, 1, 0])
    assert ece(probabilities, labels) == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.4)
