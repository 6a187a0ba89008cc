"""Explain: why rules fired on some evidence, or what they lacked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from rule_store.evidence import Evidence
from rule_store.lexicon import Lexicon
from rule_store.predicates import Has, Line, Mentions, Predicate, Reaches, Truth, occurs
from rule_store.predicates import evaluate as evaluate_predicate
from rule_store.rules import Literal, Rule, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Where something stands in the folded text of a channel: characters `start` to `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedLiteral:
    """A literal on some evidence.

    held: of the literal as it stands in the rule, negation included.
    spans: every place of what its predicate looks for, in order; also where a negated one finds
        what it must not. None of a fact.
    value: what its fact measures, when it was measured.
    """

    literal: Literal
    held: Truth
    spans: tuple[Span, ...] = ()
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRule:
    """A rule on some evidence, its literals in the order of its body."""

    rule: Rule
    literals: tuple[ExplainedLiteral, ...]

    @property
    def held(self) -> Truth:
        """As `rules.truth`: one false literal is enough, whatever is unread."""
        if any(literal.held is False for literal in self.literals):
            return False
        return None if self.missing else True

    @property
    def missing(self) -> tuple[ExplainedLiteral, ...]:
        """The literals that do not hold, or that nobody can tell."""
        return tuple(literal for literal in self.literals if literal.held is not True)

    @property
    def nearly(self) -> bool:
        """Whether just one literal is missing, and something that the rule looks for is there.

        Without the second condition every rule of one literal would nearly fire everywhere.
        """
        found = any(each.held and not each.literal.negated for each in self.literals)
        return found and len(self.missing) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a rule set makes of some evidence, each in rule-set order.

    fired: rules whose body holds.
    nearly: rules that exactly one literal keeps from firing, be it false or undecided.
    undecided: the other rules that an unread channel leaves open.
    """

    fired: tuple[ExplainedRule, ...]
    nearly: tuple[ExplainedRule, ...]
    undecided: tuple[ExplainedRule, ...]


def explain(rule_set: RuleSet, evidence: Evidence, lexicon: Lexicon) -> Explanation:
    """Say which rules fired or nearly fired, and where each literal stands in the text.

    >>> has = [Literal(predicate=Has(channel="last", phrase=phrase)) for phrase in ("is it", "box")]
    >>> rules = (Rule(task="intent", body=tuple(has), label="track_order"),)
    >>> seen = Evidence.of({"last": ["Where is it?"]})
    >>> nearly = explain(RuleSet(task="intent", rules=rules), seen, Lexicon.of({})).nearly
    >>> [(literal.held, literal.spans) for literal in nearly[0].literals]
    [(True, (Span(start=6, end=11),)), (False, ())]

    Raises:
        UnknownConcept: the lexicon lacks a concept that a rule names.
    """
    fired: list[ExplainedRule] = []
    nearly: list[ExplainedRule] = []
    undecided: list[ExplainedRule] = []
    known: dict[Predicate, ExplainedLiteral] = {}
    for rule in rule_set.rules:
        literals = tuple(_literal(each, evidence, lexicon, known) for each in rule.body)
        explained = ExplainedRule(rule=rule, literals=literals)
        if explained.held:
            fired.append(explained)
        elif explained.nearly:
            nearly.append(explained)
        elif explained.held is None:
            undecided.append(explained)
    return Explanation(fired=tuple(fired), nearly=tuple(nearly), undecided=tuple(undecided))


def _literal(
    literal: Literal,
    evidence: Evidence,
    lexicon: Lexicon,
    known: dict[Predicate, ExplainedLiteral],
) -> ExplainedLiteral:
    predicate = literal.predicate
    if predicate not in known:
        known[predicate] = _explained(predicate, evidence, lexicon)
    found = known[predicate]
    held = None if found.held is None else found.held is not literal.negated
    return ExplainedLiteral(literal=literal, held=held, spans=found.spans, value=found.value)


def _explained(predicate: Predicate, evidence: Evidence, lexicon: Lexicon) -> ExplainedLiteral:
    """The predicate as a literal of its own."""
    value = evidence.facts.get(predicate.fact) if isinstance(predicate, Reaches) else None
    return ExplainedLiteral(
        literal=Literal(predicate=predicate),
        held=evaluate_predicate(predicate, evidence, lexicon),
        spans=tuple(sorted(set(_spans(predicate, evidence, lexicon)))),
        value=value,
    )


def _spans(predicate: Predicate, evidence: Evidence, lexicon: Lexicon) -> Iterator[Span]:
    if isinstance(predicate, Reaches):
        return
    text = evidence.texts.get(predicate.channel, "")
    match predicate:
        case Has(phrase=phrase):
            yield from occurrences(phrase, text)
        case Line(line=line):
            yield from _lines(line, text)
        case Mentions(concept=concept):
            for phrase in lexicon.phrases(concept):
                yield from occurrences(phrase, text)
        case _:
            assert_never(predicate)


def occurrences(phrase: str, text: str) -> Iterator[Span]:
    """Every place where a folded phrase occurs in a folded text, as `occurs` understands it.

    >>> [span.start for span in occurrences("art", "art is no party, art")]
    [0, 17]
    """
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        # With one neighbour on either side `occurs` can judge no other place than this one.
        if occurs(phrase, text[max(0, start - 1) : end + 1]):
            yield Span(start=start, end=end)
        start = text.find(phrase, start + 1)


def _lines(line: str, text: str) -> Iterator[Span]:
    start = 0
    for segment in text.split("\n"):
        if segment == line:
            yield Span(start=start, end=start + len(segment))
        start += len(segment) + 1
