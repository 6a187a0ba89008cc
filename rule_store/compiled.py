"""CompiledRules: what plain evaluation says, without looking at every rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import Self, overload

from rule_store.entries import Ends, Entry, stands
from rule_store.evidence import Channel, Evidence, Fact
from rule_store.index import Index
from rule_store.lexicon import Lexicon
from rule_store.predicates import Truth
from rule_store.predicates import evaluate as evaluate_predicate
from rule_store.rules import Evaluation, Rule, RuleSet

# Sets of unread channels and facts that are kept; live evidence has a handful of them.
_VIEWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """The rules as they stand while some channels and facts are unread.

    blind: positions of the rules that name nothing that is read; they are undecided.
    undecided: the same rules.
    checked: rules that no phrase leads to, or only one in an unread channel.
    """

    blind: tuple[int, ...]
    undecided: tuple[Rule, ...]
    checked: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRules:
    """A rule set laid out for speed: equal to `rules.evaluate` on every evidence.

    Phrases found in one pass lead to the rules of which they are the rarest; only these, and
    rules without a positive literal that is read, are checked.
    """

    rule_set: RuleSet
    lexicon: Lexicon
    index: Index = field(repr=False)
    _views: dict[frozenset[Channel | Fact], _View] = field(repr=False)

    @classmethod
    def of(cls, rule_set: RuleSet, lexicon: Lexicon) -> Self:
        """Compile a rule set.

        Raises:
            UnknownConcept: the lexicon lacks a concept that a rule names.
        """
        index = Index.of(rule_set, lexicon)
        compiled = cls(rule_set=rule_set, lexicon=lexicon, index=index, _views={})
        # The two that live traffic brings: all read, and no screen.
        for unread in (frozenset[str](), frozenset(filter(_of_a_screen, index.reads))):
            compiled._view(unread)
        return compiled

    def evaluate(self, evidence: Evidence) -> Evaluation:
        """Say what fired and what is undecided, in rule-set order."""
        view = self._view(self.index.reads.difference(evidence.texts, evidence.facts))
        found = self.scan(evidence)
        fired: list[int] = []
        undecided: list[int] = []
        for entry in self._reached(evidence, found):
            held = self._truth(entry, evidence, found)
            if held:
                fired.append(entry.position)
            elif held is None:
                undecided.append(entry.position)
        for entry in view.checked:
            held = self._truth(entry, evidence, found)
            if held and entry.anchor is None:
                fired.append(entry.position)
            elif held is not False:  # all the rest holds, and its anchor is unread
                undecided.append(entry.position)
        fired.sort()
        rules = self.rule_set.rules
        return Evaluation(
            fired=tuple([rules[position] for position in fired]),
            undecided=_Merged.of(rules, view, sorted(undecided)) if undecided else view.undecided,
        )

    def evaluate_all(self, evidences: Iterable[Evidence]) -> list[Evaluation]:
        """Evaluate the events of a frame, each for itself.

        Scanning their texts joined saves less than finding out whose each phrase is.
        """
        return [self.evaluate(evidence) for evidence in evidences]

    def _view(self, unread: frozenset[Channel | Fact]) -> _View:
        known = self._views.get(unread)
        if known is None:
            known = _view(self.index.entries, self.rule_set.rules, unread)
            if len(self._views) < _VIEWS:
                self._views[unread] = known
        return known

    def scan(self, evidence: Evidence) -> dict[Channel, set[str]]:
        """The phrases found in each channel that can lead to a rule, at word boundaries or not."""
        texts = evidence.texts
        return {
            channel: leads.automaton.found(texts[channel])
            for channel, leads in self.index.leads.items()
            if channel in texts
        }

    def _reached(self, evidence: Evidence, found: Mapping[Channel, set[str]]) -> Iterable[Entry]:
        """The rules whose anchor is there."""
        reached: list[Entry] = []
        groups: set[int] = set()
        for channel, phrases in found.items():
            leads = self.index.leads[channel]
            for phrase in phrases & leads.anchors:
                if phrase in leads.straight:
                    reached += leads.straight[phrase]
                if phrase in leads.guarded:
                    text = evidence.texts[channel]
                    for ends, group in leads.guarded[phrase]:
                        if ends is Ends.FREE or _stands(phrase, text, ends):
                            groups.add(group)
        for group in groups:
            reached += self.index.groups[group]
        return reached

    def _truth(self, entry: Entry, evidence: Evidence, found: Mapping[Channel, set[str]]) -> Truth:
        """As `rules.truth`, of all but the anchor."""
        texts = evidence.texts
        undecided = False
        for channel, phrase, words, negated in entry.has:
            text = texts.get(channel)
            if text is None:
                undecided = True
            elif (stands(phrase, text) if words else phrase in text) is negated:
                return False
        for predicate, negated in entry.others:
            held = evaluate_predicate(predicate, evidence, self.lexicon)
            if held is None:
                undecided = True
            elif held is negated:
                return False
        for channel, concept, count, negated in entry.mentions:
            text = texts.get(channel)
            if text is None:
                undecided = True
            elif concept.occurs(found[channel], text, count) is negated:
                return False
        return None if undecided else True


def _of_a_screen(name: str) -> bool:
    return name.startswith("screen")


def _stands(phrase: str, text: str, ends: Ends) -> bool:
    return phrase in text.split("\n") if ends is Ends.LINE else stands(phrase, text)


def _view(
    entries: Sequence[Entry], rules: Sequence[Rule], unread: frozenset[Channel | Fact]
) -> _View:
    blind: list[int] = []
    checked: list[Entry] = []
    for entry in entries:
        if entry.reads <= unread:
            blind.append(entry.position)
        elif entry.anchor is None or entry.anchor.channel in unread:
            checked.append(entry)
    return _View(
        blind=tuple(blind),
        undecided=tuple(rules[position] for position in blind),
        checked=tuple(checked),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Merged(Sequence[Rule]):
    """Undecided rules, in rule-set order, that nobody has listed: there may be thousands."""

    rules: Sequence[Rule]
    blind: tuple[int, ...]
    others: tuple[int, ...]

    @classmethod
    def of(cls, rules: Sequence[Rule], view: _View, others: list[int]) -> Self:
        return cls(rules, view.blind, tuple(others))

    def __iter__(self) -> Iterator[Rule]:
        return (self.rules[position] for position in merge(self.blind, self.others))

    def __len__(self) -> int:
        return len(self.blind) + len(self.others)

    @overload
    def __getitem__(self, place: int) -> Rule: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Rule, ...]: ...
    def __getitem__(self, place: int | slice) -> Rule | tuple[Rule, ...]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
