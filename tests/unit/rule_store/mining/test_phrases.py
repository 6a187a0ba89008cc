import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store import Has, fold, occurs
from rule_store.mining.phrases import Phrases

TWO_TO_FOUR = Phrases(least_chars=2, most_chars=4, singles=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不退款", {"不退", "退款", "不退款"}),
        ("app下载", {"app", "app下", "下载"}),
        ("it is", {"it", "is", "it is"}),
        ("is it? is", {"is", "it", "is it"}),
        ("can't", {"can't"}),
        ("¥0", {"¥0"}),
        ("9:41", {"9:41", "41"}),
        ("退\n款", set()),
        ("退 款", set()),
        ("...", set()),
        ("🙂🙂", set()),
    ],
)
def test_texts_are_cut_at_the_boundaries_of_the_language(text: str, expected: set[str]) -> None:
    assert TWO_TO_FOUR.of(text) == expected


def test_single_characters_come_only_where_they_are_wanted() -> None:
    assert Phrases(least_chars=2, most_chars=2, singles=True).of("退款 a") == {
        "退",
        "款",
        "退款",
        "a",
    }


def test_overlong_words_are_left_out() -> None:
    assert TWO_TO_FOUR.of("a" * 201) == set()
    assert TWO_TO_FOUR.of("a" * 200) == {"a" * 200}


@given(
    text=st.lists(
        st.one_of(
            st.sampled_from(
                ["退款", "不", "can't", "0", "00", " ", "\n", "¥", ".", ":", "é", "カ"]
            ),
            st.characters(),
        )
    ).map(lambda parts: fold("".join(parts)))
)
def test_every_phrase_of_a_text_is_found_in_it_by_the_language(text: str) -> None:
    for phrase in Phrases(least_chars=2, most_chars=6, singles=True).of(text):
        assert Has(channel="last", phrase=phrase).phrase == phrase
        assert occurs(phrase, text)
