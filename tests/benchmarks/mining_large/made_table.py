"""A made table: rules planted among phrases that lead a greedy search astray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rule_store import Has
from rule_store.mining.body import Body, code
from rule_store.mining.columns import WORD_BITS, words_for
from rule_store.mining.table import Table, Words

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_DEPTHS = (3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a made table looks like. Rates fall as Zipf's law has them: the first / rank^exponent.

    The phrases are of three kinds. *Words* are frequent, hardly tell one label from another, and
    planted rules are made of them. *Topical* phrases come with a topic that a few labels share:
    the best alone say more of a label than a word does, and several of one topic no more than
    one. All other phrases are noise.

    mined, held_out: examples.
    rules: planted for each label; the depth is 3, 4, 5, 3, …
    rule_share, rule_exponent: share of its label's examples that the first rule covers, and how
        the shares of the next ones fall.
    topics, topics_a_label, phrases_a_topic: how topics are shared.
    topical, stray: how often a topic comes up in an example of a label that has it, and of others.
    wrong: share of examples whose label is drawn anew.
    """

    mined: int = 100_000
    held_out: int = 20_000
    phrases: int = 20_000
    labels: int = 20
    rules: int = 6
    rule_share: float = 0.12
    rule_exponent: float = 0.6
    words: int = 60
    word_rate: float = 0.3
    word_exponent: float = 0.45
    topics: int = 24
    topics_a_label: int = 3
    phrases_a_topic: int = 50
    topical: float = 0.5
    stray: float = 0.05
    wrong: float = 0.05

    @property
    def examples(self) -> int:
        return self.mined + self.held_out


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedRule:
    """A conjunction of words that only examples of its label fulfil, wrong labels apart."""

    label: int
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadeTable:
    """The examples that rules are mined from, others that judge them, and what was planted."""

    mined: Table
    held_out: Table
    planted: tuple[PlantedRule, ...]


def make_table(shape: Shape, *, seed: int) -> MadeTable:
    """Make a table; the same seed makes the same one."""
    draw = _Draw(shape, np.random.Generator(np.random.PCG64(seed)))
    labels, ways = draw.labels(), draw.ways()
    chosen = draw.chosen(labels)
    holds = draw.words(len(labels))
    plant(holds, labels, chosen, ways, random=draw.random)
    parts = _Parts(shape)
    for place, positions in enumerate(draw.columns(holds, labels)):
        parts.add(place, positions)
    labels = draw.with_wrong(labels)
    return MadeTable(
        mined=parts.table(parts.mined, labels[: shape.mined]),
        held_out=parts.table(parts.held_out, labels[shape.mined :]),
        planted=tuple(
            PlantedRule(label=label, body=frozenset(code(word) for word in way.tolist()))
            for label, of_label in enumerate(ways)
            for way in of_label
        ),
    )


