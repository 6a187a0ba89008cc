"""Predicates: phrases at word boundaries, concepts, unread channels."""

import pytest

from rule_store import Evidence, Has, InvalidRule, Lexicon, Mentions, UnknownChannel, UnknownConcept
from rule_store.predicates import evaluate, is_word_character, occurs

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


def test_a_predicate_on_an_unread_channel_is_undecided() -> None:
    lexicon = Lexicon.of({"paid": ["支付成功", "paid"]})
    unread = Evidence.of({"last": ["paid"]})
    empty = Evidence.of({"screen": []})
    read = Evidence.of({"screen": ["12:30", "已支付成功"]})
    for predicate in (
        Has(channel="screen", phrase="支付成功"),
        Mentions(channel="screen", concept="paid"),
    ):
        assert evaluate(predicate, unread, lexicon) is None
        assert evaluate(predicate, empty, lexicon) is False
        assert evaluate(predicate, read, lexicon) is True


def test_a_concept_is_mentioned_by_any_of_its_phrases() -> None:
    lexicon = Lexicon.of({"refund": ["money back", "refund"]})
    mentions = Mentions(channel="last", concept="refund")
    assert evaluate(mentions, Evidence.of({"last": ["I want my money back"]}), lexicon) is True
    assert evaluate(mentions, Evidence.of({"last": ["refunded"]}), lexicon) is False


def test_a_concept_that_the_lexicon_lacks_is_an_error() -> None:
    with pytest.raises(UnknownConcept):
        evaluate(Mentions(channel="last", concept="refund"), Evidence.of({"last": []}), NO_CONCEPTS)


@pytest.mark.parametrize("phrase", ["", " \n", "x" * 201, "\ud800"])
def test_a_phrase_that_cannot_be_looked_for_is_refused(phrase: str) -> None:
    with pytest.raises(InvalidRule):
        Has(channel="last", phrase=phrase)


def test_a_predicate_needs_a_channel_and_a_concept_a_name() -> None:
    with pytest.raises(UnknownChannel):
        Has(channel="image", phrase="x")
    with pytest.raises(UnknownChannel):
        Mentions(channel="image", concept="x")
    with pytest.raises(InvalidRule):
        Mentions(channel="last", concept="")
