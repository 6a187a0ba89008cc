"""Monte Carlo tree search, step by step on eight examples.

The rewards by `Squared`, tp² / (covered · 4):

    a 16/24  b 9/20  c 9/20  d 9/16     ab 3/4  ac 9/16  ad 9/16  bc 1/3  bd 1/2  cd 1/2
    abc 1/2  abd 1/2  acd 1/2  bcd 1/4

ab, bd and cd are pure and so terminal, as are bodies of three literals. With exploration 1 and
widening ⌈√(n + 1)⌉ an action's score is value / best + prior · √(n + 1) / (1 + n(a)), the stated
priors a .4, b .3, c .2, d .1 divided by their sum over the admitted.
"""

from dataclasses import replace

import numpy as np
import pytest

from rule_store.mining.evaluator import Evaluator
from rule_store.mining.node import BackUp, Selection, puct
from rule_store.mining.scan import Limits, Scanner
from rule_store.mining.search import Tree, TreeSettings
from tests.unit.rule_store.mining.eight import EIGHT, Squared, Stated, body, name, squared

PLAIN = TreeSettings(
    noise=0.0,
    limits=Limits(true_positives=1, negations=False),
    selection=Selection(exploration=1.0, widening=1.0, widening_exponent=0.5, back_up=BackUp.MAX),
)


def tree(settings: TreeSettings = PLAIN, *, pruning: bool = False) -> Tree:
    scanner = Scanner.of(EIGHT, 0, weights=np.ones(8), limits=settings.limits)
    planted = Tree(
        label=0,
        settings=settings,
        evaluator=Evaluator(scanner=scanner, reward=Squared(pruning=pruning)),
        proposer=Stated(),
        random=np.random.Generator(np.random.PCG64(0)),
    )
    planted.plant()
    return planted


def expanded(grown: Tree) -> list[str]:
    return [name(each) for each in grown.nodes]


def visits(grown: Tree, names: str = "") -> dict[str, int]:
    node = grown.nodes[body(names)]
    return {name([each]): int(n) for each, n in zip(node.actions, node.visits, strict=True) if n}


def values(grown: Tree, back_up: BackUp, names: str = "") -> dict[str, float]:
    node = grown.nodes[body(names)]
    found = node.values(back_up).tolist()
    return {name([each]): value for each, value in zip(node.actions, found, strict=True)}


def test_the_first_scan_evaluates_every_single_literal_and_opens_all_of_them() -> None:
    grown = tree()
    root = grown.nodes[frozenset()]
    assert name(root.actions) == "abcd"
    assert root.rewards.tolist() == pytest.approx(
        [squared(4, 6), squared(3, 5), squared(3, 5), squared(3, 4)]
    )
    assert visits(grown) == {}
    assert grown.evaluator.best == pytest.approx(2 / 3)


