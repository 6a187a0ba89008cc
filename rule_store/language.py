"""The `.rules` language: text → rules and examples."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import cast

from lark import Token

from rule_store.errors import DuplicateRule, Place
from rule_store.faults import Faults
from rule_store.grammar import Node, statements, tokens_of
from rule_store.lexicon import Lexicon
from rule_store.operands import Made, Operands
from rule_store.predicates import Has, Line, Mentions, Predicate, Reaches
from rule_store.rules import Literal, Rule, RuleSet
from rule_store.rules_text import RuleExample, RulesText


def read_rules(
    text: str,
    *,
    task: str,
    labels: Collection[str] | None = None,
    lexicon: Lexicon | None = None,
    origin: str = "<text>",
) -> RuleSet:
    """Read the rules of a text, as `read_rules_text` does, and leave its examples."""
    return read_rules_text(text, task=task, labels=labels, lexicon=lexicon, origin=origin).rule_set


def read_rules_text(
    text: str,
    *,
    task: str,
    labels: Collection[str] | None = None,
    lexicon: Lexicon | None = None,
    origin: str = "<text>",
) -> RulesText:
    """Read the rules of one task and their examples.

    Args:
        text: the contents of a `.rules` file.
        task: the task that the rules belong to.
        labels: the task's labels; None takes every label.
        lexicon: the domain's lexicon; None takes every concept.
        origin: the file's name, for messages.

    Raises:
        RulesTextRefused: the text has faults; all of them.
    """
    faults = Faults()
    operands = Operands(task=task, labels=labels, lexicon=lexicon, origin=origin, faults=faults)
    rules = _Rules(task, operands, faults)
    examples: list[RuleExample | None] = []
    for statement in statements(tokens_of(text, origin, faults), origin, faults):
        if statement.data == "rule":
            rules.add(statement)
        else:
            examples.append(_example(statement, operands))
    faults.refuse()
    return RulesText(
        rule_set=RuleSet(task=task, rules=tuple(rules.read)),
        examples=tuple(filter(None, examples)),
        places=rules.places,
    )


class _Rules:
    """The rules read so far, each once."""

    def __init__(self, task: str, operands: Operands, faults: Faults) -> None:
        self._task = task
        self._operands = operands
        self._faults = faults
        self.read: list[Rule] = []
        self.places: dict[str, Place] = {}

    def add(self, node: Node) -> None:
        begin, *parts, named, noted = cast("list[Token | None]", node.children)
        at = cast(Token, named)
        body = [_literal(cast(Node, part), self._operands) for part in parts]
        label = self._operands.label(at)
        note = None if noted is None else self._operands.text(noted)
        literals = tuple(filter(None, body))
        if label is None or len(literals) != len(body):
            return
        make = partial(Rule, task=self._task, body=literals, label=label, note=note)
        if rule := self._operands.made(at, make):
            self._add_once(rule, cast(Token, begin), at)

    def _add_once(self, rule: Rule, begin: Token, at: Token) -> None:
        if first := self.places.get(rule.id):
            place = self._operands.place(at)
            self._faults.tell(partial(DuplicateRule, rule.id, first=first, place=place))
            return
        self.places[rule.id] = self._operands.place(begin)
        self.read.append(rule)


def _literal(node: Node, operands: Operands) -> Literal | None:
    tokens = cast("list[Token | None]", list(node.children))
    negated = node.data == "below" or tokens.pop(0) is not None
    measured, operand = cast(Token, tokens[0]), cast(Token, tokens[-1])
    match node.data:
        case "has" | "line":
            predicate = _occurrence(str(node.data), measured, operand, operands)
        case "mentions":
            predicate = _mentions(measured, tokens[1], operand, operands)
        case _:
            predicate = _reaches(measured, operand, operands)
    return None if predicate is None else Literal(predicate=predicate, negated=negated)


def _occurrence(kind: str, measured: Token, operand: Token, operands: Operands) -> Predicate | None:
    channel, text = operands.channel(measured), operands.text(operand)
    if channel is None or text is None:
        return None
    make: Callable[[], Predicate] = partial(Has, channel=channel, phrase=text)
    if kind == "line":
        make = partial(Line, channel=channel, line=text)
    return operands.made(operand, make)


def _mentions(
    measured: Token, counted: Token | None, operand: Token, operands: Operands
) -> Predicate | None:
    channel, concept = operands.channel(measured), operands.concept(operand)
    count = 1 if counted is None else operands.count(counted)
    if channel is None or concept is None or count is None:
        return None
    make = partial(Mentions, channel=channel, concept=concept, at_least=count)
    return operands.made(operand, make)


def _reaches(measured: Token, operand: Token, operands: Operands) -> Predicate | None:
    fact, number = operands.fact(measured), operands.number(operand)
    if fact is None or number is None:
        return None
    return operands.made(operand, partial(Reaches, fact=fact, value=number))


def _example(node: Node, operands: Operands) -> RuleExample | None:
    begin, *parts, verdict = node.children
    at = cast(Token, verdict)
    said = _Said(operands)
    for part in parts:
        said.add(cast(Node, part))
    label = None if at.type == "NOTHING" else operands.label(at)
    if said.faulty or (label is None and at.type != "NOTHING"):
        return None
    start = cast(Token, begin)
    place = operands.place(start)
    make = partial(RuleExample, texts=said.texts, facts=said.facts, label=label, place=place)
    return operands.made(start, make)


class _Said:
    """What an example says, each channel and fact once."""

    def __init__(self, operands: Operands) -> None:
        self._operands = operands
        self.texts: dict[str, tuple[str, ...]] = {}
        self.facts: dict[str, float] = {}
        self.faulty = False

    def add(self, node: Node) -> None:
        measured, *others = cast("list[Token]", node.children)
        match node.data:
            case "fact":
                number = self._operands.number(others[0])
                self._put(self.facts, self._operands.fact(measured), number, measured)
            case "texts":
                channel = self._operands.channel(measured)
                self._put(self.texts, channel, self._segments(others), measured)
            case _:
                self._put(self.texts, "last", self._segments([measured]), measured)

    def _segments(self, tokens: list[Token]) -> tuple[str, ...] | None:
        segments = [self._operands.text(token) for token in tokens]
        known = tuple(segment for segment in segments if segment is not None)
        return known if len(known) == len(segments) else None

    def _put(
        self, values: dict[str, Made], name: str | None, value: Made | None, at: Token
    ) -> None:
        if name is None or value is None:
            self.faulty = True
        elif name in values:
            self.faulty = True
            self._operands.refuse(
                f"{name} stands in this example a second time; remove one of the two", at
            )
        else:
            values[name] = value
