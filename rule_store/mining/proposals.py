"""Proposals: the small model's part, which literals to try first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from rule_store.mining.reward import Floats
from rule_store.mining.scan import Scan
from rule_store.mining.table import Table

# Rows unpacked at a time, one float an example and predicate: 32 MiB.
_BLOCK_CELLS = 1 << 22


class Proposer(Protocol):
    """A prior over the literals that may extend a body; a frozen value."""

    def logits(self, scan: Scan, *, label: int) -> Floats:
        """Say how promising each literal is.

        Args:
            scan: the body so far with the counts of its K extensions, which need no other look
                at the examples.
            label: position in the table's label names.

        Returns:
            `[K]`; the prior is their softmax.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Every literal alike: what a search is worth without a proposer."""

    def logits(self, scan: Scan, *, label: int) -> Floats:
        return np.zeros(len(scan.codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistical:
    """Log-odds of a literal among what the body covers, the label's examples against the others.

    δ = ln((a + m) / (A − a + m)) − ln((b + m) / (B − b + m)), where the literal is true at a of
    the A covered examples of the label, by weight, and at b of the B covered others; divided by
    its standard error, the root of 1 / (a + m) + 1 / (A − a + m) + 1 / (b + m) + 1 / (B − b + m),
    so that a literal that is true at few examples is not put first for its purity. By weight, so
    that what earlier rules cover draws the search no more.

    In units of its error a difference grows with the root of the examples: a hundred thousand of
    them make logits of 50 and more, whose softmax knows but one literal. So logits are scaled
    down until the highest is bounded, and a small table's doubt stays.

    smoothing: m, above 0.
    highest: bound of the logits; the higher, the fewer literals share the prior.
    standardised: whether δ is divided by its error.

    Source: Woolf 1955, "On estimating the relation between blood group and disease"; the half
    that is added to each count: Haldane 1956.
    """

    smoothing: float = 0.5
    highest: float = 3.0
    standardised: bool = True

    def logits(self, scan: Scan, *, label: int) -> Floats:
        found, stray = scan.counts.gain, scan.counts.covered - scan.counts.true_positives
        right, wrong = found + self.smoothing, stray + self.smoothing
        left = np.maximum(scan.gain - found, 0) + self.smoothing
        spared = scan.size - scan.true_positives - stray + self.smoothing
        odds: Floats = np.log(right * spared) - np.log(left * wrong)
        if self.standardised:
            odds /= np.sqrt(1 / right + 1 / wrong + 1 / left + 1 / spared)
        return odds * (self.highest / max(float(odds.max(initial=0.0)), self.highest))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """A linear model's weights, one label against the rest; the same whatever the body.

    weights: `[L, P]`, the highest of each label 1 or −1; a negated literal has the negative.
    sharpness: factor of the logits.
    """

    weights: Floats
    sharpness: float = 4.0

    @classmethod
    def fit(
        cls, table: Table, *, ridge: float = 0.25, steps: int = 20, sharpness: float = 4.0
    ) -> Self:
        """Fit by ridge regression of ±membership in the labels on the centred columns.

        Args:
            table: P predicates, N examples, L labels.
            ridge: what a squared weight costs beside the mean squared error, above 0.
            steps: of conjugate gradients; each reads the table twice.
            sharpness: factor of the logits.

        Source: Hestenes and Stiefel 1952, "Methods of conjugate gradients", on the normal
        equations.
        """
        penalty = ridge * len(table.labels)
        belongs = table.labels[:, np.newaxis] == np.arange(len(table.label_names))
        targets = belongs - belongs.mean(axis=0, keepdims=True)
        right = _against(table, targets)
        weights = np.zeros_like(right)
        rest, direction, left = right, right, (right**2).sum(axis=0)
        for _ in range(steps):
            image = _against(table, _centred(_on(table, direction))) + penalty * direction
            stride = left / np.maximum((direction * image).sum(axis=0), 1e-30)
            weights = weights + stride * direction
            rest = rest - stride * image
            before, left = left, (rest**2).sum(axis=0)
            direction = rest + left / np.maximum(before, 1e-30) * direction
        highest = np.maximum(np.abs(weights).max(axis=0, initial=0.0), 1e-30)
        # Rounded: matrix products differ in their last digits from machine to machine.
        return cls(weights=np.round(weights / highest, 6).T, sharpness=sharpness)

    def logits(self, scan: Scan, *, label: int) -> Floats:
        signs = 1 - 2 * (scan.codes & 1)
        logits: Floats = self.sharpness * signs * self.weights[label, scan.codes >> 1]
        return logits


def prior(logits: Floats) -> Floats:
    """Softmax: `[K]` → `[K]`.

    >>> prior(np.log(np.array([1.0, 3.0]))).round(3).tolist()
    [0.25, 0.75]
    """
    raised = np.exp(logits - logits.max(initial=-np.inf))
    shares: Floats = raised / raised.sum()
    return shares


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean(axis=0, keepdims=True)
    return centred


def _on(table: Table, weights: Floats) -> Floats:
    """`[N, L]`: the columns times the weights `[P, L]`."""
    total = np.zeros((len(table.labels), weights.shape[1]))
    for start, block in _blocks(table):
        total += block.T @ weights[start : start + len(block)]
    return total


def _against(table: Table, values: Floats) -> Floats:
    """`[P, L]`: the columns, transposed, times centred values `[N, L]`."""
    return np.concatenate([block @ values for _, block in _blocks(table)])


def _blocks(table: Table) -> Iterator[tuple[int, Floats]]:
    """First row and `[rows, N]` unpacked bits, a bounded number at a time."""
    examples = len(table.labels)
    rows = max(1, _BLOCK_CELLS // max(1, examples))
    for start in range(0, len(table.words), rows):
        octets = table.words[start : start + rows].astype("<u8").view(np.uint8)
        bits = np.unpackbits(octets, axis=1, count=examples, bitorder="little")
        yield start, bits.astype(np.float64)
