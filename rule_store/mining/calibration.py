"""Calibration: whether what is said to be right in eight of ten cases is right in eight of ten."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

BINS = 10
DRAWS = 2000
# A confidence of 0 or 1 that fails costs as much as one of a billion to one.
_LEAST = 1e-9
# Draws times answers that are held at a time: 32 MiB of float64.
_BLOCK_CELLS = 1 << 22


def ece(
    confidence: Sequence[float] | Floats,
    right: Sequence[bool] | Flags | Floats,
    *,
    bins: int = BINS,
) -> float:
    """Expected calibration error over bins that hold equally many answers.

    Answers of equal confidence count as equally right, so that their order decides nothing.

    Args:
        confidence: `[N]`, in [0, 1].
        right: `[N]`; whether the answer was right.
        bins: at most; the larger ones come first when N is no multiple.

    Returns:
        Mean |share right − mean confidence|; 0 when N is 0.

    Source: Nguyen and O'Connor 2015, "Posterior calibration and exploratory analysis for natural
    language processing models" (adaptive binning).

    >>> ece([0.5, 0.5, 1.0, 1.0], [True, False, True, True], bins=2)
    0.0
    >>> ece([0.5, 0.5, 1.0, 1.0], [True, False, True, False], bins=2)
    0.25
    """
    said, came = _floats(confidence), _floats(right)
    return float(_Binned(said, bins).errors(came[np.newaxis, :])[0]) if len(said) else 0.0


def log_loss(confidence: Sequence[float] | Floats, right: Sequence[bool] | Flags | Floats) -> float:
    """Mean negative log-probability of what came; 0 when there are no answers.

    >>> round(log_loss([0.5, 0.5], [True, False]), 3)
    0.693
    """
    said, came = np.clip(_floats(confidence), _LEAST, 1.0 - _LEAST), _floats(right)
    if not len(said):
        return 0.0
    return float(-(came * np.log(said) + (1.0 - came) * np.log1p(-said)).mean())


def perfect_ece(
    confidence: Sequence[float] | Floats,
    *,
    seed: int,
    share: float = 0.95,
    bins: int = BINS,
    draws: int = DRAWS,
    together: Iterable[Hashable] | None = None,
) -> float:
    """The ECE that a perfectly calibrated model of this size stays below in most draws.

    Answers are drawn right with the probability they claim, and their `ece` is taken.

    Args:
        confidence: `[N]`, in [0, 1].
        seed: of the draws.
        share: of the draws below the result.
        bins: as for `ece`.
        draws: how many.
        together: `[N]`; answers of one key come right together as far as their confidences let
            them. Of the firings of rules it is example and label: those that agree are right
            together, those that disagree are not. Left out, each answer is drawn by itself.

    Returns:
        The quantile; 0 when N is 0.

    Source: Vaicenavicius et al. 2019, "Evaluating model calibration in classification", 5.1
    (consistency resampling).
    """
    said = _floats(confidence)
    if not len(said):
        return 0.0
    numbers: dict[Hashable, int] = {}
    keys = range(len(said)) if together is None else together
    of_answer = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    generator = np.random.Generator(np.random.PCG64(seed))
    binned = _Binned(said, bins)
    at_once = max(1, _BLOCK_CELLS // len(said))
    errors = []
    for start in range(0, draws, at_once):
        size = (min(at_once, draws - start), len(numbers))
        came = generator.random(size)[:, of_answer] < said
        errors.append(binned.errors(came.astype(np.float64)))
    return float(np.quantile(np.concatenate(errors), share))


class _Binned:
    """Answers in bins by confidence, ready for many outcomes."""

    def __init__(self, confidence: Floats, bins: int) -> None:
        self._size = len(confidence)
        self._order = np.argsort(confidence, kind="stable")
        ordered = confidence[self._order]
        self._run = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        self._run_sizes = np.diff(np.r_[self._run, self._size])
        parts = np.array_split(np.arange(self._size), min(bins, self._size))
        self._first = np.array([part[0] for part in parts])
        self._sums = np.add.reduceat(ordered, self._first)

    def errors(self, right: Floats) -> Floats:
        """`[D]`: the ECE of each row of outcomes `[D, N]`."""
        by_run = np.add.reduceat(right[:, self._order], self._run, axis=1) / self._run_sizes
        levelled = np.repeat(by_run, self._run_sizes, axis=1)
        gaps = np.abs(np.add.reduceat(levelled, self._first, axis=1) - self._sums)
        errors: Floats = gaps.sum(axis=1) / self._size
        return errors


def _floats(values: Sequence[float] | Sequence[bool] | Flags | Floats) -> Floats:
    return np.asarray(values, dtype=np.float64)
