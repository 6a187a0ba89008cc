"""Rules: identity, and plain evaluation with three truth values."""

import json
from hashlib import sha256

import pytest

from rule_store import (
    DuplicateRule,
    Evidence,
    Has,
    InvalidRule,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Predicate,
    Reaches,
    Rule,
    RuleSet,
    evaluate,
    truth,
)

LEXICON = Lexicon.of({})


def has(channel: str, phrase: str, *, negated: bool = False) -> Literal:
    return Literal(predicate=Has(channel=channel, phrase=phrase), negated=negated)


def rule(*body: Literal, label: str = "track_order", note: str | None = None) -> Rule:
    return Rule(task="intent", body=body, label=label, note=note)


def test_the_id_is_a_digest_of_task_sorted_body_and_label() -> None:
    made = rule(has("user", "b"), has("last", "a", negated=True))
    told = [
        "intent",
        [{"channel": "last", "has": "a", "not": True}, {"channel": "user", "has": "b"}],
        "track_order",
    ]
    canonical = json.dumps(told, separators=(",", ":")).encode()
    assert made.id == sha256(canonical).hexdigest()[:16]


@pytest.mark.parametrize(
    ("predicate", "told"),
    [
        (Line(channel="screen", line="My orders"), '{"channel":"screen","line":"my orders"}'),
        (Mentions(channel="user", concept="paid"), '{"channel":"user","mentions":"paid"}'),
        (
            Mentions(channel="user", concept="paid", at_least=2),
            '{"at_least":2,"channel":"user","mentions":"paid"}',
        ),
        (Reaches(fact="turns", value=5), '{"fact":"turns","reaches":5.0}'),
        (Reaches(fact="turns", value=-0.0), '{"fact":"turns","reaches":0.0}'),
        (
            Reaches(fact="screen.white_share", value=0.1),
            '{"fact":"screen.white_share","reaches":0.1}',
        ),
    ],
)
def test_every_predicate_has_one_form_that_ids_are_made_of(predicate: Predicate, told: str) -> None:
    made = rule(Literal(predicate=predicate))
    canonical = f'["intent",[{told}],"track_order"]'
    assert made.id == sha256(canonical.encode()).hexdigest()[:16]


def test_predicates_that_differ_give_rules_that_differ() -> None:
    predicates = (
        Has(channel="last", phrase="x"),
        Line(channel="last", line="x"),
        Line(channel="user", line="x"),
        Mentions(channel="last", concept="x"),
        Mentions(channel="last", concept="x", at_least=2),
        Mentions(channel="last", concept="x", at_least=3),
        Reaches(fact="turns", value=1),
        Reaches(fact="images", value=1),
        Reaches(fact="turns", value=1.5),
    )
    literals = [
        Literal(predicate=predicate, negated=negated)
        for predicate in predicates
        for negated in (False, True)
    ]
    assert len({rule(literal).id for literal in literals}) == 18


def test_the_id_ignores_order_repetition_and_note() -> None:
    a, b = has("last", "a"), has("user", "b")
    assert rule(a, b).id == rule(b, a).id == rule(a, b, a, note="why").id
    assert rule(a, b).id != rule(a).id
    assert rule(a).id != rule(a, label="refund").id
    assert rule(a).id != rule(has("last", "a", negated=True)).id
    assert rule(a).id != Rule(task="scene", body=(a,), label="track_order").id


def test_a_canonical_rule_keeps_only_what_decides() -> None:
    a, b = has("last", "a"), has("user", "b")
    assert rule(b, a, b, note="why").canonical() == rule(a, b)


@pytest.mark.parametrize(
    ("last", "screen", "expected"),
    [
        (["where is it"], None, None),  # the screen could still say no
        (["where is it"], [], True),
        (["where is it"], ["paid"], False),
        (["hello"], None, False),  # false already, whatever the screen says
        (["hello"], ["paid"], False),
    ],
)
def test_one_false_literal_is_enough_and_an_unread_one_is_undecided(
    last: list[str], screen: list[str] | None, expected: bool | None
) -> None:
    made = rule(has("screen", "paid", negated=True), has("last", "where is it"))
    assert truth(made, Evidence.of({"last": last, "screen": screen}), LEXICON) is expected


@pytest.mark.parametrize(
    ("last", "line_count", "expected"),
    [
        ("where is it", None, None),  # the screen could still be a long one
        ("where is it", 2.0, True),
        ("where is it", 3.0, False),
        ("hello", None, False),  # false already, whatever is measured
        ("hello", 2.0, False),
    ],
)
def test_a_fact_that_is_unread_leaves_a_body_undecided(
    last: str, line_count: float | None, expected: bool | None
) -> None:
    short = Literal(predicate=Reaches(fact="screen.line_count", value=3), negated=True)
    facts = {} if line_count is None else {"screen.line_count": line_count}
    evidence = Evidence(texts={"last": last}, facts=facts)
    assert truth(rule(short, has("last", "where is it")), evidence, LEXICON) is expected


def test_an_evaluation_lists_fired_and_undecided_rules_in_order() -> None:
    first, second = rule(has("last", "where")), rule(has("screen", "paid"))
    third, fourth = rule(has("last", "is")), rule(has("last", "refund"))
    rule_set = RuleSet(task="intent", rules=(third, second, fourth, first))
    found = evaluate(rule_set, Evidence.of({"last": ["Where is it"]}), LEXICON)
    assert found.fired == (third, first)
    assert found.undecided == (second,)


def test_a_rule_needs_a_body_and_names() -> None:
    with pytest.raises(InvalidRule, match="at least one literal"):
        rule()
    with pytest.raises(InvalidRule, match="at most 32"):
        rule(*(has("last", f"word {chr(97 + i)}") for i in range(26)), *[has("user", "x")] * 7)
    for label in ("", "x" * 129, "\ud800"):
        with pytest.raises(InvalidRule, match="label"):
            rule(has("last", "a"), label=label)
    with pytest.raises(InvalidRule, match="note"):
        rule(has("last", "a"), note="x" * 1001)


def test_a_rule_set_holds_one_task_and_each_rule_once() -> None:
    made = rule(has("last", "a"))
    with pytest.raises(InvalidRule, match='of task "intent"'):
        RuleSet(task="scene", rules=(made,))
    with pytest.raises(DuplicateRule) as refusal:
        RuleSet(task="intent", rules=(made, rule(has("last", "A"), note="again")))
    assert refusal.value.rule_id == made.id