class _Draw:
    """Everything that is random, in one order."""

    def __init__(self, shape: Shape, random: np.random.Generator) -> None:
        self._shape = shape
        self.random = random

    def labels(self) -> Places:
        """`[N]`: labels of unequal sizes."""
        shares = _zipf(1.0, 0.6, self._shape.labels)
        return self.random.choice(
            self._shape.labels, size=self._shape.examples, p=shares / shares.sum()
        )

    def ways(self) -> list[list[Places]]:
        """For every label, the words of each of its rules; none are all among another's."""
        ways: list[Places] = []
        while len(ways) < self._shape.labels * self._shape.rules:
            depth = _DEPTHS[len(ways) % self._shape.rules % len(_DEPTHS)]
            way = self.random.choice(self._shape.words, size=depth, replace=False)
            if not any(set(way) <= set(each) or set(each) <= set(way) for each in ways):
                ways.append(way)
        step = self._shape.rules
        return [ways[start : start + step] for start in range(0, len(ways), step)]

    def chosen(self, labels: Places) -> Places:
        """`[N]`: which rule of its label an example fulfils; the number of rules for none."""
        shares = _zipf(self._shape.rule_share, self._shape.rule_exponent, self._shape.rules)
        return np.searchsorted(np.cumsum(shares), self.random.random(len(labels)), side="right")

    def words(self, examples: int) -> Flags:
        """`[words, N]`: the words as they come, before rules are planted."""
        rates = _zipf(self._shape.word_rate, self._shape.word_exponent, self._shape.words)
        return np.stack([self.random.random(examples) < rate for rate in rates])

    def columns(self, holds: Flags, labels: Places) -> Iterator[Places]:
        """The examples of every phrase: words, topical phrases, noise."""
        yield from map(np.flatnonzero, holds)
        rates = _zipf(0.5, 0.5, self._shape.phrases_a_topic)
        for having in self._topics():
            raised = np.isin(labels, having)
            rate = np.where(raised, self._shape.topical, self._shape.stray)
            active = np.flatnonzero(self.random.random(len(labels)) < rate)
            for each in rates:
                yield active[self.random.random(len(active)) < each]
        topical = self._shape.topics * self._shape.phrases_a_topic
        ranks = np.arange(self._shape.phrases - self._shape.words - topical) + 10
        for often in (2.0 / ranks * len(labels)).astype(np.int64).tolist():
            yield self.random.integers(len(labels), size=often)

    def with_wrong(self, labels: Places) -> Places:
        wrong = self.random.random(len(labels)) < self._shape.wrong
        drawn = self.random.integers(self._shape.labels, size=len(labels))
        return np.where(wrong, drawn, labels)

    def _topics(self) -> Iterator[Places]:
        """The labels that have each topic."""
        having = np.stack(
            [
                self.random.permutation(self._shape.topics) < self._shape.topics_a_label
                for _ in range(self._shape.labels)
            ]
        )
        yield from map(np.flatnonzero, having.T)


def plant(
    holds: Flags,
    labels: Places,
    chosen: Places,
    ways: Sequence[Sequence[Places]],
    *,
    random: np.random.Generator,
) -> None:
    """Let the examples of a rule fulfil it; where another label's do, take a word away."""
    for label, of_label in enumerate(ways):
        for rule, way in enumerate(of_label):
            own = (labels == label) & (chosen == rule)
            holds[way[:, np.newaxis], np.flatnonzero(own)] = True
    for label, of_label in enumerate(ways):
        for way in of_label:
            strays = np.flatnonzero(holds[way].all(axis=0) & (labels != label))
            holds[way[random.integers(len(way), size=len(strays))], strays] = False


class _Parts:
    """The bits of the examples that rules are mined from, and of those that judge them."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.mined = np.zeros((shape.phrases, words_for(shape.mined)), dtype=np.uint64)
        self.held_out = np.zeros((shape.phrases, words_for(shape.held_out)), dtype=np.uint64)

    def add(self, place: int, positions: Places) -> None:
        """Say at which examples a phrase holds."""
        mined = positions < self._shape.mined
        _raise_bits(self.mined[place], positions[mined])
        _raise_bits(self.held_out[place], positions[~mined] - self._shape.mined)

    def table(self, words: Words, labels: Places) -> Table:
        return Table(
            predicates=tuple(
                Has(channel="last", phrase=f"p{place}") for place in range(self._shape.phrases)
            ),
            words=words,
            labels=labels.astype(np.int32),
            label_names=tuple(f"label{label}" for label in range(self._shape.labels)),
            example_ids=tuple(map(str, range(len(labels)))),
        )


def _zipf(first: float, exponent: float, size: int) -> npt.NDArray[np.float64]:
    ranks = np.arange(1, size + 1, dtype=np.float64)
    rates: npt.NDArray[np.float64] = first / ranks**exponent
    return rates


def _raise_bits(row: Words, positions: Places) -> None:
    bits = np.uint64(1) << (positions % WORD_BITS).astype(np.uint64)
    np.bitwise_or.at(row, positions // WORD_BITS, bits)
