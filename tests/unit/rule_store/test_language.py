"""The `.rules` language: what it reads, what it prints, and how it refuses."""

import pytest

from rule_store import (
    DuplicateRule,
    Has,
    InvalidRule,
    Lexicon,
    Literal,
    Mentions,
    Rule,
    RulesRefused,
    RuleSyntaxError,
    UnknownChannel,
    UnknownConcept,
    UnknownLabel,
    print_rules,
    read_rules,
)

LEXICON = Lexicon.of({"parcel": ["parcel", "package"]})
LABELS = ("track_order", "实物拍摄(含售后)")

TEXT = """\
# Where is it?
when last has "Where is my order" then track_order
when last mentions parcel
 and not user has "refund"   # over two lines
then track_order note "asks for the parcel"
when screen.top has "支付成功" then "实物拍摄(含售后)"
"""


def read(text: str, *, checked: bool = True) -> tuple[Rule, ...]:
    labels, lexicon = (LABELS, LEXICON) if checked else (None, None)
    return read_rules(
        text, task="intent", labels=labels, lexicon=lexicon, origin="intent.rules"
    ).rules


def test_a_text_is_read() -> None:
    parcel = Literal(predicate=Mentions(channel="last", concept="parcel"))
    no_refund = Literal(predicate=Has(channel="user", phrase="refund"), negated=True)
    assert read(TEXT) == (
        Rule(
            task="intent",
            body=(Literal(predicate=Has(channel="last", phrase="where is my order")),),
            label="track_order",
        ),
        Rule(
            task="intent",
            body=(parcel, no_refund),
            label="track_order",
            note="asks for the parcel",
        ),
        Rule(
            task="intent",
            body=(Literal(predicate=Has(channel="screen.top", phrase="支付成功")),),
            label="实物拍摄(含售后)",
        ),
    )


def test_a_text_is_printed_one_rule_a_line() -> None:
    assert print_rules(read_rules(TEXT, task="intent")) == (
        'when last has "where is my order" then track_order\n'
        'when last mentions parcel and not user has "refund" then track_order '
        'note "asks for the parcel"\n'
        'when screen.top has "支付成功" then "实物拍摄(含售后)"\n'
    )


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "\ufeff", "# no line end"])
def test_a_text_may_hold_no_rules(text: str) -> None:
    assert read(text) == ()


def test_a_byte_order_mark_and_windows_line_ends_are_white_space() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    assert read(text) == read(TEXT)


@pytest.mark.parametrize("label", ["when", "note", "a.b", "9", "has space", 'q"q', "b\\s", "é"])
def test_odd_labels_are_quoted_and_read_back(label: str) -> None:
    quoted = '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text = f'when last has "x" then {quoted}\n'
    (rule,) = read(text, checked=False)
    assert rule.label == label
    assert print_rules(read_rules(text, task="intent")) == text


def test_words_that_begin_like_keywords_are_names() -> None:
    (rule,) = read("when last mentions notebook then whenever", checked=False)
    assert rule.label == "whenever"
    assert rule.body[0].predicate == Mentions(channel="last", concept="notebook")


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("when", 1, 1, "a channel .*but the text ends"),
        ('when last has "x"\nthen', 2, 1, 'expected a name or "text", but the text ends'),
        ('when last has "x then y', 1, 15, "never ends"),
        ("when last has 'x' then y", 1, 15, "texts and odd names stand in"),
        ("when last has x then y", 1, 15, 'expected a "text", but found "x"'),
        ('# c\n  last has "x" then y', 2, 3, 'expected "when" or the end, but found "last"'),
        ('when last haz "x" then y', 1, 11, 'expected "has" or "mentions", but found "haz"'),
        ('when last has "x" and then y', 1, 23, 'but found "then"'),
        ('when last has "x" then when', 1, 24, 'but found "when"'),
        ('when last has "x" then y note z', 1, 31, 'expected a "text"'),
        (r'when last has "\q" then y', 1, 15, "unknown escape"),
        ("when last mentions a.b then y", 1, 20, 'expected a name or "text"'),
    ],
)
def test_a_syntax_error_says_where_and_what_was_expected(
    text: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(RuleSyntaxError, match=message) as refusal:
        read(text)
    error = refusal.value
    assert (error.origin, error.line, error.column) == ("intent.rules", line, column)
    assert str(error) == f"intent.rules:{line}:{column}: {error.message}"


def test_what_was_expected_is_told_apart_from_the_message() -> None:
    with pytest.raises(RuleSyntaxError) as refusal:
        read('when last haz "x" then y')
    assert refusal.value.expected == ('"has"', '"mentions"')


@pytest.mark.parametrize(
    ("text", "error", "place", "cure"),
    [
        ('when lst has "x" then track_order', UnknownChannel, "1:6", 'did you mean "last"'),
        ('when last has "x"\n then track_ordr', UnknownLabel, "2:7", 'mean "track_order"'),
        ("when last mentions parcl then track_order", UnknownConcept, "1:20", 'mean "parcel"'),
        ('when last has " " then track_order', InvalidRule, "1:15", "at least one character"),
        ('when last has "\\ud800" then track_order', InvalidRule, "1:15", "surrogate"),
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
    with pytest.raises(error, match=cure) as refusal:
        read(text)
    assert str(refusal.value).startswith(f"intent.rules:{place}: ")


def test_an_empty_lexicon_knows_no_concept() -> None:
    with pytest.raises(UnknownConcept, match="there are none"):
        read_rules("when last mentions a then b", task="intent", lexicon=Lexicon.of({}))


def test_a_body_of_too_many_literals_is_refused_with_its_place() -> None:
    body = " and ".join(['last has "x"'] * 33)
    with pytest.raises(InvalidRule, match=r"intent\.rules:1:\d+: .*at most 32 literals"):
        read(f"when {body} then track_order")


def test_an_endless_text_is_refused_unparsed() -> None:
    with pytest.raises(RuleSyntaxError, match="more than the 8388608 allowed"):
        read("\n" * (8 * 1024 * 1024 + 1))
