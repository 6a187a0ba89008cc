"""Lexicon: concepts and their phrases."""

import pytest

from rule_store import InvalidLexicon, Lexicon, UnknownConcept


def test_phrases_are_folded_and_each_kept_once() -> None:
    lexicon = Lexicon.of({"refund": ["REFUND", "money  back", "refund", "退款"]})
    assert lexicon.phrases("refund") == ("money back", "refund", "退款")


def test_lexicons_that_say_the_same_are_equal() -> None:
    one = Lexicon.of({"a": ["x", "y"], "b": ["z"]})
    assert one == Lexicon.of({"b": ["Z"], "a": ["y", "x", "X"]})


def test_an_unknown_concept_is_named_with_what_was_meant() -> None:
    with pytest.raises(UnknownConcept, match=r'"refnd".*did you mean "refund"') as refusal:
        Lexicon.of({"refund": ["refund"]}).phrases("refnd")
    assert refusal.value.concept == "refnd"
    with pytest.raises(UnknownConcept, match="there are none"):
        Lexicon.of({}).phrases("refund")


@pytest.mark.parametrize(
    ("name", "phrases", "fault"),
    [
        ("refund", [], "has no phrases"),
        ("refund", ["ok", " \n "], "is empty"),
        ("refund", ["x" * 201], "has 201 characters"),
        ("refund", ["\udfff"], "lone surrogate"),
        ("", ["ok"], "needs a name"),
        ("n" * 129, ["ok"], "needs a name"),
    ],
)
def test_a_concept_that_says_nothing_is_refused(name: str, phrases: list[str], fault: str) -> None:
    with pytest.raises(InvalidLexicon, match=fault):
        Lexicon.of({name: phrases})
