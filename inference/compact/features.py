"""Counted questions → vectors of one width, with vocabulary, term weights and scale as fitted."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.bundle import canonical_json
from inference.compact.information import information
from inference.compact.observed import (
    CONCEPTS,
    LINES,
    OVERLAP,
    SCREEN_CHANNELS,
    Counts,
    Knowledge,
    Observed,
)
from inference.compact.screens import FACTS

FACT_BLOCK = "facts"
TERMS_PER_BLOCK = 20_000
SPARSE = frozenset({*SCREEN_CHANNELS, LINES})  # most of their terms occur once, and say little
MANY_ROWS = 100
LEAST_INFORMATION = 1e-4  # nats: a term that says nothing keeps a trace of its weight
CLIP = 3.0  # standard deviations beyond which a fact says no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The features of one kind: their names, weights, and whether a row is brought to length 1.

    weights: name → factor, which holds the block's weight and, for terms, the idf.
    """

    weights: Mapping[str, float]
    logarithmic: bool
    length: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactScale:
    """How screen facts are made comparable: `[FACTS]` mean and deviation, one weight."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weight: float


class FeatureSpace:
    """A fitted mapping of observed questions to vectors of one width."""

    def __init__(self, blocks: Mapping[str, Block], facts: FactScale | None) -> None:
        self.blocks = blocks
        self.facts = facts
        self._positions: dict[str, dict[str, int]] = {}
        at = 0
        for name, block in blocks.items():
            self._positions[name] = {term: at + i for i, term in enumerate(block.weights)}
            at += len(block.weights)
        self._facts_at = at
        self.width = max(1, at + (0 if facts is None else FACTS))

    @classmethod
    def fit(
        cls,
        observed: Sequence[Observed],
        weights: Mapping[str, float],
        labels: NDArray[np.int64] | None = None,
    ) -> FeatureSpace:
        """Learn vocabularies, term weights and the facts' scale from training questions.

        Args:
            observed: the questions learnt from, and no others.
            weights: block → weight; blocks without one are left out.
            labels: `[N]` their label indices: terms then weigh by what they say about the label
                too, not only by their rarity.
        """
        blocks = {
            name: _fit_block(name, [each.counts[name] for each in observed], weight, labels)
            for name, weight in weights.items()
            if name != FACT_BLOCK
        }
        return cls(blocks, _fit_facts(observed, weights.get(FACT_BLOCK, 0.0)))

    def entries(self, observed: Observed) -> tuple[list[int], list[float]]:
        """Positions and values of what is not zero."""
        positions: list[int] = []
        values: list[float] = []
        for name, block in self.blocks.items():
            at = self._positions[name]
            known = [(term, n) for term, n in observed.counts[name].items() if term in at]
            row = [
                (1 + math.log(n) if block.logarithmic else n) * block.weights[term]
                for term, n in known
            ]
            norm = math.sqrt(sum(value * value for value in row))
            factor = block.length / norm if block.length is not None and norm > 0 else 1.0
            positions += [at[term] for term, _ in known]
            values += [value * factor for value in row]
        if self.facts is not None and observed.facts is not None:
            scaled = (observed.facts - self.facts.mean) / self.facts.deviation
            scaled = np.clip(scaled, -CLIP, CLIP) * self.facts.weight / math.sqrt(FACTS)
            positions += range(self._facts_at, self._facts_at + FACTS)
            values += scaled.tolist()
        return positions, values

    def vectors(self, observed: Sequence[Observed]) -> NDArray[np.float32]:
        """`[B, width]`; a row depends on its question alone."""
        rows = np.zeros((len(observed), self.width), dtype=np.float32)
        for row, each in zip(rows, observed, strict=True):
            positions, values = self.entries(each)
            row[positions] = values
        return rows


def to_json(space: FeatureSpace, knowledge: Knowledge) -> bytes:
    """Space and knowledge as canonical JSON; blocks keep their order."""
    facts = space.facts
    return canonical_json(
        {
            "concepts": {name: list(phrases) for name, phrases in knowledge.concepts.items()},
            "descriptions": dict(knowledge.descriptions),
            "blocks": [
                {
                    "name": name,
                    "terms": list(block.weights),
                    "weights": list(block.weights.values()),
                    "logarithmic": block.logarithmic,
                    "length": block.length,
                }
                for name, block in space.blocks.items()
            ],
            "facts": None
            if facts is None
            else {"mean": facts.mean, "deviation": facts.deviation, "weight": facts.weight},
        }
    )


def from_json(content: bytes) -> tuple[FeatureSpace, Knowledge]:
    """Take space and knowledge back from JSON.

    Raises:
        ValueError: the content is something else.
    """
    try:
        fields = json.loads(content)
        blocks = {
            block["name"]: Block(
                weights=dict(zip(block["terms"], map(float, block["weights"]), strict=True)),
                logarithmic=bool(block["logarithmic"]),
                length=None if block["length"] is None else float(block["length"]),
            )
            for block in fields["blocks"]
        }
        facts = fields["facts"]
        scale = None
        if facts is not None:
            scale = FactScale(
                mean=tuple(map(float, facts["mean"])),
                deviation=tuple(map(float, facts["deviation"])),
                weight=float(facts["weight"]),
            )
        knowledge = Knowledge(
            concepts={name: tuple(phrases) for name, phrases in fields["concepts"].items()},
            descriptions=dict(fields["descriptions"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"not the features of a compact bundle: {error!r}"
        raise ValueError(msg) from error
    return FeatureSpace(blocks, scale), knowledge


def _fit_block(
    name: str, rows: Sequence[Counts], weight: float, labels: NDArray[np.int64] | None
) -> Block:
    if name.startswith((CONCEPTS, OVERLAP)):
        seen = sorted({term for row in rows for term in row})
        return Block(weights=dict.fromkeys(seen, weight), logarithmic=False, length=None)
    found_in = Counter(term for row in rows for term in row)
    least = 2 if name in SPARSE and len(rows) >= MANY_ROWS else 1
    kept = sorted(
        (term for term, count in found_in.items() if count >= least),
        key=lambda term: (-found_in[term], term),
    )[:TERMS_PER_BLOCK]
    weights = {term: math.log((1 + len(rows)) / (1 + found_in[term])) + 1 for term in sorted(kept)}
    if labels is not None:
        says = _said_about_labels(tuple(weights), rows, labels)
        weights = {term: weights[term] * says[term] for term in weights}
    # 7 digits, as they come back from the file: training and serving see the same numbers.
    rounded = {term: float(f"{value:.7g}") for term, value in weights.items()}
    return Block(weights=rounded, logarithmic=True, length=weight)


def _said_about_labels(
    names: Sequence[str], rows: Sequence[Counts], labels: NDArray[np.int64]
) -> dict[str, float]:
    """Term → root of its mutual information with the label, never quite zero."""
    at = {term: position for position, term in enumerate(names)}
    sizes = np.bincount(labels).astype(np.float64)
    found = np.zeros((len(names), len(sizes)))
    for row, label in zip(rows, labels, strict=True):
        found[[at[term] for term in row if term in at], label] += 1
    says = np.sqrt(np.maximum(LEAST_INFORMATION, information(found, sizes)))
    return dict(zip(names, says.tolist(), strict=True))


def _fit_facts(observed: Sequence[Observed], weight: float) -> FactScale | None:
    seen = [each.facts for each in observed if each.facts is not None]
    if weight == 0 or not seen:
        return None
    rows = np.array(seen)
    deviation = rows.std(axis=0)
    deviation[deviation < 1e-6] = 1.0
    return FactScale(
        mean=tuple(float(f"{value:.6g}") for value in rows.mean(axis=0)),
        deviation=tuple(float(f"{value:.6g}") for value in deviation),
        weight=weight,
    )
