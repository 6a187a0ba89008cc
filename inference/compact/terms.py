"""Text → counted terms: character n-grams where words are not spaced, words and pairs elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

TEXT_CHARS = 4000
WORD_CHARS = 24
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
WORD = re.compile(r"\w+")
NOT_TERM = re.compile(r"[\W_]+")


def fold_text(text: str) -> str:
    r"""Fold as channel texts are: NFKC, lower case, digits to 0, single spaces.

    >>> fold_text("Ｏrder  №12\n")
    'order no00'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = "".join("0" if char.isdigit() else char for char in folded)
    return " ".join(folded.split())


def terms(text: str, longest: int) -> Counter[str]:
    """The terms of a folded text and how often each occurs.

    A line with Han or kana characters gives its character n-grams; any other its words, word
    pairs, and the character 3- to 5-grams of each word. Terms never cross a newline.

    Args:
        text: folded; only the first 4,000 characters count.
        longest: length of the longest character n-gram of an unspaced line.

    >>> sorted(terms("退款吗", 2))
    ['吗', '款', '款吗', '退', '退款']
    >>> sorted(term for term in terms("my order", 2) if term[0] != "~")
    ['=my', '=my order', '=order']
    """
    counts: Counter[str] = Counter()
    for line in text[:TEXT_CHARS].split("\n"):
        if UNSPACED.search(line):
            _count_characters(counts, line, longest)
        else:
            _count_words(counts, line)
    return counts


def _count_characters(counts: Counter[str], line: str, longest: int) -> None:
    for run in NOT_TERM.split(line):
        for length in range(1, longest + 1):
            counts.update(run[at : at + length] for at in range(len(run) - length + 1))


def _count_words(counts: Counter[str], line: str) -> None:
    words = [word[:WORD_CHARS] for word in WORD.findall(line)]
    counts.update("=" + word for word in words)
    counts.update(f"={first} {second}" for first, second in pairwise(words))
    for word in words:
        marked = f"<{word}>"
        for length in (3, 4, 5):
            counts.update("~" + marked[at : at + length] for at in range(len(marked) - length + 1))
