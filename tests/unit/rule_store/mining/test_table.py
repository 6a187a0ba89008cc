import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store import CHANNELS, Evidence, Lexicon, Predicate
from rule_store.mining.body import code
from rule_store.mining.errors import UnreadEvidence
from rule_store.mining.table import LabelledEvidence, Table, mask_of, popcount
from rule_store.predicates import evaluate
from tests.rules import has, line, mentions, reaches

LEXICON = Lexicon.of({"refund": ["refund", "money back", "退款"], "art": ["art", "a state"]})
TESTED: tuple[Predicate, ...] = (
    has("art"),
    has("退"),
    has("退款"),
    has("00元"),
    has("refund", "user"),
    line("refund"),
    line("退款"),
    mentions("refund"),
    mentions("refund", at_least=2),
    mentions("art"),
    reaches("turns", 2),
)
TEXTS = ("", "a state of the art", "a party", "退款00元", "refund", "money back\nrefund 退款")


def example(name: str, last: str, label: str = "refund", *, turns: int = 1) -> LabelledEvidence:
    texts = {**dict.fromkeys(CHANNELS, ""), "last": last, "user": last}
    evidence = Evidence(texts=texts, facts={"turns": turns})
    return LabelledEvidence(example_id=name, evidence=evidence, label=label)


def table(*rows: str, labels: list[int] | None = None) -> Table:
    """One row an example, "1" where a predicate holds."""
    holds = np.array([[bit == "1" for bit in row] for row in rows])
    predicates = [has(f"word{place}") for place in range(holds.shape[1])]
    return Table.of_bits(
        holds, labels or [0] * len(rows), predicates=predicates, label_names=("a", "b")
    )


def masked(name_of_bits: str) -> np.ndarray:
    return mask_of(np.array([bit == "1" for bit in name_of_bits]))


@given(
    rows=st.lists(st.tuples(st.sampled_from(TEXTS), st.integers(0, 3)), max_size=70),
)
def test_every_bit_is_what_plain_evaluation_says(rows: list[tuple[str, int]]) -> None:
    examples = [example(str(n), text, turns=turns) for n, (text, turns) in enumerate(rows)]

    made = Table.of(examples, TESTED, label_names=["refund"], lexicon=LEXICON)

    for place, predicate in enumerate(TESTED):
        held = [evaluate(predicate, each.evidence, LEXICON) is True for each in examples]
        assert made.words[place].tolist() == mask_of(np.array(held, dtype=np.bool_)).tolist()


def test_large_samples_are_tested_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rule_store.mining.columns._BLOCK_CELLS", 64)
    examples = [example(str(n), "refund" if n % 3 == 0 else "") for n in range(200)]

    made = Table.of(examples, [has("refund")], label_names=["refund"], lexicon=LEXICON)

    assert made.counts(made.everything()).tolist() == [67]
    assert made.words.shape == (1, 4)


def test_labels_are_numbered_in_the_order_of_the_task() -> None:
    examples = [example("e1", "", "track"), example("e2", "", "refund")]

    made = Table.of(examples, [], label_names=["refund", "track"], lexicon=LEXICON)

    assert made.labels.tolist() == [1, 0]
    assert made.example_ids == ("e1", "e2")


def test_an_unread_channel_is_refused_and_not_taken_for_an_empty_one() -> None:
    unread = LabelledEvidence(example_id="e7", evidence=Evidence(texts={"last": ""}), label="a")

    with pytest.raises(UnreadEvidence, match='example "e7": channel screen is unread; leave'):
        Table.of([unread], [has("total", "screen")], label_names=["a"], lexicon=LEXICON)


def test_an_unread_fact_is_refused() -> None:
    unread = LabelledEvidence(example_id="e7", evidence=Evidence(texts={}), label="a")

    with pytest.raises(UnreadEvidence, match='example "e7": fact images is unread'):
        Table.of([unread], [reaches("images", 1)], label_names=["a"], lexicon=LEXICON)


def test_a_label_that_the_task_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match='"lost" is no label; leave e1 out'):
        Table.of([example("e1", "", "lost")], [], label_names=["track"], lexicon=LEXICON)


def test_the_empty_body_covers_everything() -> None:
    made = table("10", "01", "11")

    assert made.covered(frozenset()).tolist() == made.everything().tolist() == [0b111]


def test_a_body_covers_the_examples_at_which_all_its_literals_are_true() -> None:
    made = table("110", "111", "010", "000")

    assert made.covered(frozenset({code(0), code(1)})).tolist() == [0b0011]
    assert made.covered(frozenset({code(1), code(2, negated=True)})).tolist() == [0b0101]


def test_a_negated_literal_covers_no_bit_beyond_the_last_example() -> None:
    made = table("0", "0", "0")

    assert made.covered(frozenset({code(0, negated=True)})).tolist() == [0b111]


def test_predicates_are_counted_within_a_mask() -> None:
    made = table("110", "111", "010", "000", labels=[0, 0, 1, 1])

    assert made.counts(made.of_label(0)).tolist() == [2, 2, 1]
    assert made.counts(made.of_label(1)).tolist() == [0, 1, 0]
    assert popcount(made.of_label(1)) == 2


def test_counts_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = table(*(f"{n:07b}" for n in range(100)))
    whole = made.counts(made.everything()).tolist()

    monkeypatch.setattr("rule_store.mining.table._BLOCK_BYTES", 32)  # two rows of two words

    assert made.counts(made.everything()).tolist() == whole == [36, 36, 48, 48, 48, 50, 50]


def test_a_table_without_predicates_or_examples_counts_nothing() -> None:
    made = Table.of([], [], label_names=["a"], lexicon=LEXICON)

    assert made.counts(made.everything()).tolist() == []


@pytest.mark.parametrize("labels", [[0], [0, 2], [0, -1]])
def test_bits_that_do_not_fit_their_labels_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="give"):
        table("1", "0", labels=labels)
