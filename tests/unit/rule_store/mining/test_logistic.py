"""The odds of being right."""

import math

import numpy as np
import pytest

from rule_store.mining.logistic import fit_logistic

NO_FEATURE = np.zeros((1, 0))


def test_without_features_the_odds_are_those_of_what_came() -> None:
    """Six of eight and the one of two that is added: seven to three."""
    found = fit_logistic(NO_FEATURE, np.array([6.0]), np.array([8.0]))
    assert found.intercept == pytest.approx(math.log(7 / 3))


def test_nothing_tried_gives_even_odds() -> None:
    found = fit_logistic(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    assert found.intercept == 0.0
    assert found.weights.tolist() == [0.0, 0.0]


def test_always_right_keeps_finite_odds() -> None:
    found = fit_logistic(np.array([[0.0], [1.0]]), np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    assert found.predict(np.array([[0.0], [1.0]])) == pytest.approx([101 / 102] * 2)


def test_tries_count_as_often_as_they_were_made() -> None:
    rows = np.array([[0.0], [1.0]])
    at_once = fit_logistic(rows, np.array([30.0, 10.0]), np.array([40.0, 40.0]))
    singly = fit_logistic(
        np.repeat(rows, 40, axis=0),
        np.array(([1.0] * 30 + [0.0] * 10) + [1.0] * 10 + [0.0] * 30),
        np.ones(80),
    )
    assert at_once.intercept == pytest.approx(singly.intercept)
    assert at_once.weights == pytest.approx(singly.weights)


def test_many_tries_overcome_the_ridge() -> None:
    rows = np.array([[0.0], [1.0]])
    found = fit_logistic(rows, np.array([8e6, 2e6]), np.array([1e7, 1e7]))
    assert found.predict(rows) == pytest.approx([0.8, 0.2], abs=1e-4)


def test_a_strong_ridge_leaves_the_common_odds() -> None:
    rows = np.array([[0.0], [1.0]])
    found = fit_logistic(rows, np.array([8.0, 2.0]), np.array([10.0, 10.0]), ridge=1e9)
    assert found.predict(rows) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_a_feature_that_never_varies_has_no_weight() -> None:
    rows = np.array([[0.0, 3.0], [1.0, 3.0]])
    found = fit_logistic(rows, np.array([8.0, 2.0]), np.array([10.0, 10.0]))
    assert found.weights[1] == 0.0


def test_the_unit_of_a_feature_changes_no_prediction() -> None:
    rows = np.array([[0.0], [1.0], [2.0]])
    right, tried = np.array([2.0, 5.0, 9.0]), np.array([10.0, 10.0, 10.0])
    metres = fit_logistic(rows, right, tried).predict(rows)
    assert fit_logistic(rows * 1000, right, tried).predict(rows * 1000) == pytest.approx(metres)
