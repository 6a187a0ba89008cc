"""Cover: of many rules a few that complement each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]

# On the 25 intents of the Taobao data more than 500 rules hurt; of 150 labels 500 are too few.
RULES_A_LABEL = 20
# Sums of weights are compared to so many digits: what lies beyond is the order of summation.
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverSettings:
    """What a cover is bounded by; the defaults suit both tasks of the Taobao data.

    at_most: rules chosen for a task, beside those that are kept; None takes `RULES_A_LABEL` for
        each label that the rules imply.
    decay: what the weight of a positive is multiplied by each time a rule covers it: 0 lets each
        count once, 1 for ever.
    overlap: two rules of one label may share at most this part of what they cover together; 1
        bounds nothing. A search that bounds it already leaves little to do here, and a mined rule
        that covers what a written one covers is a second vote worth having.
    least_reliability: rules below it are left out.
    least_gain: a rule that brings less is left out; in newly covered positives that are right.
    """

    at_most: int | None = None
    decay: float = 0.3
    overlap: float = 1.0
    least_reliability: float = 0.0
    least_gain: float = 0.2


def cover(
    fires: Flags,
    rule_labels: Labels,
    *,
    labels: Labels,
    reliability: Floats,
    settings: CoverSettings,
    kept: Sequence[int] = (),
) -> tuple[int, ...]:
    """Choose rules one by one: always the one that brings the most right answers that are new.

    A rule brings its reliability times the weight of the positives that it covers; the weight of
    an example is 1 and decays with every rule chosen for it. Of equals the first is chosen.

    In the shapes, `R` is the number of rules and `N` of examples.

    Args:
        fires: `[R, N]`; whether a rule covers an example.
        rule_labels: `[R]`.
        labels: `[N]`; of the examples, in the same numbers.
        reliability: `[R]`, in [0, 1].
        settings: the bounds; those that are kept are bound by `least_reliability` alone.
        kept: positions of rules that are chosen before all others, in this order.

    Returns:
        Positions of the chosen rules, in the order of choice.

    Source: Nemhauser, Wolsey and Fisher 1978, "An analysis of approximations for maximizing
    submodular set functions" (greedy); Lavrač et al. 2004, "Subgroup discovery with CN2-SD"
    (weighted covering).
    """
    of_label = {
        label: _Label(fires, np.flatnonzero(rule_labels == label), labels == label, reliability)
        for label in np.unique(rule_labels).tolist()
    }
    gains = np.zeros(len(fires))
    for each in of_label.values():
        gains[each.rules] = each.gains()
    gains[reliability < settings.least_reliability] = -1.0
    chosen: list[int] = []

    def choose(best: int) -> None:
        chosen.append(best)
        mates = of_label[int(rule_labels[best])]
        mates.weigh_down(best, settings.decay)
        _close(gains, mates, best, fires, settings.overlap)

    for place in kept:
        if reliability[place] >= settings.least_reliability:
            choose(place)
    at_most = RULES_A_LABEL * len(of_label) if settings.at_most is None else settings.at_most
    size = len(chosen) + at_most
    least = max(0.0, settings.least_gain - 10**-_DIGITS)
    while len(chosen) < size and gains.max(initial=-1.0) > least:
        choose(int(np.argmax(gains)))
    return tuple(chosen)


def _close(gains: Floats, mates: _Label, chosen: int, fires: Flags, overlap: float) -> None:
    """Take what rules of the label still bring; -1 for the chosen and for what is too like it."""
    is_open = gains[mates.rules] >= 0.0
    gains[mates.rules] = np.where(is_open, mates.gains(), -1.0)
    if overlap < 1.0:
        open_mates = mates.rules[is_open]
        gains[open_mates[_overlap(fires[chosen], fires[open_mates]) > overlap]] = -1.0
    gains[chosen] = -1.0


class _Label:
    """The rules of one label and the weights of its positives: no other rule changes them."""

    def __init__(
        self, fires: Flags, rules: npt.NDArray[np.intp], positive: Flags, reliability: Floats
    ) -> None:
        self.rules = rules
        self._hits = fires[np.ix_(rules, positive)]
        self._weights = np.ones(self._hits.shape[1])
        self._reliability = reliability[rules]

    def gains(self) -> Floats:
        gains: Floats = np.round(self._reliability * (self._hits @ self._weights), _DIGITS)
        return gains

    def weigh_down(self, rule: int, decay: float) -> None:
        hit = self._hits[int(np.searchsorted(self.rules, rule))]
        self._weights = np.where(hit, self._weights * decay, self._weights)


def _overlap(one: Flags, others: Flags) -> Floats:
    """`[R]`: Jaccard index of a rule's coverage with that of each other; 1 for two empty ones."""
    both = (others & one).sum(axis=1)
    either = (others | one).sum(axis=1)
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)
