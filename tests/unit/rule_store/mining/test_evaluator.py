"""What every search does with a body: score its extensions, keep the best of them."""

from collections.abc import Sequence

import numpy as np
import pytest

from rule_store.mining.evaluator import Evaluator, Expansion
from rule_store.mining.scan import Limits, Scanner
from rule_store.mining.table import Words
from tests.unit.rule_store.mining.eight import EIGHT, Squared, body, name, squared


def evaluator(
    *, taken: Sequence[Words] = (), most: int = 1, limits: Limits | None = None
) -> Evaluator:
    limits = limits or Limits(true_positives=1, negations=False)
    scanner = Scanner.of(EIGHT, 0, weights=np.ones(8), limits=limits)
    return Evaluator(scanner=scanner, reward=Squared(), taken=taken, most=most)


def rewards(expansion: Expansion) -> dict[str, float]:
    found = expansion.rewards.tolist()
    return {name([c]): value for c, value in zip(expansion.scan.codes, found, strict=True)}


def test_a_body_that_says_what_an_earlier_rule_said_is_worth_nothing() -> None:
    """Jaccard with ac, which covers p1 p2 p4 n2: ab 2/5, ac 1, ad 2/6."""
    judge = evaluator(taken=[EIGHT.covered(body("ac"))])
    assert rewards(judge.expand(body("a"), EIGHT.covered(body("a")))) == pytest.approx(
        {"b": squared(3, 3), "c": 0.0, "d": squared(3, 4)}
    )


def test_only_what_can_exceed_the_worst_that_is_kept_is_promising() -> None:
    """a reaches 4/4 at best; b, c and d 3/4, which exceeds a's 2/3: all, until ab is found."""
    judge = evaluator()
    everything = judge.expand(frozenset(), EIGHT.everything())
    assert judge.promising(everything)[0].tolist() == [0, 1, 2, 3]
    judge.expand(body("a"), EIGHT.covered(body("a")))
    places, bounds = judge.promising(everything)
    assert (places.tolist(), bounds.tolist()) == ([0], [1.0])


def test_a_precise_enough_or_longest_body_is_not_extended() -> None:
    """ab is pure; ac and ad have three of four."""
    judge = evaluator(most=9)
    below_a = judge.expand(body("a"), EIGHT.covered(body("a")))
    assert name(below_a.scan.codes[judge.promising(below_a)[0]]) == "cd"
    judge = evaluator(most=9, limits=Limits(true_positives=1, precision=0.75))
    assert not len(judge.promising(below_a)[0])
    judge = evaluator(most=9, limits=Limits(true_positives=1, length=2))
    assert not len(judge.promising(below_a)[0])


def test_the_same_body_found_in_two_ways_is_kept_once() -> None:
    judge = evaluator(most=9)
    judge.expand(body("a"), EIGHT.covered(body("a")))
    judge.expand(body("b"), EIGHT.covered(body("b")))
    assert [name(each.body) for each in judge.bodies] == ["ab", "ac", "ad", "bd", "bc"]
    assert (judge.expansions, judge.evaluations) == (2, 6)
