"""Compiled rules: what leads to a rule, and what is undecided."""

import pytest

from rule_store import (
    CompiledRules,
    Evaluation,
    Evidence,
    Has,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Predicate,
    Reaches,
    Rule,
    RuleSet,
    UnknownConcept,
    evaluate,
)
from rule_store.automaton import Automaton

LEXICON = Lexicon.of({"refund": ["money back", "refund", "退款"]})


def rule(*predicates: Predicate, label: str = "track", without: tuple[Predicate, ...] = ()) -> Rule:
    body = [Literal(predicate=each) for each in predicates]
    body += [Literal(predicate=each, negated=True) for each in without]
    return Rule(task="intent", body=tuple(body), label=label)


def has(phrase: str, channel: str = "last") -> Has:
    return Has(channel=channel, phrase=phrase)


def compiled(*rules: Rule) -> CompiledRules:
    return CompiledRules.of(RuleSet(task="intent", rules=rules), LEXICON)


def said(text: str, **screens: str) -> Evidence:
    return Evidence.of({"last": [text], **{name: [text] for name, text in screens.items()}})


def test_what_fired_stands_in_the_order_of_the_rules_not_of_the_text() -> None:
    parcel, where, art = rule(has("parcel")), rule(has("where")), rule(has("art"))
    found = compiled(parcel, where, art).evaluate(said("Where is my parcel, at the party?"))
    assert found == Evaluation(fired=(parcel, where), undecided=())


def test_a_rule_is_checked_only_when_its_rarest_phrase_is_there() -> None:
    """Of two phrases, the one that fewer rules name leads to the rule."""
    first, second = rule(has("where"), has("parcel")), rule(has("where"), has("letter"))
    (leads,) = compiled(first, second).index.leads.values()
    assert leads.anchors == {"parcel", "letter"}


def test_a_concept_counts_its_different_phrases_at_word_boundaries() -> None:
    two = rule(Mentions(channel="last", concept="refund", at_least=2))
    rules = compiled(two)
    assert rules.evaluate(said("refund! money back!")).fired == (two,)
    assert rules.evaluate(said("退款 refund")).fired == (two,)
    assert rules.evaluate(said("refund refund")).fired == ()
    assert rules.evaluate(said("refunded, money back")).fired == ()


def test_a_rule_without_a_positive_literal_is_always_checked() -> None:
    nothing = rule(without=(has("parcel"),))
    rules = compiled(nothing)
    assert rules.evaluate(said("a letter")).fired == (nothing,)
    assert rules.evaluate(said("a parcel")).fired == ()


def test_a_line_is_a_whole_segment() -> None:
    line = rule(Line(channel="last", line="order sent"))
    rules = compiled(line)
    assert rules.evaluate(Evidence.of({"last": ["Hello", "Order sent"]})).fired == (line,)
    assert rules.evaluate(said("Order sent today")).fired == ()


def test_a_lone_surrogate_in_a_text_hides_nothing() -> None:
    parcel = rule(has("parcel"))
    assert compiled(parcel).evaluate(said("\ud83d parcel")).fired == (parcel,)


def test_rules_over_a_screen_that_nobody_read_are_undecided_unless_their_texts_fail() -> None:
    screen_only = rule(has("total", "screen"))
    mixed, failing = rule(has("help"), has("total", "screen")), rule(has("no"), has("a", "screen"))
    texts = rule(has("help"), label="other")
    counted = rule(has("help"), Reaches(fact="screen.line_count", value=3))
    rules = compiled(failing, screen_only, texts, mixed, counted)
    found = rules.evaluate(said("help"))
    assert found.fired == (texts,)
    assert tuple(found.undecided) == (screen_only, mixed, counted)
    assert (len(found.undecided), found.undecided[1], found.undecided[:1]) == (
        3,
        mixed,
        (screen_only,),
    )
    assert hash(found.undecided) == hash((screen_only, mixed, counted))
    assert rules.evaluate(said("help", screen="total")).fired == (screen_only, texts, mixed)


def test_undecided_rules_are_the_same_object_for_events_that_bring_no_others() -> None:
    """Thousands of rules over screens are not listed again for every event."""
    rules = compiled(rule(has("total", "screen")), rule(has("help"), has("x", "screen")))
    first, second = rules.evaluate(said("where")), rules.evaluate(said("here"))
    assert first.undecided is second.undecided


def test_an_anchor_on_an_unread_channel_leaves_the_rule_undecided() -> None:
    only = rule(has("total", "screen"), without=(has("help"),))
    rules = compiled(only)
    assert rules.evaluate(said("where")).undecided == (only,)
    assert rules.evaluate(said("help")) == Evaluation(fired=(), undecided=())


def test_a_frame_is_evaluated_event_by_event() -> None:
    rule_set = RuleSet(task="intent", rules=(rule(has("where")), rule(has("付款"))))
    frame = [said("where"), said("已付款"), said("")]
    plain = [evaluate(rule_set, evidence, LEXICON) for evidence in frame]
    assert CompiledRules.of(rule_set, LEXICON).evaluate_all(frame) == plain


def test_an_unknown_concept_is_refused_when_compiling() -> None:
    with pytest.raises(UnknownConcept, match="return"):
        compiled(rule(Mentions(channel="last", concept="return")))


def test_many_phrases_are_searched_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rule_store.automaton._PART_PHRASES", 2)
    assert Automaton(["a", "b", "c", "d", "e"]).found("face") == {"a", "c", "e"}
