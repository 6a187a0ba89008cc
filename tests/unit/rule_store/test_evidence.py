"""Evidence: folding, and unread against empty."""

import sys

import pytest

from rule_store import CHANNELS, FACTS, Evidence, UnknownChannel, UnknownFact, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Where is it?", "where is it?"),
        ("  two\n\t lines\r\n", "two lines"),
        ("ＡＢＣ　１２３", "abc 000"),
        ("Order 4711", "order 0000"),
        ("٤٢", "00"),
        ("½", "0⁄0"),
        ("STRASSE straße", "strasse strasse"),
        ("ﬁne", "fine"),
        ("支付成功，￥９９", "支付成功,¥00"),
        ("", ""),
        (" \n ", ""),
        ("\u0345", "ι"),
        ("👍🏽", "👍🏽"),
        ("\ud800", "\ud800"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_folding_any_single_character_twice_changes_nothing() -> None:
    for point in range(sys.maxunicode + 1):
        folded = fold(chr(point))
        assert fold(folded) == folded


def test_an_unread_channel_is_not_an_empty_one() -> None:
    evidence = Evidence.of({"last": [], "screen": None})
    assert evidence.read("last") == ""
    assert evidence.read("screen") is None
    assert evidence.read("reply") is None
    assert evidence != Evidence.of({"last": [], "screen": []})


def test_segments_are_folded_one_by_one_and_empty_ones_left_out() -> None:
    evidence = Evidence.of({"user": ["Hello\nthere", "  ", "Order 5"]})
    assert evidence.read("user") == "hello there\norder 0"


def test_an_unknown_channel_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownChannel, match='did you mean "screen"') as refusal:
        Evidence.of({"sreen": []})
    assert refusal.value.channel == "sreen"
    with pytest.raises(UnknownChannel):
        Evidence(texts={"image": ""})
    with pytest.raises(UnknownChannel):
        Evidence.of({}).read("image")


def test_one_string_in_place_of_segments_is_refused() -> None:
    with pytest.raises(TypeError, match="put the text into a list"):
        Evidence.of({"last": "where"})


def test_the_channels_are_those_of_the_glossary() -> None:
    assert CHANNELS == (
        "last",
        "user",
        "reply",
        "agent",
        "screen",
        "screen.top",
        "screen.bottom",
        "screen.lines",
    )


def test_the_facts_are_those_that_the_live_path_measures() -> None:
    assert FACTS == (
        "turns",
        "images",
        "screen.line_count",
        "screen.white_share",
        "screen.height_by_width",
        "screen.tallest_text",
    )


def test_no_name_is_both_a_channel_and_a_fact() -> None:
    assert not set(CHANNELS) & set(FACTS)


def test_a_fact_that_was_not_measured_is_not_zero() -> None:
    assert Evidence.of({"last": []}).facts == {}
    assert Evidence(texts={}) != Evidence(texts={}, facts={"images": 0})


def test_an_unknown_fact_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownFact, match='did you mean "images"'):
        Evidence(texts={}, facts={"image": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_fact_that_is_no_number_is_refused_with_the_cure(value: float) -> None:
    with pytest.raises(ValueError, match=r"turns is .*; leave out what cannot be measured"):
        Evidence(texts={}, facts={"turns": value})
