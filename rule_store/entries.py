"""Entries: rules as they are checked, once something has led to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from rule_store.evidence import Channel, Fact
from rule_store.predicates import (
    Has,
    Line,
    Mentions,
    Predicate,
    Reaches,
    is_word_character,
    occurs,
)
from rule_store.rules import Rule

Anchor = Has | Line | Mentions
# Beside these, or at an end of the text, a word is at its boundary: most places need no more.
_EDGES = frozenset({"", *" \n.,:;!?'\"()-/"})


class Ends(Enum):
    """What must still be true of a phrase that was found anywhere in a text."""

    FREE = auto()
    WORDS = auto()
    """It stands at word boundaries."""
    LINE = auto()
    """It is a whole segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A concept's phrases: those that may stand anywhere, and those that need word boundaries."""

    free: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Concept:
        words = frozenset(phrase for phrase in phrases if ends(phrase) is Ends.WORDS)
        return cls(free=frozenset(phrases) - words, words=words)

    @property
    def phrases(self) -> frozenset[str]:
        return self.free | self.words

    def occurs(self, found: set[str], text: str, count: int) -> bool:
        """Whether so many of the phrases occur, of those found anywhere in the text."""
        if count == 1 and not self.free.isdisjoint(found):
            return True
        many = len(self.free & found) if count > 1 else 0
        standing = (phrase for phrase in self.words & found if stands(phrase, text))
        return all(next(standing, None) is not None for _ in range(count - many))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A rule as it is checked: what its anchor has not shown yet, the cheapest test first.

    position: in the rule set.
    has: of phrases: channel, phrase, whether its ends are words, negated.
    mentions: of concepts: channel, concept, how many phrases at least, negated.
    others: every other predicate, negated.
    anchor: what must be found before the rule is checked at all; None when nothing need be.
    reads: channels and facts that the rule names.
    """

    position: int
    has: tuple[tuple[Channel, str, bool, bool], ...]
    mentions: tuple[tuple[Channel, Concept, int, bool], ...]
    others: tuple[tuple[Line | Reaches, bool], ...]
    anchor: Anchor | None
    reads: frozenset[Channel | Fact]


def stands(phrase: str, text: str) -> bool:
    """As `occurs`, quicker where the first place settles it.

    >>> stands("art", "a state of the art"), stands("art", "a party"), stands("art", "cart, art")
    (True, False, True)
    """
    start = text.find(phrase)
    if start < 0:
        return False
    end = start + len(phrase)
    if text[end : end + 1] in _EDGES and text[max(0, start - 1) : start] in _EDGES:
        return True
    return occurs(phrase, text)


def ends(phrase: str) -> Ends:
    """What a phrase's place in a text must be looked at for."""
    words = is_word_character(phrase[0]) or is_word_character(phrase[-1])
    return Ends.WORDS if words else Ends.FREE


def entry_of(
    position: int, rule: Rule, anchor: Anchor | None, concepts: Mapping[str, Concept]
) -> Entry:
    has: list[tuple[Channel, str, bool, bool]] = []
    mentions: list[tuple[Channel, Concept, int, bool]] = []
    others: list[tuple[Line | Reaches, bool]] = []
    for literal in rule.body:
        predicate, negated = literal.predicate, literal.negated
        shown = predicate == anchor and not negated
        match predicate:
            case Has(channel=channel, phrase=phrase) if not shown:
                has.append((channel, phrase, ends(phrase) is Ends.WORDS, negated))
            case Mentions(channel=channel, concept=concept, at_least=count):
                if not shown or count > 1:
                    mentions.append((channel, concepts[concept], count, negated))
            case (Line() | Reaches()) as other if not shown:
                others.append((other, negated))
    return Entry(
        position=position,
        has=tuple(sorted(has, key=lambda each: -len(each[1]))),  # the long ones are rarer
        mentions=tuple(mentions),
        others=tuple(others),
        anchor=anchor,
        reads=frozenset(_read_by(literal.predicate) for literal in rule.body),
    )


def _read_by(predicate: Predicate) -> Channel | Fact:
    return predicate.fact if isinstance(predicate, Reaches) else predicate.channel
