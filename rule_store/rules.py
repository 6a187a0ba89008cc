"""Rules: conjunctions of literals that imply a label, and their plain evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal as OneOf
from typing import Self, assert_never

from rule_store.canonical import canonical_json
from rule_store.errors import DuplicateRule, InvalidRule, shown
from rule_store.evidence import Evidence
from rule_store.lexicon import NAME_CHARS, Lexicon, is_name, is_text
from rule_store.predicates import Has, Line, Mentions, Predicate, Reaches, Truth
from rule_store.predicates import evaluate as evaluate_predicate

BODY_LITERALS = 32
NOTE_CHARS = 1000
ID_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A predicate or its negation."""

    predicate: Predicate
    negated: bool = False


def literal_fields(literal: Literal) -> dict[str, str | bool | int | float]:
    """Write a literal as the JSON object that ids and releases are made of."""
    fields: dict[str, str | bool | int | float] = {}
    match literal.predicate:
        case Has(channel=channel, phrase=phrase):
            fields |= {"channel": channel, "has": phrase}
        case Line(channel=channel, line=line):
            fields |= {"channel": channel, "line": line}
        case Mentions(channel=channel, concept=concept, at_least=count):
            fields |= {"channel": channel, "mentions": concept}
            if count > 1:
                fields["at_least"] = count
        case Reaches(fact=fact, value=value):
            fields |= {"fact": fact, "reaches": value}
        case _:
            assert_never(literal.predicate)
    if literal.negated:
        fields["not"] = True
    return fields


def canonical_body(body: tuple[Literal, ...]) -> tuple[Literal, ...]:
    """Sort the literals and keep each once: their order decides nothing."""
    keyed = {canonical_json(literal_fields(literal)): literal for literal in body}
    return tuple(keyed[key] for key in sorted(keyed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When the body holds, the label is implied.

    note: the author's words on it; decides nothing.
    id: digest of task, body (in any order) and label; 16 hexadecimal digits.

    Raises:
        InvalidRule: an empty or overlong body, a name or note that is overlong or no text.
    """

    task: str
    body: tuple[Literal, ...]
    label: str
    note: str | None = None
    id: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name("task", self.task)
        check_name("label", self.label)
        if not self.body:
            raise InvalidRule("a rule needs at least one literal; give it a condition")
        if len(self.body) > BODY_LITERALS:
            raise InvalidRule(f"a rule has at most {BODY_LITERALS} literals; split it")
        if self.note is not None and (len(self.note) > NOTE_CHARS or not is_text(self.note)):
            raise InvalidRule(f"a note is a text of at most {NOTE_CHARS} characters; shorten it")
        object.__setattr__(self, "id", _rule_id(self))

    def canonical(self) -> Self:
        """Give the rule as it decides: body sorted, no note; the id stays."""
        return type(self)(task=self.task, body=canonical_body(self.body), label=self.label)


def check_name(what: str, name: str) -> None:
    if not is_name(name):
        raise InvalidRule(
            f"the {what} {shown(name)} must be a text of 1 to {NAME_CHARS} characters; rename it"
        )


def _rule_id(rule: Rule) -> str:
    body = [literal_fields(literal) for literal in canonical_body(rule.body)]
    return sha256(canonical_json([rule.task, body, rule.label])).hexdigest()[:ID_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The ordered rules of one task.

    Raises:
        InvalidRule: a rule of another task.
        DuplicateRule: a rule twice.
    """

    task: str
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        check_name("task", self.task)
        seen: set[str] = set()
        for rule in self.rules:
            if rule.task != self.task:
                raise InvalidRule(
                    f"rule {rule.id} is of task {shown(rule.task)}; keep it in that task's rules"
                )
            if rule.id in seen:
                raise DuplicateRule(rule.id)
            seen.add(rule.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a rule set says of some evidence, both in rule-set order.

    fired: rules whose body holds.
    undecided: rules that would need what is unread; of thousands, a sequence that is laid out
        only when it is looked at.
    """

    fired: tuple[Rule, ...]
    undecided: Sequence[Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The rules agree on a label and are reliable enough.

    rules: ids of the rules that fired, in rule-set order.
    """

    label: str
    reliability: float
    rules: tuple[str, ...]


AbstainReason = OneOf["no_rule", "conflict", "below_threshold", "needs_screen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstained:
    """The rules decline to answer.

    rules: ids of the rules that were the reason, in rule-set order; none for "no_rule".
    """

    reason: AbstainReason
    rules: tuple[str, ...]


Verdict = Answered | Abstained


def truth(rule: Rule, evidence: Evidence, lexicon: Lexicon) -> Truth:
    """Evaluate a rule's body: one false literal is enough, whatever is unread.

    Raises:
        UnknownConcept: the lexicon lacks a concept that the rule names.
    """
    undecided = False
    for literal in rule.body:
        found = evaluate_predicate(literal.predicate, evidence, lexicon)
        if found is None:
            undecided = True
        elif found is literal.negated:
            return False
    return None if undecided else True


def evaluate(rule_set: RuleSet, evidence: Evidence, lexicon: Lexicon) -> Evaluation:
    """Evaluate all rules of a task plainly, one after the other.

    Raises:
        UnknownConcept: the lexicon lacks a concept that a rule names.
    """
    fired: list[Rule] = []
    undecided: list[Rule] = []
    for rule in rule_set.rules:
        held = truth(rule, evidence, lexicon)
        if held is None:
            undecided.append(rule)
        elif held:
            fired.append(rule)
    return Evaluation(fired=tuple(fired), undecided=tuple(undecided))
