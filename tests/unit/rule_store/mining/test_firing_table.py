"""Which rules fire on which examples."""

import numpy as np
import pytest

from rule_store import Evidence, Lexicon
from rule_store.errors import DuplicateRule
from rule_store.mining.firing_table import FiringTable
from rule_store.mining.table import LabelledEvidence
from rule_store.reliability import TrainingCounts
from tests.rules import has, no, rule

NO_CONCEPTS = Lexicon(concepts={})
WHERE = rule(has("where"), label="track")
BACK = rule(has("back"), no(has("where")), label="refund")


def examples(*texts: tuple[str, str]) -> list[LabelledEvidence]:
    return [
        LabelledEvidence(
            example_id=f"d{number}", evidence=Evidence.of({"last": [text]}), label=label
        )
        for number, (text, label) in enumerate(texts)
    ]


SAID = examples(
    ("where is it", "track"),
    ("where do i send it back", "refund"),
    ("money back", "refund"),
    ("hello", "other"),
)


def test_rules_fire_as_the_live_engine_fires_them() -> None:
    table = FiringTable.of([WHERE, BACK], SAID, lexicon=NO_CONCEPTS)
    assert table.fires.tolist() == [[True, True, False, False], [False, False, True, False]]


def test_counts_are_of_the_chosen_examples_alone() -> None:
    table = FiringTable.of([WHERE, BACK], SAID, lexicon=NO_CONCEPTS)
    assert table.counts(np.array([True, True, True, True])) == (
        TrainingCounts(right=1, wrong=1, positives=1, examples=4),
        TrainingCounts(right=1, wrong=0, positives=2, examples=4),
    )
    assert table.counts(np.array([False, True, False, True])) == (
        TrainingCounts(right=0, wrong=1, positives=0, examples=2),
        TrainingCounts(right=0, wrong=0, positives=1, examples=2),
    )


def test_a_rule_whose_label_no_example_has_is_never_right() -> None:
    table = FiringTable.of([rule(has("where"), label="unheard")], SAID, lexicon=NO_CONCEPTS)
    (counts,) = table.counts(np.ones(4, dtype=np.bool_))
    assert counts == TrainingCounts(right=0, wrong=2, positives=0, examples=4)


def test_firings_of_chosen_rules_come_in_the_order_of_choice() -> None:
    table = FiringTable.of([WHERE, BACK, rule(has("back"))], SAID, lexicon=NO_CONCEPTS)
    last = table.rules[2].id
    assert table.fired([last, WHERE.id], [1, 3]) == {1: (last, WHERE.id), 3: ()}


def test_no_rules_never_fire() -> None:
    table = FiringTable.of([], SAID, lexicon=NO_CONCEPTS)
    assert table.counts(np.ones(4, dtype=np.bool_)) == ()
    assert table.fired([], [0]) == {0: ()}


def test_a_rule_given_twice_is_refused() -> None:
    with pytest.raises(DuplicateRule):
        FiringTable.of([WHERE, WHERE], SAID, lexicon=NO_CONCEPTS)
