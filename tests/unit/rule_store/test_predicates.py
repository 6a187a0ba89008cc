"""Predicates: phrases at word boundaries, concepts, unread channels."""

import pytest

from rule_store import (
    CHANNELS,
    FACTS,
    Evidence,
    Has,
    InvalidRule,
    Lexicon,
    Line,
    Mentions,
    Predicate,
    Reaches,
    UnknownChannel,
    UnknownConcept,
    UnknownFact,
)
from rule_store.predicates import COUNT_MAX, FACT_MAX, evaluate, is_word_character, occurs

NO_CONCEPTS = Lexicon.of({})


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("art", "art", True),
        ("art", "the art.", True),
        ("art", "party", False),
        ("art", "arts", False),
        ("art", "party art", True),  # the first place is none, the second is one
        ("art", "支art付", True),  # Han neighbours end no word
        ("art", "カartナ", True),
        ("art", "한art국", True),
        ("art", "éart", False),
        ("art", "art_", True),  # an underscore is no letter
        ("00", "000", False),
        ("00", "a00", False),
        ("00", "00元", True),
        ("00 days", "within 00 days", True),
        ("00 days", "within 000 days", False),
        ("$00", "us$00", True),  # "$" is free at its end
        ("$00", "$000", False),
        ("(cash)", "pay(cash)now", True),
        ("支付", "已支付成功", True),
        ("支付a", "已支付a成功", True),
        ("支付a", "已支付ab", False),
        ("заказ", "заказы", False),
        ("aa", "aaa aa", True),
        ("a b", "a\nb", False),  # never across segments
        ("😀", "so😀so", True),
    ],
)
def test_a_phrase_occurs(phrase: str, text: str, found: bool) -> None:
    assert occurs(phrase, text) is found


@pytest.mark.parametrize("character", "支々〇ぁんカーㄅ가㎏豈𠀀𲎯")
def test_scripts_without_spaces_end_no_word(character: str) -> None:
    assert not is_word_character(character)


@pytest.mark.parametrize("character", "aé0яαعहß")
def test_letters_and_digits_belong_to_a_word(character: str) -> None:
    assert is_word_character(character)


def test_has_folds_its_phrase() -> None:
    assert Has(channel="last", phrase=" Order\nＮｏ 12 ") == Has(
        channel="last", phrase="order no 00"
    )


def test_a_line_is_folded_too_and_so_is_always_one() -> None:
    assert Line(channel="screen", line=" Order\nＮｏ 12 ") == Line(
        channel="screen", line="order no 00"
    )


def test_equal_numbers_make_equal_predicates() -> None:
    assert Reaches(fact="turns", value=5) == Reaches(fact="turns", value=5.0)
    zeros = [str(Reaches(fact="turns", value=zero).value) for zero in (0, 0.0, -0.0)]
    assert zeros == ["0.0"] * 3


def test_a_predicate_on_an_unread_channel_is_undecided() -> None:
    lexicon = Lexicon.of({"paid": ["支付成功", "paid"]})
    unread = Evidence.of({"last": ["paid"]})
    empty = Evidence.of({"screen": []})
    read = Evidence.of({"screen": ["12:30", "已支付成功"]})
    for predicate in (
        Has(channel="screen", phrase="支付成功"),
        Mentions(channel="screen", concept="paid"),
        Line(channel="screen", line="已支付成功"),
    ):
        assert evaluate(predicate, unread, lexicon) is None
        assert evaluate(predicate, empty, lexicon) is False
        assert evaluate(predicate, read, lexicon) is True


def test_a_concept_is_mentioned_by_any_of_its_phrases() -> None:
    lexicon = Lexicon.of({"refund": ["money back", "refund"]})
    mentions = Mentions(channel="last", concept="refund")
    assert evaluate(mentions, Evidence.of({"last": ["I want my money back"]}), lexicon) is True
    assert evaluate(mentions, Evidence.of({"last": ["refunded"]}), lexicon) is False


@pytest.mark.parametrize(
    ("line", "screen", "found"),
    [
        ("my orders", ["My orders"], True),
        ("my orders", ["12:30", "MY  ORDERS", "Cart"], True),
        ("my orders", ["my orders (2)"], False),  # a phrase would be found here
        ("orders", ["my orders"], False),
        ("my orders", ["my", "orders"], False),  # never across lines
        ("my orders", [], False),
        ("12:30", ["09:41"], True),  # digits are folded
        ("我的订单", ["我的订单"], True),
        ("我的订单", ["我的订单物流"], False),
    ],
)
def test_a_line_is_a_whole_segment(line: str, screen: list[str], found: bool) -> None:
    evidence = Evidence.of({"screen": screen})
    assert evaluate(Line(channel="screen", line=line), evidence, NO_CONCEPTS) is found


