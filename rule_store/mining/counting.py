"""Counting: how many examples of each label hold a piece of text, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

# 64 MiB of counters. Large samples hold more different pieces than that, nearly all of them once:
# a rare piece that shares a counter with others is only looked at once more.
_COUNTERS = 1 << 24
_ROWS = 1024
_MARKS_SEED = 0

Pieces = Callable[[str], AbstractSet[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Pieces with their support, the shortest first, single characters last.

    In the shapes, `S` is the number of pieces and `L` that of labels.

    counts: `[S, L]`, examples of a label that hold the piece.
    marks: `[S]`; pieces that occur in the same examples have the same mark, others differ.
    """

    pieces: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint64]


def count_pieces(
    texts: Sequence[str],
    labels: npt.NDArray[np.int32],
    *,
    pieces: Pieces,
    least: int,
    most: int,
) -> Counted:
    """Count in how many texts each piece occurs, and keep the pieces with a support in bounds.

    Args:
        texts: N of them.
        labels: `[N]`, from 0 on.
        pieces: the pieces of a text.
        least: the support that a piece needs.
        most: the support that it may have.
    """
    common = _common(texts, pieces, least)
    places: dict[str, int] = {}
    width = int(labels.max(initial=-1)) + 1
    counts = np.zeros((_ROWS, width), dtype=np.int32)
    marks = np.zeros(_ROWS, dtype=np.uint64)
    # A sum of random numbers tells sets of examples apart, whatever order they are met in.
    draws = np.random.Generator(np.random.PCG64(_MARKS_SEED)).integers(
        np.iinfo(np.uint64).max, size=len(texts), dtype=np.uint64
    )
    for text, label, draw in zip(texts, labels.tolist(), draws, strict=True):
        found = list(pieces(text))
        kept = compress(found, common[_counters(found)])
        at = [places.setdefault(piece, len(places)) for piece in kept]
        while len(places) > len(counts):
            counts = np.concatenate((counts, np.zeros_like(counts)))
            marks = np.concatenate((marks, np.zeros_like(marks)))
        counts[at, label] += 1
        marks[at] += draw
    found_pieces = list(places)
    support = counts[: len(places)].sum(axis=1)
    order = sorted(
        np.flatnonzero((least <= support) & (support <= most)).tolist(),
        key=lambda place: simplest_first(found_pieces[place]),
    )
    return Counted(
        pieces=tuple(found_pieces[place] for place in order),
        counts=counts[order].astype(np.int64),
        marks=marks[order],
    )


def simplest_first(piece: str) -> tuple[bool, int, str]:
    """Sorts pieces: a single character says too little to stand for a longer piece.

    >>> sorted(["退款了", "退", "退款"], key=simplest_first)
    ['退款', '退款了', '退']
    """
    return len(piece) == 1, len(piece), piece


def _common(texts: Sequence[str], pieces: Pieces, least: int) -> npt.NDArray[np.bool_]:
    """Which counters were reached by enough texts; a piece of such support has one of these.

    Python's hashes differ from run to run; they only decide what is counted exactly afterwards.
    """
    reached = np.zeros(_COUNTERS, dtype=np.uint32)
    for text in texts:
        reached[_counters(pieces(text))] += 1
    return reached >= least


def _counters(found: AbstractSet[str] | list[str]) -> npt.NDArray[np.int64]:
    return np.fromiter(map(hash, found), dtype=np.int64, count=len(found)) & (_COUNTERS - 1)
