"""The canonical lay-out of `.rules` texts."""

import pytest

from rule_store import RulesTextRefused, format_rules

UNTIDY = """\

# What the customer wants.


# Where is it?
when   last mentions parcel  # the word
  # and nothing of money
  and not user has "Refund"
then track_order   # behind
note "x"

example "where is it"->track_order   # sure

when last has "a" then b when last has "c" then d

# The end.
"""

TIDY = """\
# What the customer wants.

# Where is it?
# the word
# and nothing of money
# behind
when last mentions parcel and not user has "Refund" then track_order note "x"
example "where is it" -> track_order  # sure

when last has "a" then b
when last has "c" then d

# The end.
"""


def test_a_text_is_laid_out() -> None:
    assert format_rules(UNTIDY) == TIDY
    assert format_rules(TIDY) == TIDY


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_text_stays_empty(text: str) -> None:
    assert format_rules(text) == ""


def test_a_text_of_comments_stays() -> None:
    assert format_rules("# a\n\n\n#b  \r\n") == "# a\n\n#b\n"


def test_a_long_body_is_broken_before_each_literal_and_the_label() -> None:
    literals = [f'last has "phrase number {number} of this rule"' for number in (1, 2, 3)]
    text = f"when {' and '.join(literals)} then label note 'n'".replace("'", '"')
    assert format_rules(text) == (
        f'when {literals[0]}\n  and {literals[1]}\n  and {literals[2]}\n  then label\n  note "n"\n'
    )


def test_a_note_that_does_not_fit_stands_below() -> None:
    head, note = 'when last has "a" then b', f'note "{"n" * 90}"'
    assert format_rules(f"{head} {note}") == f"{head}\n  {note}\n"


def test_what_fits_the_width_stands_on_one_line() -> None:
    head = 'when last has "'
    fits = f'{head}{"x" * (100 - len(head) - len(" then y") - 1)}" then y'
    assert len(fits) == 100
    assert format_rules(fits) == f"{fits}\n"
    assert format_rules(fits + "z").count("\n") == 2


def test_a_long_example_is_broken_behind_its_commas() -> None:
    first, second = f'"{"a" * 60}"', f'screen "{"b" * 60}" "c"'
    assert format_rules(f"example {first},{second}->y") == (
        f"example {first},\n  {second}\n  -> y\n"
    )


def test_quoted_texts_are_left_as_the_author_wrote_them() -> None:
    text = 'when last has "Where\\u0020IS  it, # then?" then "plain"\n'
    assert format_rules(text) == text


def test_a_text_that_does_not_parse_is_refused_with_all_its_faults() -> None:
    with pytest.raises(RulesTextRefused) as refusal:
        format_rules('when last has then a\nwhen "b"\n', origin="o.rules")
    assert [str(error.place) for error in refusal.value.errors] == ["o.rules:1:15", "o.rules:2:6"]


def test_names_that_do_not_exist_are_no_matter_of_lay_out() -> None:
    assert format_rules('when lst has "a" then b') == 'when lst has "a" then b\n'
