"""Index: rules laid out so that a text leads to the few that may fire."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from rule_store.automaton import Automaton
from rule_store.entries import Anchor, Concept, Ends, Entry, ends, entry_of
from rule_store.evidence import Channel, Fact
from rule_store.lexicon import Lexicon
from rule_store.predicates import Has, Line, Mentions, Reaches
from rule_store.rules import Rule, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """What a channel is scanned for.

    automaton: finds the anchors, and the phrases of all concepts that are tested there.
    anchors: the phrases that lead to rules.
    straight: phrase → the rules it leads to as soon as it is found.
    guarded: phrase → what to look at first, number of a group; other phrases may lead there too.
    """

    automaton: Automaton
    anchors: frozenset[str]
    straight: Mapping[str, tuple[Entry, ...]]
    guarded: Mapping[str, tuple[tuple[Ends, int], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """All rules of a task, reached through the rarest phrase of each.

    groups: entries that share an anchor.
    leads: by channel; of every channel that has an anchor or a concept.
    reads: all channels and facts that any rule names.
    """

    entries: tuple[Entry, ...]
    groups: tuple[tuple[Entry, ...], ...]
    leads: Mapping[Channel, Leads]
    reads: frozenset[Channel | Fact]

    @classmethod
    def of(cls, rule_set: RuleSet, lexicon: Lexicon) -> Index:
        """Lay rules out.

        Raises:
            UnknownConcept: the lexicon lacks a concept that a rule names.
        """
        shared = {
            concept: Concept.of(lexicon.phrases(concept)) for concept in _concepts(rule_set.rules)
        }
        common = _commonness(rule_set.rules, shared)
        entries = tuple(
            entry_of(position, rule, _anchor(rule, common, shared), shared)
            for position, rule in enumerate(rule_set.rules)
        )
        grouped: defaultdict[Anchor, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.anchor is not None:
                grouped[entry.anchor].append(entry)
        return cls(
            entries=entries,
            groups=tuple(map(tuple, grouped.values())),
            leads=_leads(grouped, entries, shared),
            reads=frozenset[str]().union(*(entry.reads for entry in entries)),
        )


def _concepts(rules: Iterable[Rule]) -> set[str]:
    return {
        literal.predicate.concept
        for rule in rules
        for literal in rule.body
        if isinstance(literal.predicate, Mentions)
    }


def _offered(rule: Rule) -> Iterable[Anchor]:
    for literal in rule.body:
        if not literal.negated and not isinstance(literal.predicate, Reaches):
            yield literal.predicate


def _phrases(anchor: Anchor, concepts: Mapping[str, Concept]) -> Iterable[str]:
    match anchor:
        case Has(phrase=phrase):
            return (phrase,)
        case Line(line=line):
            return (line,)
        case Mentions(concept=concept):
            return concepts[concept].phrases
        case _:
            assert_never(anchor)


def _commonness(rules: Iterable[Rule], concepts: Mapping[str, Concept]) -> Mapping[str, int]:
    """Phrase → how often the rules say it, also as a part of a longer one.

    What authors write and miners find is the nearest thing to a sample of the texts to come.
    """
    said = Counter(
        phrase for rule in rules for each in _offered(rule) for phrase in _phrases(each, concepts)
    )
    automaton = Automaton(said)
    common: Counter[str] = Counter()
    for phrase, times in said.items():
        for part in automaton.found(phrase):
            common[part] += times
    return common


def _anchor(
    rule: Rule, common: Mapping[str, int], concepts: Mapping[str, Concept]
) -> Anchor | None:
    """The rarest positive literal; among equals the longest.

    Texts come before screens, which are unread for the tagger: it sees every event.
    """

    def commonness(anchor: Anchor) -> tuple[bool, int, int]:
        phrases = _phrases(anchor, concepts)
        unread = anchor.channel.startswith("screen")
        return unread, sum(common[each] for each in phrases), -min(map(len, phrases))

    return min(_offered(rule), key=commonness, default=None)


def _leads(
    grouped: Mapping[Anchor, Sequence[Entry]],
    entries: Iterable[Entry],
    concepts: Mapping[str, Concept],
) -> dict[Channel, Leads]:
    straight: defaultdict[Channel, dict[str, tuple[Entry, ...]]] = defaultdict(dict)
    guarded: defaultdict[Channel, defaultdict[str, list[tuple[Ends, int]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number, (anchor, group) in enumerate(grouped.items()):
        channel = guarded[anchor.channel]
        match anchor:
            case Has(phrase=phrase) if ends(phrase) is Ends.FREE:
                straight[anchor.channel][phrase] = tuple(group)
            case Has(phrase=phrase):
                channel[phrase].append((Ends.WORDS, number))
            case Line(line=line):
                channel[line].append((Ends.LINE, number))
            case Mentions(concept=concept):
                for phrase in concepts[concept].phrases:
                    channel[phrase].append((ends(phrase), number))
            case _:
                assert_never(anchor)
    tested = _tested(entries)
    return {
        channel: _scan(straight[channel], guarded[channel], tested[channel])
        for channel in {*guarded, *tested}
    }


def _scan(
    straight: Mapping[str, tuple[Entry, ...]],
    guarded: Mapping[str, Sequence[tuple[Ends, int]]],
    tested: Iterable[frozenset[str]],
) -> Leads:
    anchors = frozenset({*straight, *guarded})
    return Leads(
        automaton=Automaton(sorted(anchors.union(*tested))),
        anchors=anchors,
        straight=straight,
        guarded={phrase: tuple(leads) for phrase, leads in guarded.items()},
    )


def _tested(entries: Iterable[Entry]) -> defaultdict[Channel, set[frozenset[str]]]:
    """The concepts that are tested beside an anchor, by channel."""
    tested: defaultdict[Channel, dict[int, Concept]] = defaultdict(dict)
    for entry in entries:
        for channel, concept, _, _ in entry.mentions:
            tested[channel][id(concept)] = concept
    return defaultdict(
        set,
        {
            channel: {concept.phrases for concept in concepts.values()}
            for channel, concepts in tested.items()
        },
    )