GOLDEN = [
    # simulation, the body that it expands, then visits and highest values at the root
    # 1: n = 0 admits a alone
    ("a", {"a": 1}, {"a": 3 / 4, "b": 9 / 20, "c": 9 / 20, "d": 9 / 16}),
    # 2: a 1 + 4/7 · √2 / 2 = 1.404, b .6 + 3/7 · √2 = 1.206; below a, ab is terminal and c is next
    ("ac", {"a": 2}, {"a": 3 / 4, "b": 9 / 20, "c": 9 / 20, "d": 9 / 16}),
    # 3: a 1 + 4/7 · √3 / 3 = 1.330, b .6 + 3/7 · √3 = 1.342: b sees ab, which is worth 3/4
    ("b", {"a": 2, "b": 1}, {"a": 3 / 4, "b": 3 / 4, "c": 9 / 20, "d": 9 / 16}),
    # 4: a 1 + 4/7 · 2 / 3 = 1.381, b 1 + 3/7 · 2 / 2 = 1.429
    ("bc", {"a": 2, "b": 2}, {"a": 3 / 4, "b": 3 / 4, "c": 9 / 20, "d": 9 / 16}),
    # 5: c is admitted; a 1 + 4/9 · √5 / 3 = 1.331, b 1 + 3/9 · √5 / 3 = 1.248, c .6 + 2/9 · √5
    #    = 1.097; below a, nothing below ac is open, so it is closed and d is next
    ("ad", {"a": 3, "b": 2}, {"a": 3 / 4, "b": 3 / 4, "c": 9 / 20, "d": 9 / 16}),
    # 6: a and b tie at 1.272 and a comes first, but nothing below it is open: closed. Then d is
    #    admitted; b 1 + 3/6 · √6 / 3 = 1.408, c .6 + 2/6 · √6 = 1.416, d .75 + 1/6 · √6 = 1.158
    ("c", {"a": 3, "b": 2, "c": 1}, {"a": 3 / 4, "b": 3 / 4, "c": 9 / 16, "d": 9 / 16}),
    # 7: b 1 + 3/6 · √7 / 3 = 1.441 is closed, then c .75 + 2/3 · √7 / 2 = 1.632: its ac and bc
    #    were expanded on other ways; closed; d is left
    ("d", {"a": 3, "b": 2, "c": 1, "d": 1}, {"a": 3 / 4, "b": 3 / 4, "c": 9 / 16, "d": 9 / 16}),
]


def test_each_simulation_goes_where_puct_points_and_tells_the_root() -> None:
    grown = tree()
    for expands, visited, highest in GOLDEN:
        assert grown.simulate()
        assert expanded(grown)[-1] == expands
        assert visits(grown) == visited
        assert values(grown, BackUp.MAX) == pytest.approx(highest)


def test_a_search_ends_when_nothing_is_left_to_expand() -> None:
    grown = tree()
    assert [grown.simulate() for _ in range(8)] == [True] * 7 + [False]
    assert expanded(grown) == ["", "a", "ac", "b", "bc", "ad", "c", "d"]


def test_two_ways_to_a_body_lead_to_one_node() -> None:
    grown = tree()
    while grown.simulate():
        pass
    assert len(expanded(grown)) == len({frozenset(each) for each in expanded(grown)})
    assert visits(grown, "c") == {}, "ca and cb were expanded as ac and bc"


def test_the_mean_is_of_the_values_of_all_simulations_through_the_action() -> None:
    """The first through a saw ab, 3/4; the second, at ac, 9/16 and nothing better."""
    grown = tree()
    grown.simulate()
    grown.simulate()
    assert values(grown, BackUp.MEAN)["a"] == pytest.approx((3 / 4 + 9 / 16) / 2)
    assert values(grown, BackUp.MAX)["a"] == pytest.approx(3 / 4)


def test_backing_up_the_mean_turns_to_b_where_the_maximum_stayed_with_a() -> None:
    """After bc: a .875 + 4/9 · √5 / 3 = 1.206, b .833 + 3/9 · √5 / 3 = 1.082, c 1.097."""
    grown = tree(replace(PLAIN, selection=replace(PLAIN.selection, back_up=BackUp.MEAN)))
    for _ in range(4):
        grown.simulate()
    assert expanded(grown) == ["", "a", "ac", "b", "bc"]
    root = grown.nodes[frozenset()]
    scores = puct(root, np.arange(3), grown.settings.selection, scale=0.75)
    assert scores.tolist() == pytest.approx(
        [
            0.875 + 4 / 9 * 5**0.5 / 3,
            (3 / 4 + 1 / 2) / 2 / 0.75 + 3 / 9 * 5**0.5 / 3,
            0.6 + 2 / 9 * 5**0.5,
        ]
    )


def test_what_cannot_exceed_the_best_found_is_never_expanded() -> None:
    """Once ab is found, worth 3/4, no body without all four positives can exceed it."""
    grown = tree(pruning=True)
    assert grown.simulate()
    assert not grown.simulate()
    assert expanded(grown) == ["", "a"]
