"""A node's choice of action, in numbers that a reader can recount."""

from collections.abc import Sequence

import numpy as np
import pytest

from rule_store.mining.node import BackUp, Node, Selection, admitted, back_up, puct, select

PLAIN = Selection(exploration=1.0, widening=1.0, widening_exponent=0.5, back_up=BackUp.MAX)


def node(rewards: Sequence[float], priors: Sequence[float]) -> Node:
    size = len(rewards)
    return Node(
        body=frozenset(),
        covered=np.zeros(1, dtype=np.uint64),
        actions=np.arange(size) * 2,
        logits=np.log(np.array(priors)),
        rewards=np.array(rewards),
        bounds=np.ones(size),
        visits=np.zeros(size, dtype=np.int64),
        totals=np.zeros(size),
        highest=np.zeros(size),
        open=np.ones(size, dtype=np.bool_),
    )


def test_a_node_admits_more_actions_the_more_it_is_simulated() -> None:
    """⌈√(n + 1)⌉ of them, the most likely first: 1, 2, 2, 2, 3."""
    grown = node([0.5] * 4, [0.4, 0.3, 0.2, 0.1])
    most = []
    for _ in range(5):
        most.append(admitted(grown, PLAIN).tolist())
        back_up([(grown, 0)], 0.5)
    assert most == [[0], [0, 1], [0, 1], [0, 1], [0, 1, 2]]


def test_a_closed_action_makes_room_for_the_next() -> None:
    grown = node([0.5] * 3, [0.5, 0.3, 0.2])
    grown.open[0] = False
    assert admitted(grown, PLAIN).tolist() == [1]


def test_an_action_that_was_never_taken_is_worth_what_its_own_body_is() -> None:
    """Scores at n = 3: .9 + .75 · 2 / 4 and .6 + .25 · 2 / 1."""
    grown = node([0.3, 0.6], [0.75, 0.25])
    for value in (0.5, 0.9, 0.7):
        back_up([(grown, 0)], value)
    scores = puct(grown, np.array([0, 1]), PLAIN, scale=1.0)
    assert scores.tolist() == pytest.approx([0.9 + 0.375, 0.6 + 0.5])
    assert select(grown, PLAIN, scale=1.0) == 0


def test_the_mean_weighs_every_simulation_alike() -> None:
    grown = node([0.3, 0.6], [0.75, 0.25])
    for value in (0.5, 0.9, 0.7):
        back_up([(grown, 0)], value)
    assert grown.values(BackUp.MEAN).tolist() == pytest.approx([0.7, 0.6])
    assert grown.values(BackUp.MAX).tolist() == pytest.approx([0.9, 0.6])


def test_of_equal_scores_the_more_likely_action_is_taken() -> None:
    grown = node([0.5, 0.5], [0.5, 0.5])
    back_up([(grown, 0)], 0.5)
    back_up([(grown, 1)], 0.5)
    assert select(grown, PLAIN, scale=1.0) == 0


def test_before_anything_was_found_values_need_no_scale() -> None:
    assert puct(node([0.0], [1.0]), np.array([0]), PLAIN, scale=0.0).tolist() == [1.0]


def test_a_node_without_open_actions_offers_none() -> None:
    grown = node([0.5, 0.2], [0.5, 0.5])
    grown.close(threshold=1.0)
    assert select(grown, PLAIN, scale=1.0) is None
