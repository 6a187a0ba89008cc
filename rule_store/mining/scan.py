"""Scan: one pass over the table that counts all one-literal extensions of a body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rule_store.mining.body import Body
from rule_store.mining.reward import Counts, Floats
from rule_store.mining.table import Table, Words, mask_of, popcount

Codes = npt.NDArray[np.int64]

# One pass a distinct weight; more weights than this are rounded to so many steps.
_WEIGHTS = 32
# Words counted at a time: few enough for the processor's second cache.
_SUMMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a body, whichever search looks for it.

    length: most literals.
    true_positives: fewest covered examples of the label; fewer is chance.
    precision: a body that reaches it is not extended.
    overlap: highest Jaccard index of a body's coverage with that of an earlier rule.
    negations: whether a body may have negated literals; one literal is always positive, since
        the live path finds rules by what is there.
    """

    length: int = 3
    true_positives: int = 2
    precision: float = 1.0
    overlap: float = 0.7
    negations: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What one pass says of a body's extensions by one literal.

    covered: `[W]` mask of the examples that the body covers.
    size, true_positives: how many these are, and how many of them have the label.
    gain: weight of the latter.
    codes: `[K]` literals, ascending; each removes an example and leaves enough of the label.
    counts: of the K longer bodies.
    """

    body: Body
    covered: Words
    size: int
    true_positives: int
    gain: float
    codes: Codes
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scanner:
    """A table as the search for one label's bodies sees it.

    In the shapes, `R` is the number of predicates that the search may use.

    everything: `[W]` mask of all examples.
    examples: how many.
    rows: `[R]` positions of the predicates in the table, ascending.
    words: `[W, R]`, the table's, a column a predicate: words in which a mask is 0 cost nothing.
    positives: `[W]` mask of the label's examples.
    weights: weight → `[W]` mask of the label's examples that have it; together all of them.
    """

    everything: Words
    examples: int
    rows: Codes
    words: Words
    positives: Words
    weights: tuple[tuple[float, Words], ...]
    limits: Limits

    @classmethod
    def of(
        cls, table: Table, label: int, *, weights: Floats, limits: Limits, rows: Codes | None = None
    ) -> Self:
        """Look at a label.

        Args:
            table: P predicates, N examples.
            label: position in the table's label names.
            weights: `[N]` within 0..1; those of other labels' examples are not read.
            limits: which extensions are of use.
            rows: positions of the predicates that the search may use; all when left out.

        Raises:
            ValueError: a weight is out of its range.
        """
        if weights.shape != table.labels.shape or not ((weights >= 0) & (weights <= 1)).all():
            raise ValueError("weights are within 0..1, one an example; scale them")
        kept = np.arange(len(table.words)) if rows is None else np.unique(rows)
        chosen = table.labels == label
        levels = _levels(weights, chosen)
        return cls(
            everything=table.everything(),
            examples=len(table.labels),
            rows=kept.astype(np.int64),
            words=np.ascontiguousarray(table.words[kept].T),
            positives=mask_of(chosen),
            weights=tuple(
                (weight, mask_of(chosen & (levels == weight)))
                for weight in np.unique(levels[chosen]).tolist()
            ),
            limits=limits,
        )

    def scan(self, body: Body, covered: Words) -> Scan:
        """Count the extensions of a body, given its coverage."""
        right = np.zeros(2 * len(self.rows), dtype=np.int64)
        gain = np.zeros(2 * len(self.rows), dtype=np.float64)
        # In the order of the weights: a sum of floats depends on it.
        for weight, mask in self.weights:
            counted = self._counted(covered & mask)
            right += counted
            gain += weight * counted
        size, total = self._counted(covered), popcount(covered)
        usable = self._usable(body, right, size, total)
        return Scan(
            body=body,
            covered=covered,
            size=total,
            true_positives=popcount(covered & self.positives),
            gain=sum(weight * popcount(covered & mask) for weight, mask in self.weights),
            codes=self._codes()[usable],
            counts=Counts(
                true_positives=right[usable].astype(np.float64),
                covered=size[usable].astype(np.float64),
                gain=gain[usable],
                positives=popcount(self.positives),
                examples=self.examples,
                length=len(body) + 1,
            ),
        )

    def extended(self, covered: Words, codes: Codes) -> Words:
        """`[K, W]`: coverage of a body, given its own, with each of K literals added."""
        words = self.words[:, np.searchsorted(self.rows, codes >> 1)].T
        flips = np.where(codes & 1, ~np.uint64(0), np.uint64(0))
        longer: Words = (words ^ flips[:, np.newaxis]) & covered
        return longer

    def _counted(self, mask: Words) -> Codes:
        """`[2R]`: how many examples of a mask each literal covers, literals by code."""
        counted = np.empty(2 * len(self.rows), dtype=np.int64)
        holding = np.zeros(len(self.rows), dtype=np.int64)
        reached = np.flatnonzero(mask)
        for start in range(0, len(reached), _SUMMED):
            places = reached[start : start + _SUMMED]
            bits = np.bitwise_count(self.words[places] & mask[places, np.newaxis])
            holding += bits.sum(axis=0, dtype=np.uint16)
        counted[0::2] = holding
        counted[1::2] = popcount(mask) - holding
        return counted

    def _codes(self) -> Codes:
        codes: Codes = (2 * self.rows[:, np.newaxis] + np.array([0, 1])).ravel()
        return codes

    def _usable(self, body: Body, right: Codes, size: Codes, total: int) -> npt.NDArray[np.bool_]:
        usable = (right >= max(self.limits.true_positives, 1)) & (size < total)
        usable[1::2] &= self.limits.negations and bool(body)
        return usable


def _levels(weights: Floats, chosen: npt.NDArray[np.bool_]) -> Floats:
    """The weights, rounded to steps when there are too many different ones."""
    if len(np.unique(weights[chosen])) <= _WEIGHTS:
        return weights
    return np.round(weights * (_WEIGHTS - 1)) / (_WEIGHTS - 1)
