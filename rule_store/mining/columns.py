"""Columns: one packed bit an example for every predicate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, assert_never

import numpy as np
import numpy.typing as npt

from rule_store.automaton import Automaton
from rule_store.entries import Ends, ends, stands
from rule_store.evidence import Channel, Evidence, Fact
from rule_store.lexicon import Lexicon
from rule_store.mining.errors import UnreadEvidence
from rule_store.predicates import Has, Line, Mentions, Predicate, Reaches

Words = npt.NDArray[np.uint64]

WORD_BITS = 64
# One byte an example and predicate, before they are packed: 16 MiB.
_BLOCK_CELLS = 1 << 24


def columns(
    evidences: Sequence[Evidence],
    predicates: Sequence[Predicate],
    *,
    lexicon: Lexicon,
    names: Sequence[str],
) -> Words:
    """Test every predicate on every evidence, as `predicates.evaluate` would.

    Args:
        evidences: N of them.
        predicates: P of them.
        lexicon: has the concepts that they name.
        names: of the evidences, for errors.

    Returns:
        `[P, W]` as in `Table.words`.

    Raises:
        UnknownConcept: the lexicon lacks a concept that a predicate names.
        UnreadEvidence: a channel or fact is unread that a predicate names.
    """
    scans = _scans(predicates, lexicon)
    facts = _thresholds(predicates)
    words = np.zeros((len(predicates), words_for(len(evidences))), dtype=np.uint64)
    rows = max(1, _BLOCK_CELLS // WORD_BITS // max(1, len(predicates))) * WORD_BITS
    for start in range(0, len(evidences), rows):
        block = evidences[start : start + rows]
        holds = np.zeros((len(block), len(predicates)), dtype=np.bool_)
        for row, evidence in enumerate(block):
            for scan in scans:
                text = evidence.texts.get(scan.channel)
                if text is None:
                    raise UnreadEvidence(names[start + row], f"channel {scan.channel}")
                holds[row, list(scan.found(text))] = True
        for fact, (places, least) in facts.items():
            values = _measured(block, fact, names[start : start + rows])
            holds[:, places] = values[:, np.newaxis] >= least
        words[:, start // WORD_BITS : start // WORD_BITS + words_for(len(block))] = packed(holds)
    return words


def packed(holds: npt.NDArray[np.bool_]) -> Words:
    """Pack flags `[N, P]` into words `[P, W]`, the first example in the lowest bit.

    >>> packed(np.array([[True, False], [True, True]])).tolist()
    [[3], [2]]
    """
    examples, predicates = holds.shape
    width = words_for(examples)
    octets = np.zeros((predicates, width * 8), dtype=np.uint8)
    octets[:, : (examples + 7) // 8] = np.packbits(holds, axis=0, bitorder="little").T
    return octets.view("<u8").astype(np.uint64, copy=False)


def words_for(examples: int) -> int:
    """How many words hold a bit for each example.

    >>> words_for(64), words_for(65)
    (1, 2)
    """
    return (examples + WORD_BITS - 1) // WORD_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """The predicates on one channel, reached through what its text holds.

    has, lines: phrase or line → positions of the predicates that test it.
    concepts: phrase → numbers of the concepts that it belongs to.
    mentions: by concept: how many phrases at least, position of the predicate.
    """

    channel: Channel
    automaton: Automaton
    worded: frozenset[str]
    has: dict[str, list[int]]
    lines: dict[str, list[int]]
    concepts: dict[str, list[str]]
    mentions: dict[str, list[tuple[int, int]]]

    @classmethod
    def of(
        cls, channel: Channel, asked: Iterable[tuple[int, Has | Line | Mentions]], lexicon: Lexicon
    ) -> Self:
        has: defaultdict[str, list[int]] = defaultdict(list)
        lines: defaultdict[str, list[int]] = defaultdict(list)
        mentions: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for position, predicate in asked:
            match predicate:
                case Has(phrase=phrase):
                    has[phrase].append(position)
                case Line(line=line):
                    lines[line].append(position)
                case Mentions(concept=concept, at_least=count):
                    mentions[concept].append((count, position))
                case _:
                    assert_never(predicate)
        concepts: defaultdict[str, list[str]] = defaultdict(list)
        for concept in mentions:
            for phrase in lexicon.phrases(concept):
                concepts[phrase].append(concept)
        phrases = {**has, **concepts}
        return cls(
            channel=channel,
            automaton=Automaton(phrases),
            worded=frozenset(phrase for phrase in phrases if ends(phrase) is Ends.WORDS),
            has=dict(has),
            lines=dict(lines),
            concepts=dict(concepts),
            mentions=dict(mentions),
        )

    def found(self, text: str) -> Iterator[int]:
        """Positions of the predicates that hold; perhaps one twice."""
        mentioned: Counter[str] = Counter()
        for phrase in self.automaton.found(text):
            if phrase in self.worded and not stands(phrase, text):
                continue
            yield from self.has.get(phrase, ())
            mentioned.update(self.concepts.get(phrase, ()))
        for concept, count in mentioned.items():
            for least, position in self.mentions[concept]:
                if count >= least:
                    yield position
        if self.lines:
            for line in text.split("\n"):
                yield from self.lines.get(line, ())


def _scans(predicates: Sequence[Predicate], lexicon: Lexicon) -> list[_Scan]:
    asked: defaultdict[Channel, list[tuple[int, Has | Line | Mentions]]] = defaultdict(list)
    for position, predicate in enumerate(predicates):
        if not isinstance(predicate, Reaches):
            asked[predicate.channel].append((position, predicate))
    return [_Scan.of(channel, each, lexicon) for channel, each in asked.items()]


def _thresholds(
    predicates: Sequence[Predicate],
) -> dict[Fact, tuple[list[int], npt.NDArray[np.float64]]]:
    """Fact → positions of the predicates on it, and their least values."""
    asked: defaultdict[Fact, dict[int, float]] = defaultdict(dict)
    for position, predicate in enumerate(predicates):
        if isinstance(predicate, Reaches):
            asked[predicate.fact][position] = predicate.value
    return {
        fact: (list(least), np.array(list(least.values()), dtype=np.float64))
        for fact, least in asked.items()
    }


def _measured(
    evidences: Sequence[Evidence], fact: Fact, names: Sequence[str]
) -> npt.NDArray[np.float64]:
    values = np.empty(len(evidences), dtype=np.float64)
    for row, evidence in enumerate(evidences):
        value = evidence.facts.get(fact)
        if value is None:
            raise UnreadEvidence(names[row], f"fact {fact}")
        values[row] = value
    return values
