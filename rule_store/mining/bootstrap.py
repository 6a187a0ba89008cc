"""Paired bootstrap: how much of a difference between two sets of answers is chance."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS = 4000
# Groups of questions times draws that are held at a time: 32 MiB of float64.
_BLOCK_CELLS = 1 << 22
# Differences are compared to so many digits: what lies beyond is the order of summation.
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """F1 of the second answers minus that of the first, for each draw of the questions.

    In the shapes, `D` is the number of draws and `L` of labels.

    weighted: `[D]`; of all labels, each weighed by its share of the questions.
    by_label: `[D, L]`; 0 in a draw without the label.
    labels: L of them, sorted; those that are right at least once.
    """

    weighted: Floats
    by_label: Floats
    labels: tuple[str, ...]


def paired_differences(
    right: Sequence[str],
    first: Sequence[str | None],
    second: Sequence[str | None],
    *,
    seed: int,
    draws: int = DRAWS,
    together: Sequence[Hashable] | None = None,
) -> Differences:
    """Draw as many questions with replacement, again and again, and compare both on each draw.

    Questions that go together are drawn together: moments of one dialogue repeat each other, and
    drawn apart would make chance look smaller than it is.

    Args:
        right: `[N]`, the right label of each question; one question at least.
        first: `[N]`; what was answered. None is an abstention, which its label misses.
        second: `[N]`; likewise.
        seed: of the draws.
        draws: how many.
        together: `[N]`; questions of one key are drawn as one. Left out, each is drawn by itself.

    Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", 16.4; paired as in
    Berg-Kirkpatrick et al. 2012, "An empirical investigation of statistical significance in NLP".
    """
    labels = tuple(sorted(set(right)))
    numbers = _numbered(range(len(right)) if together is None else together)
    given = _one_hot(right, labels)
    answered = [_one_hot(answers, labels) for answers in (first, second)]
    asked = _summed(given, numbers)
    counted = [(_summed(given * each, numbers), _summed(each, numbers)) for each in answered]
    generator = np.random.Generator(np.random.PCG64(seed))
    count = len(asked)
    at_once = max(1, _BLOCK_CELLS // count)
    weighted, by_label = [], []
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        drawn = _times_drawn(generator.integers(count, size=(size, count)))
        support = drawn @ asked
        f1 = [_f1(support, drawn @ hits, drawn @ claimed) for hits, claimed in counted]
        by_label.append(np.round(f1[1] - f1[0], _DIGITS))
        total = ((f1[1] - f1[0]) * support).sum(axis=1)
        weighted.append(np.round(total / support.sum(axis=1), _DIGITS))
    return Differences(
        weighted=np.concatenate(weighted), by_label=np.concatenate(by_label), labels=labels
    )


def _times_drawn(places: npt.NDArray[np.int64]) -> Floats:
    """`[D, G]`: how often each group was drawn, from the places drawn `[D, G]`."""
    size, count = places.shape
    shifted = places + count * np.arange(size)[:, np.newaxis]
    times = np.bincount(shifted.ravel(), minlength=size * count)
    return times.reshape(size, count).astype(np.float64)


def _numbered(keys: Iterable[Hashable]) -> npt.NDArray[np.int64]:
    """`[N]`: the group of each question, of `G`, in the order in which they come first."""
    groups: dict[Hashable, int] = {}
    return np.array([groups.setdefault(key, len(groups)) for key in keys])


def _summed(marked: Floats, numbers: npt.NDArray[np.int64]) -> Floats:
    """`[G, L]`: the sum of the rows `[N, L]` of each group."""
    sums = np.zeros((int(numbers.max()) + 1, marked.shape[1]))
    np.add.at(sums, numbers, marked)
    return sums


def _f1(support: Floats, hits: Floats, claimed: Floats) -> Floats:
    """`[D, L]`: F1 of each label in each draw; 0 where there is nothing to count."""
    f1: Floats = 2 * hits / np.maximum(support + claimed, 1)
    return f1


def _one_hot(answers: Sequence[str | None], labels: Sequence[str]) -> Floats:
    """`[N, L]`: 1 where the answer is the label."""
    place = {label: number for number, label in enumerate(labels)}
    marked = np.zeros((len(answers), len(labels)))
    for row, answer in enumerate(answers):
        if answer in place:
            marked[row, place[answer]] = 1.0
    return marked
