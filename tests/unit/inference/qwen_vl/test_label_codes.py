"""Labels are answered with single tokens that the tokenizer already has."""

import pytest

from inference.errors import TrainingRefused
from inference.qwen_vl.label_codes import label_codes


def by_character(text: str) -> list[int]:
    return [ord(character) for character in text]


def with_words(*words: str) -> dict[str, int]:
    return {word: 1_000 + at for at, word in enumerate(words)}


def test_the_first_labels_are_answered_with_capitals() -> None:
    codes = label_codes(25, by_character)
    assert codes.codes == tuple("ABCDEFGHIJKLMNOPQRSTUVWXY")
    assert codes.token_ids == tuple(map(ord, codes.codes))


def test_many_labels_go_on_with_words_that_are_one_token() -> None:
    words = with_words("AC", "ID")

    def token_ids(text: str) -> list[int]:
        return [words[text.strip()]] if text in words else _line(text, words)

    codes = label_codes(64, token_ids)
    assert codes.codes[60:] == ("y", "z", "AC", "ID")
    assert codes.token_ids[62:] == (1_000, 1_001)


def _line(text: str, words: dict[str, int]) -> list[int]:
    """The line's end, then the word where there is one."""
    if text.startswith("\n") and text[1:] in words:
        return [ord("\n"), words[text[1:]]]
    return by_character(text)


def test_a_code_that_is_another_token_at_the_start_of_a_line_is_passed_over() -> None:
    def token_ids(text: str) -> list[int]:
        return [7] if text == "\nA" else by_character(text)

    assert label_codes(2, token_ids).codes == ("B", "C")


def test_two_codes_are_never_the_same_token() -> None:
    def token_ids(text: str) -> list[int]:
        return by_character(text.replace("B", "A"))

    assert label_codes(2, token_ids).codes == ("A", "C")


def test_too_many_labels_are_refused_with_both_numbers() -> None:
    with pytest.raises(TrainingRefused, match=r"for 62 label codes and the task has 151 labels"):
        label_codes(151, by_character)
