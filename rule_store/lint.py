"""Lint: rules that can never answer, say the same twice, or name what does not exist."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from rule_store.errors import Place, UnknownConcept, UnknownLabel, shown
from rule_store.findings import ErrorKind, Finding, NoteKind, WarningKind
from rule_store.implication import Implications
from rule_store.lead_lint import lead_fault
from rule_store.lexicon import Lexicon
from rule_store.predicates import Mentions, Predicate, Reaches
from rule_store.printing import print_literal
from rule_store.rules import Literal, Rule, RuleSet
from rule_store.rules_text import RuleExample

_Key = tuple[bool, Predicate | str]


def lint_rules(
    rule_set: RuleSet,
    *,
    lexicon: Lexicon,
    labels: Collection[str],
    places: Mapping[str, Place] | None = None,
    examples: Iterable[RuleExample] = (),
    reliability: Mapping[str, float] | None = None,
) -> tuple[Finding, ...]:
    """Look through the rules of one task, without evidence.

    Bound: every rule is compared with the rules that are indexed by a literal it implies, and each
    is indexed by its literal that the fewest rules imply; so rules without a rare literal in
    common cost next to nothing, and n rules of one and the same literals would cost n².

    Args:
        rule_set: as read, names unchecked.
        lexicon: the domain's.
        labels: the task's.
        places: rule id → where it stands.
        examples: that stand beside the rules.
        reliability: rule id → its fitted one, as far as known: a narrower rule that is more
            reliable than the wider ones of its label says something of its own.

    Returns:
        What was found: rules in their order, then examples, then labels.
    """
    check = _Check(
        rule_set,
        lexicon=lexicon,
        labels=labels,
        places=places or {},
        reliability=reliability or {},
    )
    found = [finding for rule in rule_set.rules for finding in check.findings(rule)]
    given = {rule.label for rule in rule_set.rules}
    return (
        *found,
        *(
            _unknown_answer(each, rule_set.task, labels)
            for each in examples
            if _foreign(each, labels)
        ),
        *(_without_rule(label) for label in labels if label not in given),
    )


class _Check:
    """Everything that is found out once for a rule set."""

    def __init__(
        self,
        rule_set: RuleSet,
        *,
        lexicon: Lexicon,
        labels: Collection[str],
        places: Mapping[str, Place],
        reliability: Mapping[str, float],
    ) -> None:
        self._task = rule_set.task
        self._lexicon = lexicon
        self._labels = labels
        self._places = places
        self._reliability = reliability
        self._implied = Implications((rule.body for rule in rule_set.rules), lexicon)
        self._clashes = {rule.id: self._implied.contradiction(rule.body) for rule in rule_set.rules}
        self._order = {rule.id: number for number, rule in enumerate(rule_set.rules)}
        possible = [rule for rule in rule_set.rules if not self._clashes[rule.id]]
        # Whoever asks for nothing positive can only be found by what it refuses.
        self._refused = {
            literal.predicate
            for rule in possible
            if not any(map(_asks, rule.body))
            for literal in rule.body
        }
        self._index = _index(possible, self._reached)
        self._asked = {rule.id: _asked(rule) for rule in possible}

    def findings(self, rule: Rule) -> Iterator[Finding]:
        yield from self._unknown(rule)
        if clash := self._clashes[rule.id]:
            yield self._found("contradictory", rule, _contradictory(clash))
            return
        if fault := lead_fault(rule):
            kind, message = fault
            yield self._found(kind, rule, message)
        yield from self._against_others(rule)

    def _unknown(self, rule: Rule) -> Iterator[Finding]:
        known = self._lexicon.concepts
        for concept in dict.fromkeys(_concepts(rule)):
            if concept not in known:
                fault = UnknownConcept(concept, known=known).fault
                yield self._found("unknown_concept", rule, fault)
        if rule.label not in self._labels:
            fault = UnknownLabel(rule.label, task=self._task, known=self._labels).fault
            yield self._found("unknown_label", rule, fault)

    def _against_others(self, rule: Rule) -> Iterator[Finding]:
        """Name the first rule that fires wherever this one does, for each label side."""
        wider = self._wider(rule)
        same = [other for other in wider if other.label == rule.label]
        others = [other for other in wider if other.label != rule.label]
        twins = [other for other in same if self._implied.body_implies(other.body, rule.body)]
        if twins:
            earlier = [other for other in twins if self._order[other.id] < self._order[rule.id]]
            if earlier:
                fault = f"says the same as {self._named(earlier)}; remove one of the two"
                yield self._found("duplicate", rule, fault)
        else:
            yield from self._shadowed(rule, same)
        if others:
            yield self._found(
                "conflicting",
                rule,
                f"never answers: {self._named(others)} fires wherever it does and gives "
                f"{shown(others[0].label)}; add to the other a `not` of what stands here, or "
                "remove one of the two",
            )

    def _shadowed(self, rule: Rule, wider: list[Rule]) -> Iterator[Finding]:
        """Name the first wider rule of its label; where all are fitted, one no less reliable."""
        known = self._reliability
        own = known.get(rule.id)
        if own is None or any(other.id not in known for other in wider):
            shadows = wider
            told = (
                "adds nothing: {} fires wherever it does and gives the same label; remove this one "
                "or narrow the other"
            )
        else:
            shadows = [other for other in wider if known[other.id] >= own]
            told = (
                "only repeats a vote: {}, no less reliable, fires wherever it does and gives the "
                "same label; remove this one, unless its vote shall count too"
            )
        if shadows:
            yield self._found("shadowed", rule, told.format(self._named(shadows)))

    def _wider(self, rule: Rule) -> list[Rule]:
        """The rules whose body follows from this one's, in rule-set order."""
        reached = frozenset(self._reached(rule))
        wider = [
            other
            for key in reached
            for other in self._index.get(key, ())
            if self._asked[other.id] <= reached
            and other.id != rule.id
            and self._implied.body_implies(rule.body, other.body)
        ]
        return sorted(wider, key=lambda other: self._order[other.id])

    def _reached(self, rule: Rule) -> Iterator[_Key]:
        """The keys of what a rule's body implies."""
        for literal in rule.body:
            predicate = literal.predicate
            yield _key(literal)
            if _asks(literal):
                yield from ((False, each) for each in self._implied.weaker(predicate))
            else:
                implied = self._implied.stronger(predicate) & self._refused
                yield from ((True, each) for each in implied)

    def _named(self, rules: list[Rule]) -> str:
        place = self._places.get(rules[0].id)
        where = "" if place is None else f" (line {place.line})"
        more = f" and {len(rules) - 1} more" if len(rules) > 1 else ""
        return f"rule {rules[0].id}{where}{more}"

    def _found(self, kind: ErrorKind | WarningKind | NoteKind, rule: Rule, message: str) -> Finding:
        return Finding(kind=kind, message=message, rule=rule.id, place=self._places.get(rule.id))


