"""How the `.rules` language refuses: each fault with its place and its cure, all at once."""

import re

import pytest

from rule_store import (
    DuplicateRule,
    InvalidRule,
    Lexicon,
    Place,
    Rule,
    RulesRefused,
    RulesTextRefused,
    RuleSyntaxError,
    UnknownChannel,
    UnknownConcept,
    UnknownFact,
    UnknownLabel,
    read_rules,
)

LEXICON = Lexicon.of({"parcel": ["parcel", "package"]})
LABELS = ("track_order", "实物拍摄(含售后)")


def read(text: str, *, checked: bool = True) -> tuple[Rule, ...]:
    labels, lexicon = (LABELS, LEXICON) if checked else (None, None)
    return read_rules(
        text, task="intent", labels=labels, lexicon=lexicon, origin="intent.rules"
    ).rules


def refusals(text: str, *, checked: bool = True) -> tuple[RulesRefused, ...]:
    with pytest.raises(RulesTextRefused) as refusal:
        read(text, checked=checked)
    return refusal.value.errors


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("when", 1, 1, "a channel .*but the text ends"),
        ('when last has "x"\nthen', 2, 1, 'expected a name or "text", but the text ends'),
        ('when last has "x then y', 1, 15, "never ends"),
        ("when last has 'x' then y", 1, 15, "texts and odd names stand in"),
        ("when last has x then y", 1, 15, 'expected "line" or a "text", but found "x"'),
        ('# c\n  last has "x" then y', 2, 3, 'expected "example" or "when", but found "last"'),
        ('when last haz "x" then y', 1, 11, '"below" or "has" or "mentions", but found "haz"'),
        ('when last has "x" then y z', 1, 26, 'expected "note" or the next rule, but found "z"'),
        ('when last has "x" then line', 1, 24, 'found "line"; a name that is a word'),
        ("when turns >= 3 then y", 1, 12, '"at least" and "below"'),
        ('when last has "a" or last has "b" then y', 1, 19, 'found "or"; write a rule for each'),
        ('when "last" has "x" then y', 1, 6, 'fact .turns, images, ….*, but found "last"'),
        ("when turns at 3 then y", 1, 15, 'expected "least", but found "3"'),
        ("when turns below then y", 1, 18, 'expected a number, but found "then"'),
        ("when last mentions at least 2 parcel then y", 1, 31, 'expected "of"'),
        ('example "x" then y', 1, 13, 'expected "," or "->", but found "then"'),
        ("example -> y", 1, 9, 'a "text" or a channel .* or fact .*, but found "->"'),
        ('when last has "x" and then y', 1, 23, 'but found "then"'),
        ('when last has "x" then when', 1, 24, 'but found "when"'),
        ('when last has "x" then y note z', 1, 31, 'expected a "text"'),
        (r'when last has "\q" then y', 1, 15, "unknown escape"),
        ("when last mentions a.b then y", 1, 20, 'expected "at least" or a name or "text"'),
    ],
)
def test_a_syntax_error_says_where_and_what_was_expected(
    text: str, line: int, column: int, message: str
) -> None:
    (error,) = refusals(text, checked=False)
    assert isinstance(error, RuleSyntaxError)
    assert re.search(message, error.message)
    assert (error.origin, error.line, error.column) == ("intent.rules", line, column)
    assert str(error) == f"intent.rules:{line}:{column}: {error.message}"


@pytest.mark.parametrize(
    ("broken_off", "column", "lacking"),
    [
        ('when last has "a" then', 23, 'a label after "then"'),
        ('when last has "a"', 18, '"and" or "then" after "a"'),
        ('when last has "a" then a note', 30, 'a "text" after "note"'),
        ('example "a" ->', 15, 'a label after "->"'),
    ],
)
@pytest.mark.parametrize("following", ["rule", "example"])
def test_what_lacks_at_the_end_of_a_statement_is_told_there_and_not_where_the_next_begins(
    broken_off: str, column: int, lacking: str, following: str
) -> None:
    begins = 'when last has "b" then other' if following == "rule" else 'example "b" -> other'
    (refusal,) = refusals(f"{broken_off}\n\n{begins}", checked=False)
    assert place(refusal) == (1, column)
    assert refusal.fault == f"expected {lacking}, but the next {following} begins"


def test_what_was_expected_is_told_apart_from_the_message() -> None:
    (error,) = refusals('when last has "x" the y')
    assert isinstance(error, RuleSyntaxError)
    assert error.expected == ('"and"', '"then"')


