"""Of rules that cannot both answer, the one worth more stays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rule_store import Lexicon, Rule
from rule_store.implication import Implications
from rule_store.lint import lint_rules
from rule_store.mining.consistent import CoveringRule, consistent
from rule_store.mining.firing_table import FiringTable
from rule_store.mining.table import LabelledEvidence, mask_of
from rule_store.rules import RuleSet
from tests.mining import said
from tests.rules import has, mentions, no, rule

LABELS = ("track", "refund", "other")
LEXICON = Lexicon(concepts={"refund": ("money back", "refund")})


def covering(each: Rule, *places: int) -> CoveringRule:
    flags = np.zeros(8, dtype=np.bool_)
    flags[list(places)] = True
    return CoveringRule(rule=each, covered=mask_of(flags))


def test_of_one_body_with_two_labels_the_first_stays() -> None:
    first, second = rule(has("where"), label="track"), rule(has("where"), label="refund")
    found = [covering(first, 0, 1), covering(second, 0, 1)]
    assert consistent(found, written=(), lexicon=LEXICON) == (first,)


def test_a_rule_that_another_label_fires_around_is_left_out_whichever_came_first() -> None:
    wide, narrow = rule(has("order"), label="track"), rule(has("my order"), label="refund")
    pair = [covering(wide, 0, 1, 2), covering(narrow, 2)]
    assert consistent(pair, written=(), lexicon=LEXICON) == (wide,)
    assert consistent(pair[::-1], written=(), lexicon=LEXICON) == (narrow,)


def test_covering_less_by_chance_is_no_conflict() -> None:
    """Only the texts at hand have it so: another text may say one word without the other."""
    wide, narrow = rule(has("order"), label="track"), rule(has("money"), label="refund")
    pair = [covering(wide, 0, 1, 2), covering(narrow, 2)]
    assert consistent(pair, written=(), lexicon=LEXICON) == (wide, narrow)


def test_a_refusal_of_what_the_other_asks_is_no_conflict() -> None:
    wide = rule(has("order"), no(has("my order")), label="track")
    narrow = rule(has("my order"), label="refund")
    pair = [covering(wide, 0, 1), covering(narrow, 2)]
    assert consistent(pair, written=(), lexicon=LEXICON) == (wide, narrow)


def test_written_rules_stay_and_what_conflicts_with_them_goes() -> None:
    written = rule(mentions("refund"), label="refund")
    inside, same = rule(has("money back"), label="track"), rule(has("refund"), label="refund")
    found = [covering(inside, 1), covering(same, 2)]
    kept = consistent(found, written=[covering(written, 1, 2)], lexicon=LEXICON)
    assert kept == (same,)


def test_what_never_fires_is_left_out() -> None:
    never = rule(has("my order"), no(has("order")), label="track")
    assert consistent([covering(never)], written=(), lexicon=LEXICON) == ()


def test_nothing_found_leaves_nothing() -> None:
    written = covering(rule(has("order"), label="track"), 0)
    assert consistent([], written=[written], lexicon=LEXICON) == ()


WORDS = ("order", "my order", "my order is", "is", "money", "money back", "refund", "the refund")


@given(
    bodies=st.lists(st.sets(st.sampled_from(WORDS), min_size=1, max_size=2), max_size=12),
    labels=st.lists(st.sampled_from(LABELS), min_size=12, max_size=12),
    written=st.integers(0, 4),
)
def test_every_pair_is_judged_as_if_all_had_been_compared(
    bodies: list[set[str]], labels: list[str], written: int
) -> None:
    """The texts hold one word or two of them each, so that coverage tells no more than bodies."""
    texts = [f"{one} {two}" for one in WORDS for two in WORDS]
    rules = [
        rule(*map(has, sorted(body)), label=label)
        for body, label in zip(bodies, labels, strict=False)
    ]
    table = FiringTable.of(list(dict.fromkeys(rules)), _said(texts), lexicon=LEXICON)
    every = [
        CoveringRule(rule=each, covered=mask_of(fires))
        for each, fires in zip(table.rules, table.fires, strict=True)
    ]
    implied = Implications([each.rule.body for each in every], LEXICON)
    kept: list[Rule] = []
    for place, each in enumerate(every):
        conflicts = any(
            implied.body_implies(one.body, two.body)
            for other in kept
            if other.label != each.rule.label
            for one, two in ((other, each.rule), (each.rule, other))
        )
        if place < written or not conflicts:
            kept.append(each.rule)
    found = consistent(every[written:], written=every[:written], lexicon=LEXICON)
    assert found == tuple(kept[len(every[:written]) :])


def _said(texts: list[str]) -> list[LabelledEvidence]:
    return [said(text, label="other", example_id=text) for text in texts]


def test_lint_finds_no_error_in_what_is_left() -> None:
    """The first label has each phrase; whatever else is said of it conflicts."""
    sizes = {"order": 4, "my order": 3, "my order is": 2, "is": 5}
    found = [
        covering(rule(has(phrase), label=label), *range(size))
        for phrase, size in sizes.items()
        for label in LABELS
    ]
    kept = consistent(found, written=(), lexicon=LEXICON)
    findings = lint_rules(RuleSet(task="intent", rules=kept), lexicon=LEXICON, labels=LABELS)
    assert [each.label for each in kept] == ["track"] * 4
    assert [each for each in findings if each.severity == "error"] == []
