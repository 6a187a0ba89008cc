"""Laws of the `.rules` language: reader, printer and formatter."""

from collections import Counter
from collections.abc import Collection

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rule_store import (
    CHANNELS,
    FACTS,
    Has,
    Lexicon,
    Line,
    Literal,
    Mentions,
    Place,
    Reaches,
    Rule,
    RuleExample,
    RuleSet,
    RulesText,
    RulesTextRefused,
    fold,
    format_rules,
    print_rules,
    print_rules_text,
    read_rules,
    read_rules_text,
)
from rule_store.faults import Faults
from rule_store.grammar import KEYWORDS, tokens_of

UNTIMED = settings(deadline=None)
PLACE = Place(origin="o", line=1, column=1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NAMES = st.sampled_from(KEYWORDS) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
PHRASES = TEXTS.filter(fold)
NUMBERS = st.integers(-1000, 1000) | st.floats(-1e9, 1e9)
CHANNEL = st.sampled_from(CHANNELS)
FACT = st.sampled_from(FACTS)
PREDICATES = st.one_of(
    st.builds(Has, channel=CHANNEL, phrase=PHRASES),
    st.builds(Line, channel=CHANNEL, line=PHRASES),
    st.builds(Mentions, channel=CHANNEL, concept=NAMES, at_least=st.integers(1, 1000)),
    st.builds(Reaches, fact=FACT, value=NUMBERS),
)
BODIES = st.lists(
    st.builds(Literal, predicate=PREDICATES, negated=st.booleans()), min_size=1, max_size=4
).map(tuple)
RULES = st.builds(Rule, task=st.just("intent"), body=BODIES, label=NAMES, note=st.none() | TEXTS)
RULE_SETS = st.lists(RULES, max_size=5, unique_by=lambda rule: rule.id).map(
    lambda rules: RuleSet(task="intent", rules=tuple(rules))
)
SEGMENTS = st.lists(TEXTS, max_size=3).map(tuple)


def make_example(
    texts: dict[str, tuple[str, ...]], facts: dict[str, float], label: str | None
) -> RuleExample:
    texts = texts if texts or facts else {"last": ()}
    return RuleExample(texts=texts, facts=facts, label=label, place=PLACE)


EXAMPLES = st.builds(
    make_example,
    st.dictionaries(CHANNEL, SEGMENTS),
    st.dictionaries(FACT, NUMBERS, max_size=3),
    st.none() | NAMES,
)
RULES_TEXTS = st.builds(
    lambda rule_set, examples: RulesText(rule_set=rule_set, examples=tuple(examples), places={}),
    RULE_SETS,
    st.lists(EXAMPLES, max_size=4),
)


@UNTIMED
@given(rules_text=RULES_TEXTS)
def test_reading_what_was_printed_gives_the_same(rules_text: RulesText) -> None:
    printed = print_rules_text(rules_text)
    again = read_rules_text(printed, task="intent")
    assert again == rules_text
    assert print_rules_text(again) == printed


@UNTIMED
@given(rule_set=RULE_SETS)
def test_a_printed_rule_stands_on_its_line(rule_set: RuleSet) -> None:
    printed = print_rules(rule_set)
    assert read_rules(printed, task="intent") == rule_set
    places = read_rules_text(printed, task="intent", origin="o").places
    assert places == {
        rule.id: Place(origin="o", line=number, column=1)
        for number, rule in enumerate(rule_set.rules, 1)
    }


WORDS = st.sampled_from(
    [
        *KEYWORDS,
        *("last", "screen.top", "turns", "screen.line_count", "refund", "track", "3", "-0.5"),
        *('"a"', '"支付"', '"', "\\", "#", "\n", " ", ".", "-", ",", "->", "“", "”", "'", "ｌ"),
        *('"\\ud800"', '""', "\ufeff", '"\\q"', "# note\n", "when last has", '"a" then track'),
        *('example "a" -> track', "\r\n", 'when last has "a" then track'),
    ]
)
ANY_TEXTS = st.text(st.characters()) | st.lists(WORDS, max_size=25).map(" ".join)


def read_or_refuse(
    text: str, labels: Collection[str] | None = None
) -> RulesText | RulesTextRefused:
    """Read, or give the refusal; any other error fails the test."""
    lexicon = None if labels is None else Lexicon.of({"refund": ["x"]})
    try:
        return read_rules_text(text, task="intent", labels=labels, lexicon=lexicon, origin="o")
    except RulesTextRefused as refusal:
        return refusal


@UNTIMED
@given(text=ANY_TEXTS)
@example('when last has "a" then track when last has "A" then track')
def test_any_text_is_read_or_refused_with_each_fault_in_its_place(text: str) -> None:
    outcome = read_or_refuse(text, labels=["track"])
    if isinstance(outcome, RulesText):
        assert read_rules_text(print_rules_text(outcome), task="intent") == outcome
        return
    places = [error.place for error in outcome.errors if error.place is not None]
    assert len(places) == len(outcome.errors)
    order = [(place.line, place.column) for place in places]
    assert order == sorted(order)
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in order)
    assert all(str(error).isprintable() for error in outcome.errors)
    assert str(outcome).splitlines() == [str(error) for error in outcome.errors]


@UNTIMED
@given(
    rules_text=RULES_TEXTS,
    place=st.integers(0, 10_000),
    length=st.integers(0, 3),
    put=st.text(st.characters(), max_size=3),
)
def test_a_spoilt_text_is_read_or_refused_with_its_place(
    rules_text: RulesText, place: int, length: int, put: str
) -> None:
    text = print_rules_text(rules_text)
    start = place % (len(text) + 1)
    outcome = read_or_refuse(text[:start] + put + text[start + length :])
    assert isinstance(outcome, RulesText) or outcome.place is not None


SPACES = st.lists(
    st.sampled_from(
        [" ", "\n", "\n\n", "\t", "\r\n", "\ufeff", "# a\n", "#b \r\n", "\n# c\n", "#\n"]
    ),
    max_size=3,
).map("".join)


def comments(text: str) -> Counter[str]:
    tokens = tokens_of(text, "o", Faults())
    return Counter(token.rstrip() for token in tokens if token.type == "COMMENT")


@UNTIMED
@given(rules_text=RULES_TEXTS, spaces=st.lists(SPACES, min_size=1, max_size=40))
def test_a_formatted_text_says_the_same_with_the_same_comments(
    rules_text: RulesText, spaces: list[str]
) -> None:
    printed = print_rules_text(rules_text)
    words = list(tokens_of(printed, "o", Faults()))
    text = "".join(f" {spaces[i % len(spaces)]}{word}" for i, word in enumerate(words))
    text += f" {spaces[-1]}"
    formatted = format_rules(text)
    assert read_rules_text(formatted, task="intent") == rules_text
    assert comments(formatted) == comments(text)
    assert format_rules(formatted) == formatted
    assert not formatted or formatted.endswith("\n")
    assert "\n\n\n" not in formatted


@UNTIMED
@given(text=ANY_TEXTS)
def test_any_text_is_formatted_or_refused(text: str) -> None:
    try:
        formatted = format_rules(text)
    except RulesTextRefused:
        return
    assert format_rules(formatted) == formatted
    assert comments(formatted) == comments(text)
