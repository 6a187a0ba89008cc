"""Ranking: which predicates a label may want, judged one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# What differs less is the same: it may come from the order of the arithmetic.
_DIGITS = 12


def best_first(
    counts: npt.NDArray[np.int64], totals: npt.NDArray[np.int64]
) -> npt.NDArray[np.intp]:
    """Order predicates by their best rank at any label, so that every label gets its own.

    Among equal ranks the higher score comes first, then the earlier predicate.

    Args:
        counts: `[S, L]`, examples of a label at which a predicate holds.
        totals: `[L]`, examples of a label.

    Returns:
        `[S]`, positions.
    """
    size = len(counts)
    support = counts.sum(axis=1)
    best_rank = np.full(size, size, dtype=np.int64)
    best_score = np.zeros(size, dtype=np.float64)
    ranks = np.empty(size, dtype=np.int64)
    for label, total in enumerate(totals.tolist()):
        scores = label_scores(counts[:, label], support, total)
        ranks[np.argsort(-scores, kind="stable")] = np.arange(size)
        wanted = scores > 0.0
        np.minimum(best_rank, ranks, out=best_rank, where=wanted)
        np.maximum(best_score, scores, out=best_score)
    return np.lexsort((-best_score, best_rank))


def label_scores(
    right: npt.NDArray[np.int64], support: npt.NDArray[np.int64], total: int
) -> Floats:
    """How well single predicates serve a label: careful precision x square root of recall.

    Args:
        right: `[S]`, examples of the label at which a predicate holds.
        support: `[S]`, all examples at which it holds; at least 1.
        total: all examples of the label.

    Returns:
        `[S]`, in [0, 1].

    Source: the lower bound of Wilson 1927, "Probable inference", with z = 1.
    """
    if not total:
        return np.zeros(len(right), dtype=np.float64)
    precision = right / support
    spread = np.sqrt((precision * (1.0 - precision) + 0.25 / support) / support)
    careful = (precision + 0.5 / support - spread) / (1.0 + 1.0 / support)
    scores: Floats = np.round(np.maximum(careful, 0.0) * np.sqrt(right / total), _DIGITS)
    return scores
