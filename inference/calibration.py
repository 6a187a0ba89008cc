"""Makes confidence true: one temperature, fitted on held-out logits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.scoring import Floats, log_softmax, softmax

LOWEST_TEMPERATURE = 0.05
HIGHEST_TEMPERATURE = 20.0
GOLDEN = (5**0.5 - 1) / 2
STEPS = 60  # each shrinks the bracket by 0.618; 60 reach 1e-12 of it


def calibrate(logits: Floats, temperature: float) -> Floats:
    """Turn logits into calibrated probabilities.

    In the shapes, `B` is the batch and `C` the number of labels.

    Args:
        logits: `[B, C]` raw model outputs.
        temperature: above 1 softens, below 1 sharpens; fitted on held-out examples.

    Returns:
        `[B, C]` probabilities; every row sums to 1.

    Raises:
        ValueError: `temperature` is not positive.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9.

    >>> calibrate(np.log(np.array([[1.0, 9.0]])), 2.0).round(3).tolist()
    [[0.25, 0.75]]
    """
    if not temperature > 0:
        msg = f"temperature must be positive, not {temperature}"
        raise ValueError(msg)
    return softmax(logits / temperature)


def log_loss(logits: Floats, labels: NDArray[np.int64], temperature: float = 1.0) -> float:
    """Mean negative log-probability of the right labels.

    >>> round(log_loss(np.zeros((3, 4)), np.array([0, 1, 2])), 3)
    1.386
    """
    rows = np.arange(len(labels))
    return float(-log_softmax(logits / temperature)[rows, labels].mean())


def fit_temperature(logits: Floats, labels: NDArray[np.int64]) -> float:
    """The temperature with the least log-loss, found by golden-section search on its logarithm.

    Args:
        logits: `[N, C]` of examples that the model did not learn from; N = 0 gives 1.
        labels: `[N]` index of the right label.

    Returns:
        A temperature between 0.05 and 20.
    """
    if len(labels) == 0:
        return 1.0
    low, high = float(np.log(LOWEST_TEMPERATURE)), float(np.log(HIGHEST_TEMPERATURE))
    for _ in range(STEPS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if log_loss(logits, labels, float(np.exp(left))) <= log_loss(
            logits, labels, float(np.exp(right))
        ):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def ece(probabilities: Floats, labels: NDArray[np.int64], *, bins: int = 15) -> float:
    """Expected calibration error: mean |accuracy − confidence| over equally wide bins.

    Source: Guo et al. 2017, eq. 3.

    >>> ece(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
    0.0
    >>> ece(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 1, 1]))
    0.25
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = [
        abs(float(right[chosen].mean() - confidence[chosen].mean())) * float(chosen.mean())
        for chosen in (bin_of == index for index in range(bins))
        if chosen.any()
    ]
    return float(sum(gaps))
