"""Firings: coverage, overlaps, conflicts and reliability that one can recount."""

import pytest

from rule_store import (
    Evaluation,
    Firings,
    LabelledEvaluation,
    Rule,
    RuleSet,
    count_firings,
)
from tests.rules import has, rule

A, B, C = rule(has("a")), rule(has("b")), rule(has("c"), label="refund")
RULES = RuleSet(task="intent", rules=(A, B, C))


def fired(example_id: str, label: str, *rules: Rule) -> LabelledEvaluation:
    evaluation = Evaluation(fired=rules, undecided=())
    return LabelledEvaluation(example_id=example_id, evaluation=evaluation, label=label)


LABELLED = [
    fired("1", "track", A),
    fired("2", "track", A, B),
    fired("3", "refund", A, C),
    fired("4", "refund"),
]


def test_firings_are_counted_by_rule() -> None:
    a, b, c = count_firings(RULES, LABELLED)
    assert a == Firings(rule=A.id, examples=4, fired=3, overlaps=2, conflicts=1, correct=2)
    assert b == Firings(rule=B.id, examples=4, fired=1, overlaps=1, conflicts=0, correct=1)
    assert c == Firings(rule=C.id, examples=4, fired=1, overlaps=1, conflicts=1, correct=1)
    assert (a.coverage, a.incorrect) == (0.75, 1)
    assert a.reliability == pytest.approx(2 / 3)


def test_a_rule_leaves_out_the_examples_it_was_fitted_on() -> None:
    a, b, _ = count_firings(RULES, LABELLED, fitted_on={A.id: ["1", "4", "unseen"], "gone": ["2"]})
    assert a == Firings(rule=A.id, examples=2, fired=2, overlaps=2, conflicts=1, correct=1)
    assert b.examples == 4


def test_a_rule_that_never_fired_has_no_reliability() -> None:
    a, *_ = count_firings(RULES, [])
    assert (a.coverage, a.reliability, a.interval) == (0.0, None, None)


def test_the_interval_narrows_with_the_firings() -> None:
    few = Firings(rule="a", examples=10, fired=10, correct=9).interval
    many = Firings(rule="a", examples=100, fired=100, correct=90).interval
    # Wilson's formula by hand for 9 of 10 and 90 of 100, z = 1.96.
    assert few == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert many == pytest.approx((0.8256, 0.9448), abs=1e-4)
