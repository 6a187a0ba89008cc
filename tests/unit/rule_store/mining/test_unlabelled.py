"""Where rules fire and agree, counted without any label."""

import numpy as np
import pytest

from rule_store import Evidence, Lexicon
from rule_store.mining.unlabelled import (
    RuleEstimate,
    UnlabelledEvidence,
    agreement,
    estimate,
    firings,
)
from tests.rules import has, rule

NOTHING = Lexicon(concepts={})
LABELS = ("track", "refund", "other")
RULES = (rule(has("where")), rule(has("parcel")), rule(has("money"), label="refund"))


def said(*texts: str) -> list[UnlabelledEvidence]:
    return [
        UnlabelledEvidence(example_id=f"u{place}", evidence=Evidence.of({"last": [text]}))
        for place, text in enumerate(texts)
    ]


def test_coverage_overlap_and_conflict_are_counted() -> None:
    """`where` fires at three: alone, with `parcel` and with `money`."""
    examples = said("where", "where parcel", "where money", "hello")
    told = estimate(
        RULES, firings(RULES, examples, lexicon=NOTHING), label_names=LABELS, assumed=0.8
    )
    assert (told.examples, told.covered, told.conflicting) == (4, 3, 1)
    counts = [(each.fired, each.overlaps, each.conflicts) for each in told.rules.values()]
    assert counts == [(3, 2, 1), (1, 1, 0), (1, 1, 1)]


def test_what_is_unread_fires_nothing() -> None:
    unread = UnlabelledEvidence(example_id="u", evidence=Evidence.of({"screen": ["where"]}))
    assert not firings(RULES, [unread], lexicon=NOTHING).any()


def test_no_rule_and_no_example_tell_nothing() -> None:
    told = estimate((), firings((), said("a"), lexicon=NOTHING), label_names=LABELS, assumed=0.8)
    assert (told.examples, told.covered, dict(told.rules)) == (1, 0, {})
    told = estimate(
        RULES[:1], firings(RULES[:1], [], lexicon=NOTHING), label_names=LABELS, assumed=0.8
    )
    assert dict(told.rules) == {
        RULES[0].id: RuleEstimate(fired=0, overlaps=0, conflicts=0, accuracy=0.8)
    }


def test_a_rule_that_fires_alone_keeps_what_was_assumed() -> None:
    alone = np.eye(3, dtype=np.bool_)
    assert agreement(alone, np.arange(3), labels=3, assumed=0.8).tolist() == [0.8, 0.8, 0.8]


def test_rules_that_agree_rise_and_the_one_against_them_falls() -> None:
    together = np.ones((3, 20), dtype=np.bool_)
    first, second, third = agreement(together, np.array([0, 0, 1]), labels=3, assumed=0.7)
    assert first == second > 0.8
    assert third < 0.3


def test_accuracies_of_rules_that_err_apart_are_found_without_a_label() -> None:
    """Rules right in .95, .9 and .6 of 4,000 firings each, judged by one another alone."""
    generator = np.random.Generator(np.random.PCG64(0))
    label = generator.integers(3, size=6000)
    fires, implied = [], []
    for known in (0.95, 0.9, 0.6):
        right = generator.random(6000) < known
        said = np.where(right, label, (label + generator.integers(1, 3, size=6000)) % 3)
        for each in range(3):
            fires.append(said == each)
            implied.append(each)
    found = agreement(np.array(fires), np.array(implied), labels=3, assumed=0.7)
    assert found.reshape(3, 3).mean(axis=1) == pytest.approx([0.95, 0.9, 0.6], abs=0.02)


def test_copies_of_a_rule_confirm_each_other_whatever_they_are_worth() -> None:
    """The limit that the docstring states: agreement stands for no labelled example."""
    copies = np.ones((4, 50), dtype=np.bool_)
    assert agreement(copies, np.zeros(4, dtype=np.int64), labels=3, assumed=0.7).min() > 0.9
