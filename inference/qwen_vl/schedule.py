"""The order, the weight and the pace of training, each a function of numbers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BATCHES_SORTED_TOGETHER = 8


def epoch_batches(
    lengths: Sequence[int], *, batch_size: int, seed: int, epoch: int
) -> tuple[tuple[int, ...], ...]:
    """Every example once, in random batches of examples about equally long.

    Args:
        lengths: of each example, in tokens.
        batch_size: examples a batch; the last one may hold fewer.
        seed: another order for each.
        epoch: likewise.

    Returns:
        Batches of indices into `lengths`.
    """
    random = np.random.default_rng((seed, epoch))
    order = random.permutation(len(lengths))
    together = batch_size * BATCHES_SORTED_TOGETHER
    batches: list[tuple[int, ...]] = []
    for start in range(0, len(order), together):
        near = sorted(order[start : start + together].tolist(), key=lambda at: lengths[at])
        batches += [tuple(near[at : at + batch_size]) for at in range(0, len(near), batch_size)]
    return tuple(batches[at] for at in random.permutation(len(batches)))


def learning_rate(step: int, *, steps: int, highest: float, warm_up_share: float) -> float:
    """The rate of a step, counted from 0.

    >>> rates = [learning_rate(n, steps=10, highest=1.0, warm_up_share=0.2) for n in range(10)]
    >>> [round(rate, 2) for rate in rates]
    [0.5, 1.0, 1.0, 0.96, 0.85, 0.69, 0.5, 0.31, 0.15, 0.04]
    """
    warm_up = max(1, round(steps * warm_up_share))
    if step < warm_up:
        return highest * (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return highest * (1 + math.cos(math.pi * done)) / 2


def class_weights(
    labels: NDArray[np.int64], count: int, *, weighting: float
) -> NDArray[np.float64]:
    """How much an example of each label counts; the mean over the examples is 1.

    Args:
        labels: `[N]` label indices.
        count: of labels; one without examples gets weight 0.
        weighting: the weight falls with the label's size to this power.

    >>> class_weights(np.array([0, 0, 0, 1]), 3, weighting=1.0).round(3).tolist()
    [0.667, 2.0, 0.0]
    >>> class_weights(np.array([0, 0, 0, 1]), 3, weighting=0.0).tolist()
    [1.0, 1.0, 0.0]
    """
    sizes = np.bincount(labels, minlength=count).astype(np.float64)
    weights = np.where(sizes > 0, np.maximum(sizes, 1.0) ** -weighting, 0.0)
    scaled: NDArray[np.float64] = weights * sizes.sum() / (weights * sizes).sum()
    return scaled
