"""Phrases: the pieces of a folded text that a `Has` could look for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category

from rule_store.lexicon import PHRASE_CHARS
from rule_store.predicates import is_word_character

# A word with its marks and apostrophes, one character of a script without spaces, or one sign.
_TOKEN = re.compile("w[wm]*(?:'w[wm]*)*|hm*|[sj]")
# A price may begin or end with a sign; a joint only holds two tokens together, as in "00:00".
_SIGNS = frozenset("¥$€£%")
_JOINTS = frozenset(".:/-+")
_APOSTROPHES = frozenset("'’")

Token = tuple[int, int, str]
"""Where it starts and ends, and its kind."""


class Phrases:
    """Cuts texts into phrases, none of which cuts a word in two.

    least_chars, most_chars: of phrases that are not words alone.
    singles: single characters too.
    """

    __slots__ = ("_kinds", "_least", "_most", "_singles")

    def __init__(self, *, least_chars: int, most_chars: int, singles: bool) -> None:
        self._least = least_chars
        self._most = most_chars
        self._singles = singles
        self._kinds = _Kinds()

    def of(self, text: str) -> set[str]:
        """The different phrases of a folded text.

        Runs of Han, kana and the like give all their pieces of the permitted lengths; words,
        numbers and signs written on to them belong to these runs. Scripts with spaces give their
        words, of any length, and pairs of neighbouring words.

        >>> phrases = Phrases(least_chars=2, most_chars=3, singles=False)
        >>> sorted(phrases.of("退款到00元"))
        ['00', '00元', '到00', '款到', '退款', '退款到']
        >>> sorted(phrases.of("don't lose my order"))
        ["don't", "don't lose", 'lose', 'lose my', 'my', 'my order', 'order']
        """
        kinds = text.translate(self._kinds)
        tokens = [
            (found.start(), found.end(), kinds[found.start()]) for found in _TOKEN.finditer(kinds)
        ]
        return {
            text[start:end]
            for at in range(len(tokens))
            for start, end in (*self._words(tokens, kinds, at), *self._run(tokens, at))
        }

    def _words(self, tokens: list[Token], kinds: str, at: int) -> Iterator[tuple[int, int]]:
        start, end, kind = tokens[at]
        if kind not in "wh":
            return
        if self._singles or (kind == "w" and end - start > 1):
            yield from _bounded(start, end)
        if kind == "w" and at + 1 < len(tokens):
            follows, stop, its_kind = tokens[at + 1]
            if its_kind == "w" and kinds[end:follows] == " ":
                yield from _bounded(start, stop)

    def _run(self, tokens: list[Token], at: int) -> Iterator[tuple[int, int]]:
        """The pieces that begin with a token and consist of those written on to it."""
        start, _, kind = tokens[at]
        if kind == "j":
            return
        reached, says = start, False
        for token in range(at, len(tokens)):
            begins, end, kind = tokens[token]
            if begins != reached or end - start > self._most:
                return
            reached = end
            says = says or kind in "wh"
            if says and kind != "j" and end - start >= self._least:
                yield start, end


def _bounded(start: int, end: int) -> Iterator[tuple[int, int]]:
    if end - start <= PHRASE_CHARS:
        yield start, end


class _Kinds(dict[int, str]):
    """Code point → what kind of character it is, worked out at first sight."""

    def __missing__(self, point: int) -> str:
        kind = self[point] = _kind(chr(point))
        return kind


def _kind(character: str) -> str:
    if is_word_character(character):
        return "w"
    if character.isalnum():
        return "h"
    if character in _SIGNS:
        return "s"
    if character in _JOINTS:
        return "j"
    if character in _APOSTROPHES:
        return "'"
    if category(character).startswith("M"):
        return "m"
    return " " if character == " " else "-"