@pytest.mark.parametrize(
    ("text", "error", "place", "cure"),
    [
        ('when lst has "x" then track_order', UnknownChannel, "1:6", 'did you mean "last"'),
        ('when last has "x"\n then track_ordr', UnknownLabel, "2:7", 'mean "track_order"'),
        ("when last mentions parcl then track_order", UnknownConcept, "1:20", 'mean "parcel"'),
        ('when last has " " then track_order', InvalidRule, "1:15", "at least one character"),
        ('when last has "\\ud800" then track_order', InvalidRule, "1:15", "surrogate"),
        ('when turns has "x" then track_order', InvalidRule, "1:6", "write: turns at least 1"),
        ("when last below 3 then track_order", InvalidRule, "1:6", 'write: last has "…"'),
        ("when turn below 3 then track_order", UnknownFact, "1:6", 'did you mean "turns"'),
        ("when turns below 1e10 then track_order", InvalidRule, "1:18", "between ±1"),
        (f"when turns below {'1' * 33} then track_order", InvalidRule, "1:18", "at most 32"),
        (
            "when last mentions at least 1.5 of parcel then track_order",
            InvalidRule,
            "1:29",
            "a whole number, not 1.5",
        ),
        (
            "when last mentions at least 0 of parcel then track_order",
            InvalidRule,
            "1:34",
            "between 1 and 1000",
        ),
        ('example "x", lst "y" -> nothing', UnknownChannel, "1:14", 'did you mean "last"'),
        ('example "x" -> track_ordr', UnknownLabel, "1:16", 'mean "track_order"'),
        ('example "x", last "y" -> nothing', InvalidRule, "1:14", "last stands .* second time"),
        ('example "\\udfff" -> nothing', InvalidRule, "1:1", "surrogate"),
        (f'example "{"a" * 2001}" -> nothing', InvalidRule, "1:9", "at most 2000 characters"),
        (f'when last has "{"a" * 201}" then track_order', InvalidRule, "1:15", "shorten it to 200"),
        (
            f'when last has "{chr(0x301) * 2001}" then track_order',
            InvalidRule,
            "1:15",
            "at most 2000 characters",
        ),
        (
            'when last has "x" then track_order\nwhen last has "X" then track_order note ""',
            DuplicateRule,
            "2:24",
            "first in line 1",
        ),
    ],
)
def test_a_refusal_names_the_place_and_the_cure(
    text: str, error: type[RulesRefused], place: str, cure: str
) -> None:
    (refusal,) = refusals(text)
    assert type(refusal) is error
    assert re.search(cure, refusal.fault)
    assert str(refusal).startswith(f"intent.rules:{place}: ")


def test_an_empty_lexicon_knows_no_concept() -> None:
    with pytest.raises(RulesTextRefused, match="there are none"):
        read_rules("when last mentions a then b", task="intent", lexicon=Lexicon.of({}))


def test_a_body_of_too_many_literals_is_refused_with_its_place() -> None:
    body = " and ".join(['last has "x"'] * 33)
    (refusal,) = refusals(f"when {body} then track_order")
    assert re.match(r"intent\.rules:1:\d+: .*at most 32 literals", str(refusal))


def test_an_endless_text_is_refused_unparsed() -> None:
    (refusal,) = refusals("\n" * (8 * 1024 * 1024 + 1))
    assert "more than the 8388608 allowed" in refusal.fault


def test_all_that_is_wrong_is_told_at_once_in_its_order() -> None:
    text = """\
when lst has "x" and last mentions parcl then track_ordr
when last has “x” and turns atleast 3 then track_order
when last has "y" then track_order
last has "z"
when last has "y then track_order
example "y" -> ?
when last has "y" then track_order note "twice"
"""
    with pytest.raises(RulesTextRefused) as refusal:
        read(text)
    told = [(type(error), *place(error)) for error in refusal.value.errors]
    assert told == [
        (UnknownChannel, 1, 6),
        (UnknownConcept, 1, 36),
        (UnknownLabel, 1, 47),
        (RuleSyntaxError, 2, 15),
        (RuleSyntaxError, 2, 29),
        (RuleSyntaxError, 4, 1),
        (RuleSyntaxError, 5, 15),
        (RuleSyntaxError, 6, 16),
    ]
    assert refusal.value.place == Place(origin="intent.rules", line=1, column=6)
    assert str(refusal.value).splitlines() == [str(error) for error in refusal.value.errors]


def place(error: RulesRefused) -> tuple[int, int]:
    assert error.place is not None
    return error.place.line, error.place.column


def test_a_text_with_one_fault_is_refused_in_its_words() -> None:
    with pytest.raises(RulesTextRefused) as refusal:
        read('when last has "x" then')
    (error,) = refusal.value.errors
    assert str(refusal.value) == str(error)
    assert refusal.value.unnamed == 0


def test_of_many_faults_the_first_hundred_are_named_and_the_others_counted() -> None:
    with pytest.raises(RulesTextRefused, match="and 900 more; mend these first") as refusal:
        read("when then\n" * 1000)
    assert [place(error)[0] for error in refusal.value.errors] == [*range(1, 101)]
    assert refusal.value.unnamed == 900


@pytest.mark.parametrize(
    "text",
    ["when " * 20_000, '"' * 20_001, '"\n' * 20_000, "'" * 20_001, "“a " * 20_000, "a." * 20_000],
)
def test_a_hostile_text_is_refused_with_few_words(text: str) -> None:
    with pytest.raises(RulesTextRefused) as refusal:
        read(text)
    assert len(refusal.value.errors) <= 100
    assert len(str(refusal.value)) < 30_000


@pytest.mark.parametrize(
    ("text", "column", "cure"),
    [
        ("when last has “运费” then track_order", 15, 'plain quotes: "…"'),
        ("when last has ＂运费＂ then track_order", 15, 'plain quotes: "…"'),
        ("when last has 「运费」 then track_order", 15, 'plain quotes: "…"'),
        ("when last has “运费 then track_order", 15, 'plain quotes: "…"'),
        ('when ｌａｓｔ has "运费" then track_order', 6, "plain characters: last"),
        ('when last has："运费" then track_order', 14, "plain characters: :"),
        ('when last has "运费" then track_order note：“问”', 41, 'plain quotes: "…"'),
        ("when turns at least ３ then track_order", 21, "plain characters: 3"),
        ('example "运费"，screen "元" -> track_order', 13, "plain characters: ,"),
        ('example "运费" → track_order', 14, "plain characters: ->"),
        ('when last has "运费" then 查物流', 25, 'texts and odd names stand in "…"'),
    ],
)
def test_full_width_signs_are_refused_where_they_stand(text: str, column: int, cure: str) -> None:
    first, *_ = refusals(text)
    assert place(first) == (1, column)
    assert cure in first.fault


def test_a_text_in_the_wrong_quotes_is_one_fault_whatever_it_says() -> None:
    (refusal,) = refusals("when last has “when then #\\” then track_order")
    assert place(refusal) == (1, 15)
