"""Implication: which literals hold wherever another one holds, whatever the text says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from rule_store.lexicon import Lexicon
from rule_store.predicates import Has, Line, Mentions, Predicate, Reaches, occurs
from rule_store.rules import Literal

Body = tuple[Literal, ...]


class Implications:
    """What follows from what among the predicates of some rules, in one and the same channel.

    `has "refund now"` implies `has "refund"`, a line implies what it has, either implies the
    concepts that it mentions, a higher number implies a lower one. It is sound and not complete:
    what only two literals together imply is not seen.
    """

    def __init__(self, bodies: Iterable[Body], lexicon: Lexicon) -> None:
        known = {literal.predicate for body in bodies for literal in body}
        self._lexicon = lexicon
        self._weaker = _weaker(known, lexicon)
        self._stronger: dict[Predicate, set[Predicate]] = defaultdict(set)
        for strong, weak in self._weaker.items():
            for each in weak:
                self._stronger[each].add(strong)

    def weaker(self, predicate: Predicate) -> Collection[Predicate]:
        """The known predicates that hold wherever this one does, itself too; not of facts."""
        return self._weaker.get(predicate, ())

    def stronger(self, predicate: Predicate) -> AbstractSet[Predicate]:
        """The known predicates that imply this one, itself too; not of facts."""
        return self._stronger.get(predicate, frozenset())

    def implies(self, strong: Literal, weak: Literal) -> bool:
        if strong.negated is not weak.negated:
            return False
        if strong.negated:
            return self._holds_with(weak.predicate, strong.predicate)
        return self._holds_with(strong.predicate, weak.predicate)

    def body_implies(self, strong: Body, weak: Body) -> bool:
        """Whether every literal of one body follows from one of the other's."""
        return all(any(self.implies(each, literal) for each in strong) for literal in weak)

    def contradiction(self, body: Body) -> Body:
        """The literals that cannot hold together, or the one that never can; none when all may."""
        for literal in body:
            if not literal.negated and self._impossible(literal.predicate):
                return (literal,)
        refused = [literal for literal in body if literal.negated]
        for literal in body:
            for other in refused:
                if not literal.negated and self._holds_with(literal.predicate, other.predicate):
                    return (literal, other)
        return ()

    def _holds_with(self, strong: Predicate, weak: Predicate) -> bool:
        match strong, weak:
            case Reaches(fact=fact, value=value), Reaches(fact=other, value=least):
                return fact == other and value >= least
        return weak in self._weaker.get(strong, ())

    def _impossible(self, predicate: Predicate) -> bool:
        if not isinstance(predicate, Mentions):
            return False
        phrases = self._lexicon.concepts.get(predicate.concept)
        return phrases is not None and predicate.at_least > len(phrases)


class _Phrases:
    """Every phrase that some rule or concept looks for, found inside other phrases."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._known = frozenset(phrases)
        self._lengths = sorted({len(phrase) for phrase in self._known})
        self._found: dict[str, frozenset[str]] = {}

    def inside(self, text: str) -> frozenset[str]:
        """The phrases that occur wherever this text stands alone.

        Bound: characters of the text x different lengths of phrases, at most 200 x 200.
        """
        if text not in self._found:
            found = {part for part in self._parts(text) if part in self._known}
            self._found[text] = frozenset(part for part in found if occurs(part, text))
        return self._found[text]

    def _parts(self, text: str) -> Iterator[str]:
        for length in self._lengths:
            for start in range(len(text) - length + 1):
                yield text[start : start + length]


def _weaker(known: set[Predicate], lexicon: Lexicon) -> dict[Predicate, frozenset[Predicate]]:
    """Predicate → those of the same channel that it implies; facts are compared as numbers."""
    mentions: dict[tuple[str, str], list[Mentions]] = defaultdict(list)
    for predicate in known:
        if isinstance(predicate, Mentions):
            mentions[predicate.channel, predicate.concept].append(predicate)
    concepts = {concept: lexicon.concepts.get(concept, ()) for _, concept in mentions}
    sought = {predicate.phrase for predicate in known if isinstance(predicate, Has)}
    phrases = _Phrases(sought.union(*concepts.values()))
    concepts_of: dict[str, list[str]] = defaultdict(list)
    for concept, its_phrases in concepts.items():
        for phrase in its_phrases:
            concepts_of[phrase].append(concept)
    weaker: dict[Predicate, frozenset[Predicate]] = {}
    for predicate in known:
        if isinstance(predicate, Reaches):
            continue
        found, counts = _sure(predicate, phrases, concepts, concepts_of)
        channel = predicate.channel
        has: Iterable[Predicate] = (Has(channel=channel, phrase=phrase) for phrase in found)
        mentioned: Iterable[Predicate] = (
            each
            for concept, count in counts.items()
            for each in mentions.get((channel, concept), ())
            if each.at_least <= count
        )
        weaker[predicate] = frozenset({*has, *mentioned} & known) | {predicate}
    return weaker


def _sure(
    predicate: Has | Line | Mentions,
    phrases: _Phrases,
    concepts: Mapping[str, tuple[str, ...]],
    concepts_of: Mapping[str, list[str]],
) -> tuple[Collection[str], Mapping[str, int]]:
    """The phrases that surely occur where a predicate holds; concept → how many of its do."""
    match predicate:
        case Has(phrase=text) | Line(line=text):
            found = phrases.inside(text)
            return found, Counter(name for each in found for name in concepts_of.get(each, ()))
        case Mentions(concept=concept, at_least=count):
            own = concepts[concept]
    inside = [phrases.inside(phrase) for phrase in own]
    # Of any `count` phrases one is among those that bring a phrase, when fewer than `count` do not.
    brings = Counter(phrase for each in inside for phrase in each)
    sure = [phrase for phrase, bringing in brings.items() if len(own) - bringing < count]
    names = ({name for phrase in each for name in concepts_of.get(phrase, ())} for each in inside)
    touches = Counter(name for each in names for name in each)
    shared = Counter(name for phrase in own for name in concepts_of.get(phrase, ()))
    counts = {
        name: max(int(len(own) - touching < count), count - (len(own) - shared[name]))
        for name, touching in touches.items()
    }
    return sure, counts | {concept: count}
