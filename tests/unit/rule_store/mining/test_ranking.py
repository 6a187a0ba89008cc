import numpy as np
import pytest

from rule_store.mining.ranking import best_first, label_scores


def test_a_score_weighs_careful_precision_with_recall() -> None:
    right, support = np.array([1, 4, 4]), np.array([1, 4, 8])

    scores = label_scores(right, support, total=4)

    # Wilson, z = 1: 1 of 1 is at least 1/2; 4 of 4 is 4/5; 4 of 8 is 1/3. Recall 1/4, 1, 1.
    assert scores.tolist() == pytest.approx([0.25, 0.8, 1 / 3])


def test_every_label_gets_its_best_before_any_gets_its_second() -> None:
    # Columns: a label with strong predicates, a label with weak ones.
    counts = np.array([[9, 0], [8, 0], [3, 1], [0, 1]])

    assert best_first(counts, np.array([9, 9])).tolist() == [0, 3, 1, 2]


def test_among_equals_the_earlier_comes_first() -> None:
    counts = np.array([[2, 0], [2, 0], [0, 2]])

    assert best_first(counts, np.array([2, 2])).tolist() == [0, 2, 1]


def test_a_label_without_examples_ranks_nothing() -> None:
    assert label_scores(np.array([0]), np.array([3]), total=0).tolist() == [0.0]
