"""Beam search on eight examples, at the same unit of cost as the tree search.

Rewards as in test_tree: a 2/3, d 9/16, b and c 9/20; ab 3/4, ac and ad 9/16, bc 1/3.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rule_store.mining.beam import BeamSearch, BeamSettings, find
from rule_store.mining.found import Found, Search
from rule_store.mining.proposals import Uniform
from rule_store.mining.scan import Limits
from rule_store.mining.search import TreeSearch
from tests.unit.rule_store.mining.eight import EIGHT, Squared, name

PLAIN = BeamSettings(limits=Limits(true_positives=1, negations=False), width=2)


def beam(settings: BeamSettings, *, pruning: bool = False) -> Found:
    return find(EIGHT, 0, reward=Squared(pruning=pruning), weights=np.ones(8), settings=settings)


def test_the_best_bodies_of_each_length_are_expanded() -> None:
    """The empty body; a and d; of their extensions that are not pure ac and ad."""
    found = beam(PLAIN)
    assert [(name(each.body), each.reward) for each in found.bodies] == [("ab", 0.75)]
    assert found.expansions == 1 + 2 + 2
    assert [each.expansions for each in found.trace] == [1, 2]


def test_a_body_reached_in_two_ways_is_expanded_once() -> None:
    """ac, ad and bc are all there is to expand of length two."""
    assert beam(replace(PLAIN, width=20)).expansions == 1 + 4 + 3


def test_what_cannot_exceed_the_best_found_is_not_expanded() -> None:
    """d is as good as 3/4 at best, and a has given ab already, worth as much."""
    assert beam(PLAIN, pruning=True).expansions == 1 + 1


def test_a_bound_on_expansions_ends_it_early() -> None:
    assert beam(replace(PLAIN, expansions=4)).expansions == 4


def test_the_clock_ends_it_when_it_was_given_a_time() -> None:
    """Read at the start, then before d: one second; before ac none, before ad two."""
    ticks: Iterator[float] = iter(range(10))
    found = find(
        EIGHT,
        0,
        reward=Squared(pruning=False),
        weights=np.ones(8),
        settings=replace(PLAIN, budget_s=2.0),
        clock=lambda: next(ticks),
    )
    assert found.expansions == 4


def test_both_searches_stand_behind_one_port() -> None:
    searches: list[Search] = [BeamSearch(settings=PLAIN), TreeSearch()]
    for search in searches:
        found = search.find(
            EIGHT, 0, reward=Squared(), proposer=Uniform(), weights=np.ones(8), seed=0
        )
        assert found.bodies[0].reward >= 0.75
