"""Logits → label probabilities over the candidate labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities of each row of `[B, C]` logits, stable for logits of any size.

    >>> log_softmax(np.array([[1000.0, 1000.0]])).round(3).tolist()
    [[-0.693, -0.693]]
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def softmax(logits: Floats) -> Floats:
    """Probabilities of each row of `[B, C]` logits; every row sums to 1.

    >>> softmax(np.log(np.array([[1.0, 3.0]]))).round(3).tolist()
    [[0.25, 0.75]]
    """
    probabilities: Floats = np.exp(log_softmax(logits))
    return probabilities
