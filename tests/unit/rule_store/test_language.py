"""The `.rules` language: what it reads and what it prints."""

import pytest

from rule_store import (
    Evidence,
    Has,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Reaches,
    Rule,
    evaluate,
    print_rules,
    read_rules,
    read_rules_text,
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
    ("literal", "predicate", "negated"),
    [
        ('screen has line "Order  total"', Line(channel="screen", line="order total"), False),
        ('not last has line "Yes"', Line(channel="last", line="yes"), True),
        (
            "screen mentions at least 3 of parcel",
            Mentions(channel="screen", concept="parcel", at_least=3),
            False,
        ),
        (
            'not screen mentions at least 2 of "parcel"',
            Mentions(channel="screen", concept="parcel", at_least=2),
            True,
        ),
        ("screen.line_count at least 12", Reaches(fact="screen.line_count", value=12), False),
        ("screen.white_share below 0.5", Reaches(fact="screen.white_share", value=0.5), True),
        ("not turns at least +2", Reaches(fact="turns", value=2), True),
        ("images at least -1.5e-3", Reaches(fact="images", value=-0.0015), False),
    ],
)
def test_a_literal_is_read(
    literal: str, predicate: Has | Line | Mentions | Reaches, negated: bool
) -> None:
    (rule,) = read(f"when {literal} then track_order")
    assert rule.body == (Literal(predicate=predicate, negated=negated),)


@pytest.mark.parametrize(
    "literal",
    [
        'screen has line "order total"',
        'not screen mentions at least 2 of "of"',
        "screen mentions parcel",
        "turns below 3",
        "turns at least 1e-07",
        "screen.white_share at least -0.25",
    ],
)
def test_a_literal_is_printed_as_it_reads(literal: str) -> None:
    text = f"when {literal} then track_order\n"
    assert print_rules(read_rules(text, task="intent")) == text


@pytest.mark.parametrize(
    ("phrase", "said", "found"),
    [
        ("ＲＥＦＵＮＤ", "A Refund, please", True),
        ("refund", "two refunds", False),
        ("ｒｅｆｕｎｄ", "我要ｒｅｆｕｎｄ", True),
        ("退款", "我要退款了", True),
        ("１２元", "一共９９元。", True),
        ("退\u3000款", "退 款", True),
    ],
)
def test_texts_of_both_scripts_are_found_in_any_width(phrase: str, said: str, found: bool) -> None:
    rules = read_rules(f'when last has "{phrase}" then y', task="intent")
    evidence = Evidence.of({"last": [said]})
    assert bool(evaluate(rules, evidence, LEXICON).fired) is found


def test_below_is_the_negation_of_at_least() -> None:
    (below,) = read("when turns below 3 then track_order")
    (negated,) = read("when not turns at least 3 then track_order")
    assert below == negated


def test_rules_know_where_they_begin() -> None:
    rules_text = read_rules_text(TEXT, task="intent", origin="o")
    first, second, third = (rules_text.places[rule.id] for rule in rules_text.rule_set.rules)
    assert [str(each) for each in (first, second, third)] == ["o:2:1", "o:3:1", "o:6:1"]
