"""Predicates: the closed set of tests that a rule can make on evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from rule_store.errors import InvalidRule, shown
from rule_store.evidence import Channel, Evidence, Fact, check_channel, check_fact, fold
from rule_store.lexicon import NAME_CHARS, Lexicon, is_name, phrase_fault, unfolded_fault

Truth = bool | None
"""Holds, does not hold, or None: undecided, because its channel is unread."""

COUNT_MAX = 1000
FACT_MAX = 1e9

# Scripts written without spaces: Han and its symbols, kana, Bopomofo; Hangul; their supplements.
_UNSPACED = (
    (0x1100, 0x11FF),
    (0x2E80, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """A phrase occurs in a channel; the phrase is folded when the predicate is made.

    Raises:
        UnknownChannel: no such channel.
        InvalidRule: the phrase is empty, overlong or no text.
    """

    channel: Channel
    phrase: str

    def __post_init__(self) -> None:
        check_channel(self.channel)
        object.__setattr__(self, "phrase", _folded_phrase(self.phrase))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A segment of a channel, a whole screen line or turn, is this; folded likewise.

    Raises:
        UnknownChannel: no such channel.
        InvalidRule: the line is empty, overlong or no text.
    """

    channel: Channel
    line: str

    def __post_init__(self) -> None:
        check_channel(self.channel)
        object.__setattr__(self, "line", _folded_phrase(self.line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Phrases of a concept occur in a channel.

    at_least: how many different ones must.

    Raises:
        UnknownChannel: no such channel.
        InvalidRule: the concept's name is empty, overlong or no text; a count out of its range.
    """

    channel: Channel
    concept: str
    at_least: int = 1

    def __post_init__(self) -> None:
        check_channel(self.channel)
        if not is_name(self.concept):
            raise InvalidRule(f"a concept needs a name of 1 to {NAME_CHARS} characters")
        if not 1 <= self.at_least <= COUNT_MAX:
            raise InvalidRule(f"a count is between 1 and {COUNT_MAX}; correct it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaches:
    """A fact is this number or more.

    Raises:
        UnknownFact: nobody measures that.
        InvalidRule: a number that is not finite or beyond ± `FACT_MAX`.
    """

    fact: Fact
    value: float

    def __post_init__(self) -> None:
        check_fact(self.fact)
        if not -FACT_MAX <= self.value <= FACT_MAX:
            raise InvalidRule(f"a number is between ±{FACT_MAX:,.0f}; correct it")
        # 5 and 5.0 are one number, and so are -0.0 and 0.0: equal predicates have one form.
        object.__setattr__(self, "value", float(self.value) + 0.0)


def _folded_phrase(text: str) -> str:
    if fault := unfolded_fault(text):
        raise InvalidRule(f"the phrase {shown(text)} {fault}")
    folded = fold(text)
    if fault := phrase_fault(folded):
        raise InvalidRule(f"the phrase {shown(folded)} {fault}")
    return folded


Predicate = Has | Line | Mentions | Reaches


@lru_cache(maxsize=4096)
def is_word_character(character: str) -> bool:
    """Whether a neighbouring character would belong to the same word.

    >>> [is_word_character(each) for each in "aй0 _付カ한"]
    [True, True, True, False, False, False, False, False]
    """
    point = ord(character)
    return character.isalnum() and not any(low <= point <= high for low, high in _UNSPACED)


def occurs(phrase: str, text: str) -> bool:
    """Whether a folded phrase occurs in a folded text, at word boundaries where it has words.

    An end of the phrase that is a letter or digit of a script with spaces must not have another
    such character as its neighbour; any other end (Han, kana, "$", a full stop) is free.

    >>> occurs("art", "a state of the art"), occurs("art", "party"), occurs("付00", "实付00元")
    (True, False, True)
    """
    start = text.find(phrase)
    while start >= 0:
        if _stands_alone(phrase, text, start):
            return True
        start = text.find(phrase, start + 1)
    return False


def _stands_alone(phrase: str, text: str, start: int) -> bool:
    end = start + len(phrase)
    if start and is_word_character(phrase[0]) and is_word_character(text[start - 1]):
        return False
    return not (end < len(text) and is_word_character(phrase[-1]) and is_word_character(text[end]))


def evaluate(predicate: Predicate, evidence: Evidence, lexicon: Lexicon) -> Truth:
    """Test one predicate.

    Raises:
        UnknownConcept: the lexicon has no such concept.
    """
    if isinstance(predicate, Reaches):
        value = evidence.facts.get(predicate.fact)
        return None if value is None else value >= predicate.value
    text = evidence.texts.get(predicate.channel)
    if text is None:
        return None
    match predicate:
        case Has(phrase=phrase):
            return occurs(phrase, text)
        case Line(line=line):
            return line in text.split("\n")
        case Mentions(concept=concept, at_least=count):
            found = found_phrases(lexicon.phrases(concept), text)
            return all(next(found, None) is not None for _ in range(count))
        case _:
            assert_never(predicate)


def found_phrases(phrases: tuple[str, ...], text: str) -> Iterator[str]:
    """The phrases of a concept that occur in a folded text, in their order."""
    # Nearly every phrase is absent: a bare `in` is a third of the price of a call.
    return (phrase for phrase in phrases if phrase in text and occurs(phrase, text))
