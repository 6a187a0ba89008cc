"""Paired bootstrap of the difference in F1."""

import numpy as np

from rule_store.mining.bootstrap import paired_differences


def test_equal_answers_never_differ() -> None:
    right, answers = ["a", "b", "a"], ["a", None, "b"]
    found = paired_differences(right, answers, answers, seed=1, draws=50)
    assert found.weighted.tolist() == [0.0] * 50
    assert found.by_label.tolist() == [[0.0, 0.0]] * 50


def test_from_all_wrong_to_all_right_every_draw_gains_one() -> None:
    right = ["a", "a", "a"]
    found = paired_differences(right, [None, "b", "b"], right, seed=1, draws=50)
    assert found.weighted.tolist() == [1.0] * 50
    assert found.labels == ("a",)


def test_a_draw_holds_only_what_was_drawn() -> None:
    """Of two questions, of which the second answers got one more right: 0, 1 or 2 times drawn.

    F1 of the only label is then 2 · 1 / (2 + 1) = 2/3 against 1, or equal, or 0 against 1.
    """
    found = paired_differences(["a", "a"], ["a", None], ["a", "a"], seed=1, draws=200)
    assert set(found.weighted.tolist()) == {0.0, round(1 / 3, 12), 1.0}


def test_questions_that_go_together_are_drawn_together() -> None:
    """Three moments of one dialogue, which the second answers got right, and one of another.

    Drawn are both, or one of them twice: 1 − 2 · 1 / (4 + 1) = 3/5, 1, or 0.
    """
    found = paired_differences(
        ["a"] * 4,
        [None, None, None, "a"],
        ["a"] * 4,
        seed=1,
        draws=200,
        together=["d", "d", "d", "e"],
    )
    assert set(found.weighted.tolist()) == {0.0, 0.6, 1.0}
    assert found.by_label[:, 0].tolist() == found.weighted.tolist()


def test_each_question_alone_is_drawn_as_if_nothing_was_said_of_it() -> None:
    right, first, second = ["a", "b", "a"], ["a", None, None], ["b", "b", "a"]
    plain = paired_differences(right, first, second, seed=1, draws=50)
    alone = paired_differences(right, first, second, seed=1, draws=50, together=["x", "y", "z"])
    assert plain.weighted.tolist() == alone.weighted.tolist()
    assert plain.by_label.tolist() == alone.by_label.tolist()


def test_a_claim_of_another_label_costs_that_label() -> None:
    """All of b are right with the first; with the second one a is claimed by b, too."""
    found = paired_differences(["a", "b"], ["a", "b"], ["b", "b"], seed=1, draws=200)
    assert found.by_label[:, 1].min() < 0
    assert found.by_label[:, 1].max() == 0.0


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    right, first = ["a", "b", "a", "b"], ["a", "b", None, None]

    def drawn(seed: int) -> bytes:
        second = [None, "b", "a", None]
        found = paired_differences(right, first, second, seed=seed, draws=40)
        return found.weighted.tobytes()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_draws_that_do_not_fit_at_once_follow_in_blocks() -> None:
    """6,000 questions times 1,500 draws are more than are held at a time."""
    right = ["a", "b"] * 3000
    first = ["a", None] * 3000
    found = paired_differences(right, first, right, seed=1, draws=1500)
    assert found.weighted.shape == (1500,)
    assert abs(float(np.mean(found.weighted)) - 0.5) < 0.01