def _contradictory(clash: tuple[Literal, ...]) -> str:
    words = [f"`{print_literal(literal)}`" for literal in clash]
    if len(words) == 1:
        return f"never fires: the concept has fewer phrases than {words[0]} asks for; ask for fewer"
    return f"never fires: {words[0]} and {words[1]} exclude each other; remove one of the two"


def _foreign(example: RuleExample, labels: Collection[str]) -> bool:
    return example.label is not None and example.label not in labels


def _unknown_answer(example: RuleExample, task: str, labels: Collection[str]) -> Finding:
    fault = UnknownLabel(example.label or "", task=task, known=labels).fault
    return Finding(kind="unknown_label", message=fault, place=example.place)


def _without_rule(label: str) -> Finding:
    return Finding(
        kind="label_without_rule",
        message=f"no rule gives {shown(label)}; write one, or leave it to the model",
    )


def _concepts(rule: Rule) -> Iterator[str]:
    for literal in rule.body:
        if isinstance(literal.predicate, Mentions):
            yield literal.predicate.concept


def _index(rules: list[Rule], reached: Callable[[Rule], Iterable[_Key]]) -> dict[_Key, list[Rule]]:
    """Put every rule under the one of its keys that the fewest rules imply."""
    reached_by = Counter(key for rule in rules for key in set(reached(rule)))
    index: dict[_Key, list[Rule]] = defaultdict(list)
    for rule in rules:
        keys = _asked(rule) or frozenset(map(_key, rule.body))
        index[min(keys, key=lambda key: reached_by[key])].append(rule)
    return index


def _asks(literal: Literal) -> bool:
    return not literal.negated


def _asked(rule: Rule) -> frozenset[_Key]:
    return frozenset(_key(literal) for literal in rule.body if _asks(literal))


def _key(literal: Literal) -> _Key:
    predicate = literal.predicate
    # Numbers of one fact imply each other without end: they are compared, not listed.
    return literal.negated, predicate.fact if isinstance(predicate, Reaches) else predicate
