"""Examples of `.rules` texts: what they say, and how they are printed."""

from dataclasses import replace

import pytest

from rule_store import (
    Evidence,
    InvalidRule,
    Lexicon,
    Place,
    RuleExample,
    RulesText,
    print_rules_text,
    read_rules_text,
    reading_order,
)

LEXICON = Lexicon.of({"parcel": ["parcel", "package"]})
LABELS = ("track_order", "实物拍摄(含售后)")


def example(text: str) -> RuleExample:
    rules_text = read_rules_text(text, task="intent", labels=LABELS, lexicon=LEXICON, origin="o")
    assert rules_text.rule_set.rules == ()
    (found,) = rules_text.examples
    return found


def test_an_example_says_what_the_customer_wrote() -> None:
    found = example('\nexample "Where is  it?" -> track_order')
    assert found.label == "track_order"
    assert found.place == Place(origin="o", line=2, column=1)
    assert found.texts["last"] == ("Where is  it?",)
    assert found.evidence() == Evidence(
        texts={"last": "where is it?", "user": "where is it?", "reply": "", "agent": ""},
        facts={"turns": 1.0},
    )


def test_an_example_names_channels_and_facts() -> None:
    found = example(
        'example "right?", user "Hi" "right?", screen "Order" "Paid", screen.top "Order", images 1'
        " -> nothing"
    )
    assert found.label is None
    assert found.evidence() == Evidence(
        texts={
            "last": "right?",
            "user": "hi\nright?",
            "reply": "",
            "agent": "",
            "screen": "order\npaid",
            "screen.lines": "order\npaid",
            "screen.top": "order",
            "screen.bottom": "",
        },
        facts={"turns": 2.0, "images": 1.0, "screen.line_count": 2.0},
    )


def test_what_an_example_does_not_name_is_unread() -> None:
    assert set(example('example screen.top "Paid" -> nothing').evidence().texts) == {
        *("screen.top", "reply", "agent")
    }


def test_of_a_screen_that_an_example_names_nothing_but_its_pixels_is_unread() -> None:
    """Otherwise `not screen.top has …` would fail every example that names no top."""
    found = example('example screen "Order" "Paid" -> nothing').evidence()
    parts = {each: text for each, text in found.texts.items() if each.startswith("screen")}
    assert parts == {
        "screen": "order\npaid",
        "screen.lines": "order\npaid",
        "screen.top": "",
        "screen.bottom": "",
    }
    assert found.facts == {"screen.line_count": 2.0}


def test_an_example_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidRule, match="an example needs a text"):
        RuleExample(texts={}, label=None, place=Place(origin="o", line=1, column=1))


@pytest.mark.parametrize(
    "line",
    [
        'example "where?" -> track_order',
        'example "where?" -> "nothing"',
        'example "where?" -> nothing',
        "example last -> nothing",
        'example last "a" "b", reply "c" -> "实物拍摄(含售后)"',
        'example screen "a", screen.lines, turns 3, screen.white_share 0.5 -> nothing',
        "example reply -> nothing",
    ],
)
def test_an_example_is_printed_as_it_reads(line: str) -> None:
    rules_text = read_rules_text(line, task="intent")
    assert print_rules_text(rules_text) == f"{line}\n"


def test_examples_are_printed_below_the_rules() -> None:
    text = 'when last has "a" then b\nexample "a" -> b\nwhen last has "c" then d\n'
    read_text = read_rules_text(text, task="intent")
    printed = print_rules_text(read_text)
    assert printed == 'when last has "a" then b\nwhen last has "c" then d\nexample "a" -> b\n'
    assert isinstance(read_text, RulesText)
    assert read_rules_text(printed, task="intent") == read_text


def test_the_order_for_reading_keeps_the_author_s_order_otherwise_and_the_id() -> None:
    text = 'when not last has "b" and last has "c" and turns below 3 and last has "a" then buy'
    (rule,) = read_rules_text(text, task="intent").rule_set.rules
    said = replace(rule, body=reading_order(rule.body))
    assert said.id == rule.id
    negated, *others = rule.body
    assert said.body == (*others, negated)
