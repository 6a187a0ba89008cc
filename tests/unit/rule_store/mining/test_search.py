"""What Monte Carlo tree search brings back, and what ends it; step by step in test_tree."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from rule_store.mining.found import Improvement
from rule_store.mining.node import Selection
from rule_store.mining.proposals import Statistical, Uniform
from rule_store.mining.reward import Mdl
from rule_store.mining.scan import Limits
from rule_store.mining.search import TreeSearch, TreeSettings, find
from rule_store.mining.table import Table, popcount
from tests.unit.rule_store.mining.eight import EIGHT, Squared, Stated, name, table

ONES = np.ones(8)
PLAIN = TreeSettings(
    limits=Limits(true_positives=1, negations=False),
    selection=Selection(exploration=1.0, widening=1.0, widening_exponent=0.5),
)


def test_the_best_body_comes_back_with_its_counts_and_how_it_was_found() -> None:
    found = find(
        EIGHT, 0, reward=Squared(), proposer=Stated(), weights=ONES, settings=PLAIN, seed=0
    )
    (best,) = found.bodies
    assert (name(best.body), best.reward, best.true_positives, best.covered) == ("ab", 0.75, 3, 3)
    assert [(each.expansions, each.reward) for each in found.trace] == [
        (1, pytest.approx(2 / 3)),
        (2, 0.75),
    ]
    # Four single literals, and of a's extensions b, c and d: a itself removes nothing.
    assert (found.expansions, found.evaluations, found.exhausted) == (2, 7, True)


def test_a_search_brings_back_as_many_bodies_as_asked_best_first() -> None:
    found = find(
        EIGHT,
        0,
        reward=Squared(pruning=False),
        proposer=Stated(),
        weights=ONES,
        settings=replace(PLAIN, most=4),
        seed=0,
    )
    assert [name(each.body) for each in found.bodies] == ["ab", "a", "d", "ac"]


def test_negated_literals_join_a_body_but_never_begin_it() -> None:
    """Without what e holds for, a covers + alone: reward 1."""
    nine = table({"a": "1111 1100", "e": "0000 1111"})
    found = find(
        nine,
        0,
        reward=Squared(),
        proposer=Uniform(),
        weights=ONES,
        settings=TreeSettings(limits=Limits(true_positives=1)),
        seed=0,
    )
    assert (found.bodies[0].body, found.bodies[0].reward) == (frozenset({0, 3}), 1.0)


def test_iterations_bound_the_scans() -> None:
    settings = replace(PLAIN, iterations=3)
    found = find(
        EIGHT,
        0,
        reward=Squared(pruning=False),
        proposer=Stated(),
        weights=ONES,
        settings=settings,
        seed=0,
    )
    assert (found.expansions, found.exhausted) == (3, False)


def test_the_clock_ends_a_search_when_it_was_given_a_time() -> None:
    """It is read at the start and before each simulation: at 0, 1, 2 and, too late, 3 seconds."""
    ticks: Iterator[float] = iter(range(10))
    found = find(
        EIGHT,
        0,
        reward=Squared(pruning=False),
        proposer=Stated(),
        weights=ONES,
        settings=replace(PLAIN, budget_s=3.0),
        seed=0,
        clock=lambda: next(ticks),
    )
    assert found.expansions == 3


def test_a_label_without_enough_examples_gives_nothing() -> None:
    settings = TreeSettings(limits=Limits(true_positives=5))
    found = find(
        EIGHT, 0, reward=Squared(), proposer=Stated(), weights=ONES, settings=settings, seed=0
    )
    assert (found.bodies, found.expansions, found.exhausted) == ((), 1, True)


def random_table(seed: int) -> Table:
    drawn = np.random.Generator(np.random.PCG64(seed))
    columns = drawn.random((40, 12)) < 0.4
    marks = {f"p{n}": "".join("01"[int(bit)] for bit in columns[:, n]) for n in range(12)}
    return table(marks, "+" * 12 + "-" * 28)


@given(seed=st.integers(0, 2**16))
@given_settings(max_examples=10, deadline=None)
def test_the_same_seed_finds_the_same(seed: int) -> None:
    search = TreeSearch(settings=TreeSettings(iterations=20, noise=0.5))
    once, again = (
        search.find(
            random_table(3),
            0,
            reward=Mdl(literal_cost=1.0),
            proposer=Statistical(),
            weights=np.ones(40),
            seed=seed,
        )
        for _ in range(2)
    )
    assert once == again


def test_another_seed_goes_another_way_unless_nothing_is_random() -> None:
    drawn = random_table(0)

    def traces(noise: float) -> set[tuple[Improvement, ...]]:
        search = TreeSearch(settings=TreeSettings(iterations=10, noise=noise))
        return {
            search.find(
                drawn,
                0,
                reward=Mdl(literal_cost=1.0),
                proposer=Statistical(),
                weights=np.ones(40),
                seed=seed,
            ).trace
            for seed in range(5)
        }

    assert len(traces(TreeSettings().noise)) > 1
    assert len(traces(0.0)) == 1


def best_of_all(rows: Table) -> float:
    """Every body of up to three literals, one of them positive, counted one by one."""
    highest = 0.0
    for length in (1, 2, 3):
        for literals in combinations(range(2 * len(rows.predicates)), length):
            covered = rows.covered(frozenset(literals))
            size, right = popcount(covered), popcount(covered & rows.of_label(0))
            if right >= 2 and any(not literal & 1 for literal in literals):
                highest = max(highest, right**2 / (size * 12))
    return highest


@given(seed=st.integers(0, 50))
@given_settings(max_examples=5, deadline=None)
def test_with_iterations_enough_the_best_of_all_bodies_is_found(seed: int) -> None:
    """Neither pruning nor widening, closing or sharing nodes loses it."""
    rows = random_table(seed)
    found = find(
        rows,
        0,
        reward=Squared(),
        proposer=Statistical(),
        weights=np.ones(40),
        settings=TreeSettings(iterations=10_000),
        seed=seed,
    )
    assert found.exhausted
    assert found.bodies[0].reward == pytest.approx(best_of_all(rows))


def test_a_search_that_passed_literals_over_does_not_claim_to_have_seen_all() -> None:
    found = find(
        EIGHT,
        0,
        reward=Squared(pruning=False),
        proposer=Stated(),
        weights=ONES,
        settings=replace(PLAIN, actions=1),
        seed=0,
    )
    assert (found.expansions, found.exhausted) == (3, False)


def test_what_could_just_exceed_the_best_is_still_expanded() -> None:
    """p alone is pure and worth .8; q and r hold for nine of ten + and together for no -: .9."""
    rows = table(
        {
            "p": "1111 1111 00 0000 0000 00",
            "q": "1111 1111 10 1110 0000 00",
            "r": "1111 1111 10 0001 1111 11",
        },
        "+" * 10 + "-" * 10,
    )
    found = find(
        rows,
        0,
        reward=Squared(),
        proposer=Uniform(),
        weights=np.ones(20),
        settings=PLAIN,
        seed=0,
    )
    assert found.bodies[0].body == frozenset({2, 4})
    assert found.bodies[0].reward == pytest.approx(0.9)
