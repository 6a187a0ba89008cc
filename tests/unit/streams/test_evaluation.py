"""Weighted F1, on answers one can recount."""

import pytest

from streams.evaluation import weighted_f1


def test_all_right_is_one_and_all_wrong_is_nought() -> None:
    assert weighted_f1(["a", "b"], ["a", "b"]) == 1.0
    assert weighted_f1(["a", "b"], ["b", "a"]) == 0.0
    assert weighted_f1([], []) == 0.0


def test_labels_weigh_as_often_as_they_are_right() -> None:
    """a: 2 of 3 found, 2 of 2 claims right: F1 .8. b: 1 of 1 found, 1 of 2 claims right: 2/3."""
    f1 = weighted_f1(["a", "a", "a", "b"], ["a", "a", "b", "b"])
    assert f1 == pytest.approx((3 * 0.8 + 1 * 2 / 3) / 4)


def test_an_abstention_is_missed_by_its_label_and_claimed_by_none() -> None:
    """a: found 1 of 2, claims right 1 of 1: F1 2/3. b: found 1 of 1, claims right: 1."""
    assert weighted_f1(["a", "a", "b"], ["a", None, "b"]) == pytest.approx((2 * 2 / 3 + 1) / 3)


def test_a_label_that_is_never_right_costs_only_those_it_was_given_for() -> None:
    assert weighted_f1(["a", "a"], ["a", "c"]) == pytest.approx(2 / 3)


def test_more_answers_than_labels_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="longer"):
        weighted_f1(["a"], ["a", "b"])
