"""How much the presence of a term says about the label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMOOTHING = 0.5  # of an example: a term seen twice in one label is little evidence


def information(found: Floats, sizes: Floats) -> Floats:
    """Mutual information between a term's presence and the label, in nats.

    In the shapes, `T` is the number of terms and `C` that of labels.

    Args:
        found: `[T, C]` examples of each label that hold the term.
        sizes: `[C]` examples of each label.

    Returns:
        `[T]`, never negative; smoothed towards "says nothing" for rare terms.

    >>> halves = np.array([10.0, 10.0])
    >>> information(np.array([[10.0, 0.0], [5.0, 5.0]]), halves).round(2).tolist()
    [0.58, 0.0]
    """
    total = sizes.sum()
    if total == 0 or found.size == 0:
        return np.zeros(len(found))
    prior = sizes / total
    holding = found.sum(axis=1)
    share = (holding + SMOOTHING) / (total + 2 * SMOOTHING)
    with_term = (found + SMOOTHING * prior) / (holding + SMOOTHING)[:, None]
    without = (sizes - found + SMOOTHING * prior) / (total - holding + SMOOTHING)[:, None]
    left = share * _entropy(with_term) + (1 - share) * _entropy(without)
    gain: Floats = np.maximum(0.0, _entropy(prior[None, :]) - left)
    return gain


def _entropy(rows: Floats) -> Floats:
    """Entropy of each row of probabilities; 0·log 0 = 0."""
    logs = np.log(np.where(rows > 0, rows, 1.0))
    return np.asarray(-(rows * logs).sum(axis=1))
