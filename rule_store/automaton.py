"""Automaton: finds many phrases in one pass over a text."""

from __future__ import annotations

import re
from collections.abc import Collection

from ahocorasick_rs import AhoCorasick, Implementation

# Up to here a table of every transition stays in the processor's caches; above, it is slower.
_TABLE_PHRASES = 1000
# Building can hold the interpreter, 1 to 2 µs a phrase: so no part holds it for 100 ms. A text is
# scanned once for each part, which costs more than a larger part does.
_PART_PHRASES = 50_000
_SURROGATE = re.compile("[\ud800-\udfff]")


class Automaton:
    """Finds phrases in folded texts, one automaton for each part of them."""

    __slots__ = ("_parts",)

    def __init__(self, phrases: Collection[str]) -> None:
        self._parts = tuple(
            AhoCorasick(part, implementation=_implementation(len(part)), store_patterns=True)
            for part in _in_parts(list(phrases))
        )

    def found(self, text: str) -> set[str]:
        """The phrases that occur anywhere in a text, at word boundaries or not.

        >>> sorted(Automaton(["art", "part", "a p"]).found("a party"))
        ['a p', 'art', 'part']
        """
        try:
            return self._found(text)
        except UnicodeEncodeError:
            # No phrase holds a lone surrogate or a line break: neither can be part of a match.
            return self._found(_SURROGATE.sub("\n", text))

    def _found(self, text: str) -> set[str]:
        found: set[str] = set()
        for part in self._parts:
            found.update(part.find_matches_as_strings(text, overlapping=True))
        return found


def _in_parts(phrases: list[str]) -> list[list[str]]:
    size = _PART_PHRASES
    return [phrases[start : start + size] for start in range(0, len(phrases), size)]


def _implementation(phrases: int) -> Implementation:
    if phrases <= _TABLE_PHRASES:
        return Implementation.DFA
    return Implementation.ContiguousNFA
