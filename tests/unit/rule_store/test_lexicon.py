"""Lexicon: concepts and their phrases."""

from itertools import pairwise

import pytest

from rule_store import InvalidLexicon, Lexicon, UnknownConcept, lexicon_faults


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
        ("refund", ["x" + " " * 2000], "has 2001 characters before it is folded"),
        ("", ["ok"], "needs a name"),
        ("n" * 129, ["ok"], "needs a name"),
    ],
)
def test_a_concept_that_says_nothing_is_refused(name: str, phrases: list[str], fault: str) -> None:
    with pytest.raises(InvalidLexicon, match=fault):
        Lexicon.of({name: phrases})


def test_a_phrase_may_be_longer_before_it_is_folded_than_after() -> None:
    decomposed = "\u03b1\u0313\u0300\u0345"  # alpha and three marks: two letters when folded
    assert Lexicon.of({"x": [decomposed * 100]}).phrases("x") == ("\u1f02\u03b9" * 100,)


def test_a_phrase_that_takes_long_to_fold_is_refused_unfolded() -> None:
    """Two kinds of marks in turn are sorted in quadratic time: this would take hours."""
    marks = "\u0301\u0316" * 5_000_000
    with pytest.raises(InvalidLexicon, match="has 10000000 characters"):
        Lexicon.of({"refund": [marks]})


def test_a_concept_says_what_those_say_that_it_includes() -> None:
    lexicon = Lexicon.of(
        {"refund": ["Refund"], "money": ["money back", "REFUND"], "cancel": ["cancel"]},
        includes={"money": ["refund"], "leaving": ["money", "cancel", "money"]},
    )
    assert lexicon == Lexicon.of(
        {
            "refund": ["refund"],
            "money": ["money back", "refund"],
            "cancel": ["cancel"],
            "leaving": ["cancel", "money back", "refund"],
        }
    )


def test_includes_may_be_nested_deeper_than_python_calls() -> None:
    names = [f"c{i}" for i in range(3000)]
    includes = {name: [inner] for name, inner in pairwise(names)}
    assert Lexicon.of({names[-1]: ["x"]}, includes=includes).phrases("c0") == ("x",)


@pytest.mark.parametrize(
    ("includes", "fault"),
    [
        ({"a": ["a"]}, 'concept "a" includes itself: "a" → "a"; remove one'),
        (
            {"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]},
            'concept "b" includes itself: "b" → "c" → "d" → "b"; remove one',
        ),
        ({"a": ["refnd"]}, 'concept "a" includes "refnd", which .* did you mean "refund"'),
        ({"a": []}, 'concept "a" has no phrases'),
        ({"": ["refund"]}, "needs a name"),
    ],
)
def test_includes_that_lead_nowhere_are_refused(includes: dict[str, list[str]], fault: str) -> None:
    with pytest.raises(InvalidLexicon, match=fault):
        Lexicon.of({"refund": ["refund"]}, includes=includes)


def test_a_long_circle_is_cut_in_the_message() -> None:
    names = [f"concept {i}" for i in range(1000)]
    includes = {name: [inner] for name, inner in zip(names, [*names[1:], names[0]], strict=True)}
    with pytest.raises(InvalidLexicon, match=r'"concept 11" → "…"; remove one') as refusal:
        Lexicon.of({}, includes=includes)
    assert len(str(refusal.value)) < 500


def test_includes_may_not_multiply_without_end() -> None:
    concepts = {"all": [f"phrase {chr(0x4E00 + i)}" for i in range(10_000)]}
    includes = {f"copy {i}": ["all"] for i in range(11)}
    with pytest.raises(InvalidLexicon, match="more than 100000; include less"):
        Lexicon.of(concepts, includes=includes)


def test_all_faults_of_a_lexicon_are_gathered() -> None:
    """A circle or an unknown include hides no other fault, and each is told once."""
    concepts = {"none": [], "blank": ["", " "], "fine": ["x"]}
    includes = {"a": ["b", "lost"], "b": ["a"], "c": ["c", "fine"], "": ["fine"]}
    faults = lexicon_faults(concepts, includes=includes)
    assert sorted((each.concept, each.fault.split(";")[0]) for each in faults) == [
        ("", "needs a name of 1 to 128 characters"),
        ("a", 'includes "lost", which does not exist'),
        ("a", 'includes itself: "a" → "b" → "a"'),
        ("blank", "has a phrase that is empty"),
        ("blank", "has a phrase that is empty"),
        ("c", 'includes itself: "c" → "c"'),
        ("none", "has no phrases"),
    ]
    assert lexicon_faults({"fine": ["x"]}, includes={"a": ["fine"]}) == ()