def test_a_turn_is_a_line_of_the_user() -> None:
    evidence = Evidence.of({"user": ["Hello", "where is it"], "last": ["where is it"]})
    for line, in_user, in_last in (("hello", True, False), ("where is it", True, True)):
        assert evaluate(Line(channel="user", line=line), evidence, NO_CONCEPTS) is in_user
        assert evaluate(Line(channel="last", line=line), evidence, NO_CONCEPTS) is in_last


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("nothing of it", 0),
        ("refund, refund, REFUND", 1),  # one phrase, however often
        ("refund or money back", 2),
        ("a full refund", 2),  # one phrase inside another counts for both
        ("a full refund, money back", 3),
        ("refunds", 0),
    ],
)
def test_different_phrases_of_a_concept_are_counted(text: str, count: int) -> None:
    lexicon = Lexicon.of({"refund": ["money back", "Money  back", "refund", "full refund"]})
    evidence = Evidence.of({"last": [text]})
    for wanted in (1, 2, 3, 4):
        mentions = Mentions(channel="last", concept="refund", at_least=wanted)
        assert evaluate(mentions, evidence, lexicon) is (count >= wanted)


def test_phrases_are_counted_over_all_segments_of_a_channel() -> None:
    lexicon = Lexicon.of({"paid": ["支付成功", "实付"]})
    mentions = Mentions(channel="screen", concept="paid", at_least=2)
    assert evaluate(mentions, Evidence.of({"screen": ["支付成功", "实付99"]}), lexicon) is True
    assert evaluate(mentions, Evidence.of({"screen": ["实付99", "实付 1"]}), lexicon) is False
    assert evaluate(mentions, Evidence.of({"last": ["支付成功 实付"]}), lexicon) is None


@pytest.mark.parametrize(
    ("value", "truth"), [(-1, True), (2, True), (2.5, True), (2.5001, False), (3, False)]
)
def test_a_fact_reaches_what_it_is_or_exceeds(value: float, truth: bool) -> None:
    reaches = Reaches(fact="screen.line_count", value=value)
    evidence = Evidence(texts={}, facts={"screen.line_count": 2.5})
    assert evaluate(reaches, evidence, NO_CONCEPTS) is truth


def test_a_fact_that_was_not_measured_is_undecided_and_zero_is_not() -> None:
    """Whatever the texts say: a read screen without its facts leaves them unread."""
    read = Evidence.of({channel: ["12"] for channel in CHANNELS})
    for fact in FACTS:
        for value in (-FACT_MAX, 0.0, 1.0):
            reaches = Reaches(fact=fact, value=value)
            assert evaluate(reaches, read, NO_CONCEPTS) is None
            measured = Evidence(texts={}, facts={fact: 0.0})
            assert evaluate(reaches, measured, NO_CONCEPTS) is (value <= 0)


def test_a_concept_that_the_lexicon_lacks_is_an_error() -> None:
    with pytest.raises(UnknownConcept):
        evaluate(Mentions(channel="last", concept="refund"), Evidence.of({"last": []}), NO_CONCEPTS)


@pytest.mark.parametrize(
    "phrase",
    ["", " \n", "x" * 201, "\ud800", "\u0301\u0316" * 5_000_000],
    ids=["empty", "blank", "long", "surrogate", "hours of folding"],
)
def test_a_phrase_that_cannot_be_looked_for_is_refused(phrase: str) -> None:
    with pytest.raises(InvalidRule):
        Has(channel="last", phrase=phrase)
    with pytest.raises(InvalidRule):
        Line(channel="last", line=phrase)


def on_channel(channel: str) -> tuple[Predicate, ...]:
    return (
        Has(channel=channel, phrase="x"),
        Line(channel=channel, line="x"),
        Mentions(channel=channel, concept="x"),
    )


def test_a_predicate_needs_a_channel_or_a_fact_and_a_concept_a_name() -> None:
    assert len(on_channel("last")) == 3
    for unknown in ("image", "turns", "Last", ""):
        with pytest.raises(UnknownChannel):
            on_channel(unknown)
    for unknown in ("screen", "lines", "Turns", ""):
        with pytest.raises(UnknownFact):
            Reaches(fact=unknown, value=1)
    with pytest.raises(InvalidRule):
        Mentions(channel="last", concept="")


def test_an_unknown_fact_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownFact, match=r'did you mean "screen\.line_count"') as refusal:
        Reaches(fact="screen.lines_count", value=1)
    assert refusal.value.fact == "screen.lines_count"


@pytest.mark.parametrize(
    "count", [0, -1, COUNT_MAX + 1, 10**5000], ids=["none", "negative", "large", "huge"]
)
def test_a_count_out_of_its_range_is_refused_in_a_short_sentence(count: int) -> None:
    with pytest.raises(InvalidRule, match="a count is between 1 and 1000; correct it"):
        Mentions(channel="last", concept="x", at_least=count)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), 1.1e9, -1.1e9, 10**5000],
    ids=["nan", "inf", "-inf", "large", "small", "thousands of digits"],
)
def test_a_number_out_of_its_range_is_refused_in_a_short_sentence(value: float) -> None:
    with pytest.raises(InvalidRule, match="a number is between ±1,000,000,000; correct it"):
        Reaches(fact="turns", value=value)


def test_the_bounds_themselves_are_taken() -> None:
    assert Mentions(channel="last", concept="x", at_least=COUNT_MAX).at_least == 1000
    assert {Reaches(fact="turns", value=end).value for end in (-FACT_MAX, FACT_MAX)} == {1e9, -1e9}
