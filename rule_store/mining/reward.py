"""Reward: what a body is worth to the search, from its counts alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# 40 bits of mantissa are 12 decimal digits: what two machines' logarithms differ by is gone.
_KEPT_BITS = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """How `K` candidate bodies of one label and one length stand against the examples.

    true_positives: `[K]` covered examples of the label.
    covered: `[K]` covered examples.
    gain: `[K]` weight of the covered examples of the label, each weight within 0..1; what earlier
        rules cover weighs less.
    positives: examples of the label.
    examples: all examples.
    length: literals of each body.
    """

    true_positives: Floats
    covered: Floats
    gain: Floats
    positives: int
    examples: int
    length: int

    @property
    def share(self) -> float:
        """Share of the label, kept off 0 and 1 by half an example."""
        half = 0.5 / max(self.examples, 1)
        return min(max(self.positives / max(self.examples, 1), half), 1 - half)


class Reward(Protocol):
    """What a search maximises; a frozen value."""

    def __call__(self, counts: Counts) -> Floats:
        """`[K]` rewards, 0 or more; 0 is a body not worth having."""
        ...

    def bound(self, counts: Counts) -> Floats:
        """`[K]` optimistic bounds: no longer body that contains this one has a higher reward.

        Coverage is anti-monotone: a longer body covers no example that a shorter one does not.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mdl:
    """Description length saved, times the share of it that is new.

    max(0, LLR − c · length) · (gain / tp)^e, LLR = tp · ln(p / π) + fp · ln((1 − p) / (1 − π)),
    with p = (tp + π) / (covered + 1) and π the share of the label; 0 where p is not above π. Suits
    labels of few examples: it wants evidence before it believes in a precision.

    literal_cost: c, what a literal costs, in nats.
    novelty: e within 0..1; at 0 covering anew what is covered costs nothing.

    Source: Rissanen 1978, "Modeling by shortest data description"; the likelihood ratio as in
    Clark and Niblett 1989, "The CN2 induction algorithm".
    """

    literal_cost: float = 4.0
    novelty: float = 0.5

    def __call__(self, counts: Counts) -> Floats:
        tp, share = counts.true_positives, counts.share
        precision = (tp + share) / (counts.covered + 1)
        ratio = tp * np.log(precision / share)
        ratio += (counts.covered - tp) * np.log((1 - precision) / (1 - share))
        saved = np.maximum(ratio - self.literal_cost * counts.length, 0)
        new = (counts.gain / np.maximum(tp, 1)) ** self.novelty
        return np.where(precision > share, saved * new, 0.0)

    def bound(self, counts: Counts) -> Floats:
        return self(_purified(counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class WilsonGain:
    """A cautious precision, times the share of the label that is newly covered.

    W(tp, covered; z) · (gain / positives)^e · d^(length − 1), with W the lower end of Wilson's
    interval. Suits labels of many examples.

    z: width of the interval, in standard errors.
    gain_exponent: e, 0 or more.
    length_decay: d within 0..1.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """

    z: float = 1.0
    gain_exponent: float = 0.25
    length_decay: float = 0.95

    def __call__(self, counts: Counts) -> Floats:
        lower = wilson_bound(counts.true_positives, counts.covered, z=self.z)
        gain = (counts.gain / max(counts.positives, 1)) ** self.gain_exponent
        decay: float = self.length_decay ** (counts.length - 1)
        return lower * gain * decay

    def bound(self, counts: Counts) -> Floats:
        return self(_purified(counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRobust:
    """Another reward, on the counts to be expected had no label been wrong.

    A share η of the labels is wrong, and the labels keep their sizes: η of the positives look
    like others, and r = η · positives / (examples − positives) of the others look like positives.
    So tp is expected to be (1 − η) · t + r · (covered − t), and t = (tp − r · covered) /
    (1 − η − r), kept within 0..covered, takes its place; the gain changes as tp does.

    reward: the other reward.
    wrong: η within 0..0.5, 0.5 excluded.

    Source: Natarajan et al. 2013, "Learning with noisy labels", lemma 1, on counts.

    Raises:
        ValueError: the share is out of its range.
    """

    reward: Reward
    wrong: float

    def __post_init__(self) -> None:
        if not 0 <= self.wrong < 0.5:
            raise ValueError(f"the share of wrong labels is within 0..0.5, not {self.wrong}")

    def __call__(self, counts: Counts) -> Floats:
        return self.reward(self.corrected(counts))

    def bound(self, counts: Counts) -> Floats:
        # The correction helps most at covered = tp / (1 − η), where all of it counts as right.
        factor = 1 / (1 - self.wrong)
        best = np.minimum(counts.covered, counts.true_positives * factor)
        gain = np.minimum(counts.gain * factor, best)
        return self.reward.bound(replace(counts, true_positives=best, covered=best, gain=gain))

    def corrected(self, counts: Counts) -> Counts:
        """The counts as they would be expected without wrong labels."""
        others = max(counts.examples - counts.positives, 1)
        strays = min(self.wrong * counts.positives / others, self.wrong)
        right = counts.true_positives - strays * counts.covered
        right = np.clip(right / (1 - self.wrong - strays), 0, counts.covered)
        gain = counts.gain * right / np.maximum(counts.true_positives, 1)
        return replace(counts, true_positives=right, gain=gain)


def wilson_bound(true_positives: Floats, covered: Floats, *, z: float) -> Floats:
    """Lower end of Wilson's interval for a precision; 0 where nothing is covered.

    >>> wilson_bound(np.array([4.0, 3.0, 0.0]), np.array([4.0, 4.0, 0.0]), z=1.0).round(4).tolist()
    [0.8, 0.5, 0.0]
    """
    covered = np.maximum(covered, 1e-9)
    share = true_positives / covered
    spread = np.sqrt(np.maximum(share * (1 - share) / covered + (z / (2 * covered)) ** 2, 0))
    lower: Floats = (share + z * z / (2 * covered) - z * spread) / (1 + z * z / covered)
    return np.maximum(lower, 0)


def comparable(values: Floats) -> Floats:
    """Round to 12 digits, so that no comparison hangs on the last bits of a machine's logarithm.

    >>> comparable(np.array([1 / 3])) == comparable(np.array([1 / 3 + 1e-16]))
    array([ True])
    """
    mantissas, exponents = np.frexp(values)
    kept: Floats = np.ldexp(np.round(np.ldexp(mantissas, _KEPT_BITS)), exponents - _KEPT_BITS)
    return kept


def ranked(values: Floats, most: int) -> npt.NDArray[np.int64]:
    """Positions of the highest values, falling; equal values in their order.

    >>> ranked(np.array([0.5, 0.9, 0.5, 0.1]), 2).tolist()
    [1, 0]
    """
    places = np.arange(len(values) if most else 0)
    if 0 < most < len(values):
        least = np.partition(values, -most)[-most]
        above, level = np.flatnonzero(values > least), np.flatnonzero(values == least)
        places = np.sort(np.concatenate((above, level[: most - len(above)])))
    return places[np.argsort(-values[places], kind="stable")]


def _purified(counts: Counts) -> Counts:
    """The best that one more literal could do: it removes every false positive."""
    return replace(counts, covered=counts.true_positives, length=counts.length + 1)
