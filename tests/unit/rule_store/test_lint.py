"""Lint: what it finds in rules and lexicon, and what it leaves alone."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store import (
    Evidence,
    Finding,
    Lexicon,
    Literal,
    Place,
    Predicate,
    Rule,
    RuleExample,
    RuleSet,
    lint_lexicon,
    lint_rules,
    truth,
)
from rule_store.implication import Implications
from tests.rules import Part, has, line, mentions, no, reaches, rule

LABELS = ("track", "refund", "other")
LEXICON = Lexicon.of({"money": ["refund", "money back", "退款"], "paid": ["refund", "paid"]})


def images(least: float) -> Predicate:
    return reaches("images", least)


def linted(*rules: Rule, labels: Iterable[str] = ()) -> list[Finding]:
    """Findings on rules that give all of `labels`, or on any labels at all."""
    known = tuple(labels) or tuple(dict.fromkeys(each.label for each in rules))
    rule_set = RuleSet(task="intent", rules=rules)
    return list(lint_rules(rule_set, lexicon=LEXICON, labels=known))


def kinds(findings: Iterable[Finding]) -> list[tuple[str, str | None]]:
    return [(each.kind, each.rule) for each in findings]


@pytest.mark.parametrize(
    "body",
    [
        (has("refund"), no(has("refund"))),
        (has("refund now"), no(has("refund"))),
        (line("Refund now"), no(has("refund"))),
        (has("refund"), no(mentions("money"))),
        (mentions("money", 2), no(mentions("money"))),
        (images(5), no(images(5))),
        (images(7), no(images(5))),
        (mentions("paid", 3),),  # it has two phrases
    ],
)
def test_a_body_that_cannot_hold_is_contradictory(body: tuple[Part, ...]) -> None:
    made = rule(*body)
    (finding,) = linted(made)
    assert (finding.kind, finding.severity, finding.rule) == ("contradictory", "error", made.id)
    assert "never fires" in finding.message


@pytest.mark.parametrize(
    "body",
    [
        (has("refund"), no(has("refund now"))),
        (has("refunds"), no(has("refund"))),  # no word boundary between them
        (has("refund"), no(has("refund", "user"))),
        (has("refund"), images(5), no(images(7))),
        (mentions("money"), no(mentions("money", 2))),
        (mentions("money", 3),),
        (mentions("paid"), no(mentions("money"))),  # "paid" is no phrase of money
    ],
)
def test_a_body_that_may_hold_is_left_alone(body: tuple[Part, ...]) -> None:
    assert linted(rule(*body)) == []


@pytest.mark.parametrize(
    "body",
    [
        (no(has("refund")), no(images(1))),
        (images(1),),
        (images(1), no(has("refund"))),
        (images(1), no(has("refund", "screen"))),
        (no(has("refund", "screen")),),
    ],
)
def test_a_rule_that_looks_for_no_text_is_never_indexed(
    body: tuple[Part, ...],
) -> None:
    blind = rule(*body)
    (finding,) = linted(blind)
    assert (finding.kind, finding.severity, finding.rule) == ("never_indexed", "warning", blind.id)


@pytest.mark.parametrize(
    "body",
    [
        (has("refund", "screen"), no(has("refund"))),
        (has("refund", "screen.top"), images(1)),
        (has("refund", "screen"), no(images(1))),
    ],
)
def test_a_rule_that_only_a_screen_leads_to_is_checked_where_no_screen_is_read(
    body: tuple[Part, ...],
) -> None:
    made = rule(*body)
    (finding,) = linted(made)
    assert (finding.kind, finding.severity) == ("led_by_screen", "note")


@pytest.mark.parametrize(
    "body",
    [
        (no(reaches("screen.line_count", 8)), no(reaches("screen.white_share", 0.1))),
        (reaches("screen.height_by_width", 1.5), images(1)),
        (no(reaches("screen.line_count", 8)), no(has("pay now", "screen"))),
    ],
)
def test_a_rule_that_goes_by_how_a_screen_looks_is_meant_and_checked_for_every_event(
    body: tuple[Part, ...],
) -> None:
    (finding,) = linted(rule(*body))
    assert (finding.kind, finding.severity) == ("led_by_facts", "note")


@pytest.mark.parametrize(
    "body",
    [
        (has("refund", "screen"),),
        (has("refund", "screen"), no(has("x", "screen.top"))),
        (has("refund", "screen"), reaches("screen.line_count", 2)),
        (has("refund", "screen"), has("refund"), images(1)),
        (mentions("money"), images(1)),
    ],
)
def test_a_rule_that_a_text_or_only_screens_decide_is_left_alone(
    body: tuple[Part, ...],
) -> None:
    assert linted(rule(*body)) == []


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ((has("refund"), has("now")), (has("refund"),)),
        ((has("refund now"),), (has("refund"),)),
        ((has("我要退款"),), (has("退款"),)),
        ((line("a refund"),), (has("refund"),)),
        ((has("refund"),), (mentions("money"),)),
        ((has("my refund or money back"),), (mentions("money", 2),)),
        ((mentions("money", 2),), (mentions("money"),)),
        ((images(3),), (images(2),)),
        ((has("x"), no(images(2))), (has("x"), no(images(3)))),
        ((has("x"), no(has("refund"))), (has("x"), no(has("refund now")))),
        ((no(mentions("money")),), (no(has("refund")),)),
    ],
)
def test_the_narrower_of_two_rules_of_a_label_is_shadowed(
    narrow: tuple[Part, ...], wide: tuple[Part, ...]
) -> None:
    small, large = rule(*narrow), rule(*wide)
    found = [each for each in linted(small, large) if each.kind != "never_indexed"]
    assert kinds(found) == [("shadowed", small.id)]
    assert large.id in found[0].message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((has("refunds"),), (has("refund"),)),
        ((has("refund"),), (has("refund", "user"),)),
        ((has("refund"), no(has("a"))), (has("refund"), no(has("b")))),
        ((mentions("money"),), (mentions("paid"),)),
        ((has("refund"), images(1)), (line("refund"),)),
    ],
)
def test_rules_that_each_say_something_of_their_own_are_left_alone(
    one: tuple[Part, ...], other: tuple[Part, ...]
) -> None:
    assert linted(rule(*one), rule(*other)) == []


@pytest.mark.parametrize(
    ("narrow", "wide", "words"),
    [
        (0.9, 0.8, ""),
        (0.8, 0.8, "only repeats a vote"),
        (0.7, 0.8, "only repeats a vote"),
        (0.9, None, "adds nothing"),
        (None, 0.8, "adds nothing"),
    ],
)
def test_a_narrower_rule_adds_something_only_by_a_higher_reliability(
    narrow: float | None, wide: float | None, words: str
) -> None:
    small, large = rule(has("refund now")), rule(has("refund"))
    fitted = {small.id: narrow, large.id: wide}
    found = lint_rules(
        RuleSet(task="intent", rules=(small, large)),
        lexicon=LEXICON,
        labels=(small.label,),
        reliability={each: value for each, value in fitted.items() if value is not None},
    )
    assert kinds(found) == ([("shadowed", small.id)] if words else [])
    assert all(words in each.message and large.id in each.message for each in found)


def test_of_several_wider_rules_one_no_less_reliable_shadows() -> None:
    small, large, largest = rule(has("a b c")), rule(has("a b")), rule(has("a"))
    (found,) = lint_rules(
        RuleSet(task="intent", rules=(small, large, largest)),
        lexicon=LEXICON,
        labels=(small.label,),
        reliability={small.id: 0.8, large.id: 0.7, largest.id: 0.9},
    )[:1]
    assert (found.rule, found.kind) == (small.id, "shadowed")
    assert f"rule {largest.id}, no less reliable" in found.message


def test_the_later_of_two_rules_that_say_the_same_is_a_duplicate() -> None:
    first = rule(has("refund now"))
    second = rule(has("refund now"), has("refund"))
    findings = linted(first, second)
    assert kinds(findings) == [("duplicate", second.id)]
    assert first.id in findings[0].message


def test_a_rule_that_never_fires_without_one_of_another_label_conflicts() -> None:
    narrow = rule(has("refund now"), label="refund")
    wide = rule(has("refund"), label="track")
    (finding,) = linted(narrow, wide)
    assert (finding.kind, finding.severity, finding.rule) == ("conflicting", "error", narrow.id)
    assert wide.id in finding.message
    assert '"track"' in finding.message


def test_two_labels_for_one_body_conflict_both() -> None:
    one, other = rule(has("refund"), label="refund"), rule(has("refund"), label="track")
    assert kinds(linted(one, other)) == [("conflicting", one.id), ("conflicting", other.id)]


def test_a_rule_that_never_fires_shadows_nothing() -> None:
    dead = rule(has("refund"), no(has("refund")))
    narrow = rule(has("refund"), no(has("refund")), has("x"))
    assert {kind for kind, _ in kinds(linted(dead, narrow))} == {"contradictory"}


def test_unknown_names_are_all_listed_with_the_nearest_known_one() -> None:
    made = rule(mentions("mony"), mentions("payed"), label="trak")
    findings = linted(made, labels=LABELS)
    assert [(each.kind, each.severity) for each in findings] == [
        ("unknown_concept", "error"),
        ("unknown_concept", "error"),
        ("unknown_label", "error"),
        *[("label_without_rule", "warning")] * 3,
    ]
    assert 'did you mean "money"?' in findings[0].message
    assert 'did you mean "track"?' in findings[2].message


def test_a_finding_knows_the_place_of_its_rule() -> None:
    blind = rule(no(has("refund")))
    place = Place(origin="intent.rules", line=7, column=1)
    rule_set = RuleSet(task="intent", rules=(blind,))
    (finding,) = lint_rules(rule_set, lexicon=LEXICON, labels=("track",), places={blind.id: place})
    assert finding.place == place


def test_an_example_of_an_unknown_label_is_found() -> None:
    place = Place(origin="intent.rules", line=3, column=1)
    example = RuleExample(texts={"last": ("hello",)}, label="trak", place=place)
    rule_set = RuleSet(task="intent", rules=(rule(has("a")),))
    (finding,) = lint_rules(rule_set, lexicon=LEXICON, labels=("track",), examples=(example,))
    assert (finding.kind, finding.place) == ("unknown_label", place)


PREDICATES = st.one_of(
    st.builds(has, st.sampled_from(["a", "a b", "b", "b a", "退", "退款", "x退款", "款a"])),
    st.builds(line, st.sampled_from(["a", "a b", "退款", "退款 a"])),
    st.builds(mentions, st.sampled_from(["k", "l", "m"]), st.integers(1, 3)),
    st.builds(images, st.integers(0, 3)),
)
LITERALS = st.builds(Literal, predicate=PREDICATES, negated=st.booleans())
BODIES = st.lists(LITERALS, min_size=1, max_size=4).map(tuple)
SMALL = Lexicon.of({"k": ["a", "退款"], "l": ["a", "b a", "退款", "b"], "m": ["a b", "x退款"]})
EVIDENCES = st.builds(
    lambda segments, count: Evidence(
        texts=Evidence.of({"last": segments}).texts, facts={"images": count}
    ),
    st.lists(st.text(alphabet="ab 退款x", max_size=8), max_size=3),
    st.integers(0, 3),
)


@given(strong=BODIES, weak=BODIES, evidence=EVIDENCES)
def test_what_a_body_implies_holds_wherever_it_does(
    strong: tuple[Literal, ...], weak: tuple[Literal, ...], evidence: Evidence
) -> None:
    implied = Implications((strong, weak), SMALL)
    a, b = rule(*strong), rule(*weak)
    if implied.contradiction(strong):
        assert not truth(a, evidence, SMALL)
    elif implied.body_implies(strong, weak) and truth(a, evidence, SMALL):
        assert truth(b, evidence, SMALL)


@given(bodies=st.lists(st.tuples(BODIES, st.sampled_from(LABELS)), max_size=12))
def test_the_index_finds_what_comparing_all_pairs_finds(
    bodies: list[tuple[tuple[Literal, ...], str]],
) -> None:
    by_id = {made.id: made for made in (rule(*body, label=label) for body, label in bodies)}
    rules = tuple(by_id.values())
    implied = Implications((each.body for each in rules), SMALL)
    possible = [each for each in rules if not implied.contradiction(each.body)]
    beaten = {
        one.id
        for one in possible
        for other in possible
        if one.label != other.label and implied.body_implies(one.body, other.body)
    }
    found = lint_rules(RuleSet(task="intent", rules=rules), lexicon=SMALL, labels=LABELS)
    assert {each.rule for each in found if each.kind == "conflicting"} == beaten


def lexicon_kinds(lexicon: Lexicon, *rules: Rule, **written: list[str]) -> list[str]:
    rule_sets = [RuleSet(task="intent", rules=rules)]
    return [
        f"{each.kind}: {each.message}" for each in lint_lexicon(lexicon, rule_sets, written=written)
    ]


def test_phrases_that_fold_to_the_same_are_named_as_written() -> None:
    lexicon = Lexicon.of({"money": ["refund"]})
    assert lexicon_kinds(lexicon, rule(mentions("money")), money=["Refund", "ｒefund"]) == [
        'repeated_phrase: concept "money": "Refund", "ｒefund" all fold to "refund"; keep one'
    ]


def test_a_phrase_that_another_of_its_concept_finds_is_redundant() -> None:
    lexicon = Lexicon.of({"money": ["refund", "a refund", "refunds"]})
    (found,) = lexicon_kinds(lexicon, rule(mentions("money")))
    assert found.startswith(
        'redundant_phrase: concept "money": already found are "a refund" by "refund"; remove'
    )


def test_an_included_phrase_is_not_its_to_remove() -> None:
    lexicon = Lexicon.of({"money": ["refund", "a refund"]})
    assert lexicon_kinds(lexicon, rule(mentions("money")), money=["refund"]) == []
    assert len(lexicon_kinds(lexicon, rule(mentions("money")), money=["a refund"])) == 1


def test_a_concept_that_is_counted_keeps_its_longer_phrases() -> None:
    lexicon = Lexicon.of({"money": ["refund", "a refund"]})
    assert lexicon_kinds(lexicon, rule(mentions("money", 2))) == []


def test_a_phrase_of_a_concept_that_is_counted_is_kept_where_it_comes_from_too() -> None:
    """Removed from the part it would be gone from the whole, and the count with it."""
    lexicon = Lexicon.of({"part": ["refund", "a refund"], "whole": ["refund", "a refund", "paid"]})
    rules = (rule(mentions("part")), rule(mentions("whole", 2)))
    assert lexicon_kinds(lexicon, *rules, whole=["paid"]) == []


def test_a_count_of_one_concept_keeps_no_phrases_of_another() -> None:
    lexicon = Lexicon.of({"money": ["refund", "a refund"], "paid": ["paid", "paid up"]})
    (found,) = lexicon_kinds(lexicon, rule(mentions("money")), rule(mentions("paid", 2)))
    assert found.startswith('redundant_phrase: concept "money"')


def test_a_concept_is_unused_unless_it_is_part_of_one_that_is_mentioned() -> None:
    lexicon = Lexicon.of({"part": ["refund"], "whole": ["refund", "paid"], "alone": ["lost"]})
    (found,) = lexicon_kinds(lexicon, rule(mentions("whole")))
    assert found.startswith('unused_concept: no rule mentions concept "alone"')
