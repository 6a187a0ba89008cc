"""Candidates: the predicates worth searching with, taken from labelled evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import ceil
from typing import assert_never

import numpy as np

from rule_store.evidence import CHANNELS, FACTS, Channel, Fact
from rule_store.lexicon import Lexicon, phrase_fault
from rule_store.mining.columns import columns
from rule_store.mining.counting import Pieces, count_pieces
from rule_store.mining.phrases import Phrases
from rule_store.mining.ranking import best_first
from rule_store.mining.sample import Sample
from rule_store.mining.table import LabelledEvidence, Table, Words
from rule_store.predicates import FACT_MAX, Has, Line, Mentions, Predicate, Reaches
from rule_store.rules import Rule

_PLACE = {channel: place for place, channel in enumerate(CHANNELS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSettings:
    """What may become a candidate.

    The defaults suit tasks of talk and of screens alike. Where at least half of the examples say
    something in `last`, phrases, lines and facts of the screen are left out: beside a chat many
    of them hold by chance at the few examples of a label. The concepts on the screen stay.

    phrases: channels that give phrases.
    singles: of these, the ones that give single characters too.
    lines: channels that give whole segments.
    concepts: channels in which the lexicon's concepts are tried.
    facts: those that give thresholds, at these `quantiles` of their values.
    least_chars, most_chars: of phrases that are not words alone.
    min_support, min_coverage: how many examples, and which share of them, a candidate must hold
        at; of a concept or fact so many must also not.
    max_coverage: share of the examples at which a phrase or line may hold.
    most: phrases a channel gives at most, and likewise lines.
    screens_beside_talk: take phrases, lines and facts of the screen whatever is said.
    """

    phrases: tuple[Channel, ...] = (
        "last",
        "user",
        "reply",
        "agent",
        "screen",
        "screen.top",
        "screen.bottom",
    )
    singles: tuple[Channel, ...] = ("last",)
    lines: tuple[Channel, ...] = ("screen.lines",)
    concepts: tuple[Channel, ...] = (
        "last",
        "user",
        "reply",
        "agent",
        "screen",
        "screen.top",
        "screen.bottom",
    )
    facts: tuple[Fact, ...] = FACTS
    quantiles: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    least_chars: int = 2
    most_chars: int = 6
    min_support: int = 3
    min_coverage: float = 0.0002
    max_coverage: float = 0.6
    most: int = 8000
    screens_beside_talk: bool = False

    def bounds(self, examples: int) -> tuple[int, int]:
        """Least and most support of a phrase or line.

        >>> CandidateSettings().bounds(240), CandidateSettings().bounds(100_000)
        ((3, 144), (20, 60000))
        """
        least = max(1, self.min_support, ceil(self.min_coverage * examples))
        return least, int(self.max_coverage * examples)


def candidates(
    examples: Sequence[LabelledEvidence],
    lexicon: Lexicon,
    settings: CandidateSettings,
    pack_rules: Sequence[Rule] = (),
) -> tuple[Predicate, ...]:
    """Find the predicates that a search may build rules from.

    First stand those of the pack's own rules, all of them, so that its bodies can be written with
    the table. Of other predicates that hold at the same examples the simplest is kept: a concept
    before several phrases of one, then a line, a phrase (the shorter; a single character last), a
    fact; among equals the channel that comes first in `CHANNELS`, then the text. They follow in
    this order.

    Where a channel offers more than `settings.most` phrases, those are taken that rank first for
    some label, by careful precision and recall (`ranking.best_first`).

    Raises:
        UnknownConcept: the lexicon lacks a concept of the pack's rules.
        UnreadEvidence: an example's channel or fact is unread.
    """
    return _tested(examples, lexicon, settings, pack_rules)[0]


def candidate_table(
    examples: Sequence[LabelledEvidence],
    lexicon: Lexicon,
    settings: CandidateSettings,
    pack_rules: Sequence[Rule] = (),
    *,
    label_names: Sequence[str],
) -> Table:
    """The table of the `candidates`, which are tested once and not a second time.

    Raises:
        ValueError: an example's label is not among the names.
        UnknownConcept: the lexicon lacks a concept of the pack's rules.
        UnreadEvidence: an example's channel or fact is unread.
    """
    predicates, words = _tested(examples, lexicon, settings, pack_rules)
    return Table.of_words(words, examples, predicates=predicates, label_names=label_names)


def _tested(
    examples: Sequence[LabelledEvidence],
    lexicon: Lexicon,
    settings: CandidateSettings,
    pack_rules: Sequence[Rule],
) -> tuple[tuple[Predicate, ...], Words]:
    """The candidates and where they hold, `[P, W]`."""
    own = dict.fromkeys(literal.predicate for rule in pack_rules for literal in rule.body)
    sample = Sample.of(examples)
    suited = settings if settings.screens_beside_talk else _without_screens(sample, settings)
    found = {
        *_phrases(sample, suited),
        *_lines(sample, suited),
        *_mentions(lexicon, suited),
        *_thresholds(sample, suited),
    }
    offered = (*own, *sorted(found - own.keys(), key=_simplicity))
    words = columns(sample.evidences, offered, lexicon=lexicon, names=sample.names)
    support = np.bitwise_count(words).sum(axis=1, dtype=np.int64).tolist()
    distinct: dict[bytes, int] = {}
    for place, predicate in enumerate(offered):
        if place < len(own) or _in_bounds(predicate, support[place], len(examples), settings):
            distinct.setdefault(blake2b(words[place].tobytes()).digest(), place)
    kept = list(dict.fromkeys((*range(len(own)), *distinct.values())))
    return tuple(offered[place] for place in kept), words[kept]


def _without_screens(sample: Sample, settings: CandidateSettings) -> CandidateSettings:
    """Where the examples talk, keep only the concepts of the screen."""
    if not sample.talks:
        return settings
    return replace(
        settings,
        phrases=tuple(each for each in settings.phrases if not _of_a_screen(each)),
        lines=tuple(each for each in settings.lines if not _of_a_screen(each)),
        facts=tuple(each for each in settings.facts if not _of_a_screen(each)),
    )


def _of_a_screen(name: Channel | Fact) -> bool:
    return name.startswith("screen")


def _counted(
    sample: Sample, channel: Channel, pieces: Pieces, settings: CandidateSettings
) -> Iterator[str]:
    """The pieces of a channel with enough support; at most `settings.most`, the best."""
    least, most = settings.bounds(len(sample.names))
    counted = count_pieces(
        sample.texts(channel), sample.labels, pieces=pieces, least=least, most=most
    )
    # The simplest of those that occur in the same examples stands first.
    _, first = np.unique(counted.marks, return_index=True)
    distinct = np.sort(first)
    best = distinct[best_first(counted.counts[distinct], sample.totals)[: settings.most]]
    return (counted.pieces[place] for place in best.tolist())


def _phrases(sample: Sample, settings: CandidateSettings) -> Iterator[Predicate]:
    for channel in settings.phrases:
        phrases = Phrases(
            least_chars=settings.least_chars,
            most_chars=settings.most_chars,
            singles=channel in settings.singles,
        )
        for phrase in _counted(sample, channel, phrases.of, settings):
            yield Has(channel=channel, phrase=phrase)


def _lines(sample: Sample, settings: CandidateSettings) -> Iterator[Predicate]:
    for channel in settings.lines:
        for line in _counted(sample, channel, _whole_lines, settings):
            yield Line(channel=channel, line=line)


def _whole_lines(text: str) -> set[str]:
    return {line for line in text.split("\n") if phrase_fault(line) is None}


def _mentions(lexicon: Lexicon, settings: CandidateSettings) -> Iterator[Predicate]:
    for concept, phrases in lexicon.concepts.items():
        for channel in settings.concepts:
            yield Mentions(channel=channel, concept=concept)
            if len(phrases) > 1:
                yield Mentions(channel=channel, concept=concept, at_least=2)


def _thresholds(sample: Sample, settings: CandidateSettings) -> Iterator[Predicate]:
    for fact in settings.facts:
        values = np.array(sample.values(fact), dtype=np.float64)
        if not len(values):
            continue
        # A value that occurs: nothing is rounded, and the same examples reach it anywhere.
        for value in np.quantile(values, settings.quantiles, method="higher").tolist():
            if abs(value) <= FACT_MAX:
                yield Reaches(fact=fact, value=value)


def _simplicity(predicate: Predicate) -> tuple[int, int, int, str, float]:
    """The order in which predicates that hold at the same examples are preferred."""
    match predicate:
        case Mentions(channel=channel, concept=concept, at_least=count):
            return min(count, 2) - 1, _PLACE[channel], count, concept, 0.0
        case Line(channel=channel, line=line):
            return 2, _PLACE[channel], len(line), line, 0.0
        case Has(channel=channel, phrase=phrase):
            return 3 if len(phrase) > 1 else 4, _PLACE[channel], len(phrase), phrase, 0.0
        case Reaches(fact=fact, value=value):
            return 5, 0, 0, fact, value
        case _:
            assert_never(predicate)


def _in_bounds(
    predicate: Predicate, support: int, examples: int, settings: CandidateSettings
) -> bool:
    least, most = settings.bounds(examples)
    if isinstance(predicate, Mentions | Reaches):
        most = examples - least
    return least <= support <= most
