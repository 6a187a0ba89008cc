"""The `.rules` language: text ⇄ rule set."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from functools import cache
from typing import assert_never, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from rule_store.errors import (
    DuplicateRule,
    InvalidRule,
    Place,
    RuleSyntaxError,
    UnknownChannel,
    UnknownConcept,
    UnknownLabel,
    shown,
)
from rule_store.evidence import CHANNELS
from rule_store.lexicon import Lexicon
from rule_store.predicates import Has, Mentions, Predicate
from rule_store.rules import Literal, Rule, RuleSet

TEXT_CHARS = 8 * 1024 * 1024
KEYWORDS = ("when", "and", "not", "has", "mentions", "then", "note")

# Each terminal matches in one pass: no two alternatives of a repetition share a first character.
_GRAMMAR = r"""
start: rule*
rule: "when" _literal ("and" _literal)* "then" _name ["note" STRING]
_literal: has | mentions
has: [NOT] _channel "has" STRING
mentions: [NOT] _channel "mentions" _name
_channel: NAME | DOTTED
_name: NAME | STRING

NOT: "not"
NAME: /[A-Za-z_][\w-]*/
DOTTED.2: /[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+/
STRING: /"([^"\\\n]|\\[^\n])*"/
COMMENT: /#[^\n]*/
%ignore COMMENT
%ignore /[\s\ufeff]+/
"""
_NAME = re.compile(r"[A-Za-z_][\w-]*")

Node = Tree[Token]


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic")


def read_rules(
    text: str,
    *,
    task: str,
    labels: Collection[str] | None = None,
    lexicon: Lexicon | None = None,
    origin: str = "<text>",
) -> RuleSet:
    """Read the rules of one task.

    Args:
        text: the contents of a `.rules` file.
        task: the task that the rules belong to.
        labels: the task's labels; None takes every label.
        lexicon: the domain's lexicon; None takes every concept.
        origin: the file's name, for messages.

    Raises:
        RuleSyntaxError: the text does not follow the grammar.
        UnknownChannel, UnknownConcept, UnknownLabel: a name that does not exist.
        InvalidRule, DuplicateRule: a rule that cannot be, or stands twice.
    """
    tree = _parse(text, origin)
    places: dict[str, Place] = {}
    rules: list[Rule] = []
    for node in tree.children:
        rule, place = _rule(cast(Node, node), task, labels, lexicon, origin)
        if rule.id in places:
            raise DuplicateRule(rule.id, first=places[rule.id], place=place)
        places[rule.id] = place
        rules.append(rule)
    return RuleSet(task=task, rules=tuple(rules))


def print_rules(rule_set: RuleSet) -> str:
    """Write a rule set so that reading it gives the same rule set.

    >>> body = (Literal(predicate=Has(channel="last", phrase="Where is my order")),)
    >>> rule = Rule(task="intent", body=body, label="track_order")
    >>> print(print_rules(RuleSet(task="intent", rules=(rule,))), end="")
    when last has "where is my order" then track_order
    """
    return "".join(f"{_printed_rule(rule)}\n" for rule in rule_set.rules)


def _printed_rule(rule: Rule) -> str:
    body = " and ".join(map(print_literal, rule.body))
    note = "" if rule.note is None else f" note {_quoted(rule.note)}"
    return f"when {body} then {_named(rule.label)}{note}"


def print_literal(literal: Literal) -> str:
    """Write one literal as it stands in a `.rules` text."""
    negation = "not " if literal.negated else ""
    match literal.predicate:
        case Has(channel=channel, phrase=phrase):
            return f"{negation}{channel} has {_quoted(phrase)}"
        case Mentions(channel=channel, concept=concept):
            return f"{negation}{channel} mentions {_named(concept)}"
        case _:
            assert_never(literal.predicate)


def _named(name: str) -> str:
    bare = _NAME.fullmatch(name) is not None and name not in KEYWORDS
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _rule(
    node: Node,
    task: str,
    labels: Collection[str] | None,
    lexicon: Lexicon | None,
    origin: str,
) -> tuple[Rule, Place]:
    body = tuple(_literal(cast(Node, each), lexicon, origin) for each in node.children[:-2])
    label_token, note_token = cast("tuple[Token, Token | None]", node.children[-2:])
    label = _unquoted(label_token, origin)
    place = _place(label_token, origin)
    if labels is not None and label not in labels:
        raise UnknownLabel(label, task=task, known=labels, place=place)
    note = None if note_token is None else _unquoted(note_token, origin)
    try:
        return Rule(task=task, body=body, label=label, note=note), place
    except InvalidRule as error:
        raise InvalidRule(error.fault, place=place) from None


def _literal(node: Node, lexicon: Lexicon | None, origin: str) -> Literal:
    negation, channel, operand = cast("tuple[Token | None, Token, Token]", node.children)
    place = _place(operand, origin)
    name = _unquoted(operand, origin)
    if channel not in CHANNELS:
        raise UnknownChannel(str(channel), known=CHANNELS, place=_place(channel, origin))
    try:
        predicate = _predicate(node, str(channel), name)
    except InvalidRule as error:
        raise InvalidRule(error.fault, place=place) from None
    if isinstance(predicate, Mentions) and lexicon and name not in lexicon.concepts:
        raise UnknownConcept(name, known=lexicon.concepts, place=place)
    return Literal(predicate=predicate, negated=negation is not None)


def _predicate(node: Node, channel: str, name: str) -> Predicate:
    if node.data == "has":
        return Has(channel=channel, phrase=name)
    return Mentions(channel=channel, concept=name)


def _unquoted(token: Token, origin: str) -> str:
    if token.type != "STRING":
        return str(token)
    try:
        return cast(str, json.loads(token, strict=False))
    except ValueError:
        raise _syntax_error(
            _place(token, origin),
            (),
            r"a quoted text with an unknown escape; write \\ for a backslash, \" for a quote",
        ) from None


def _place(token: Token, origin: str) -> Place:
    return Place(origin=origin, line=token.line or 1, column=token.column or 1)


def _parse(text: str, origin: str) -> Node:
    if len(text) > TEXT_CHARS:
        raise _syntax_error(
            Place(origin=origin, line=1, column=1),
            (),
            f"{len(text)} characters are more than the {TEXT_CHARS} allowed; split the rules",
        )
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise _refused(error, origin) from None


def _refused(error: UnexpectedInput, origin: str) -> RuleSyntaxError:
    """Say in words what the parser met."""
    place = Place(origin=origin, line=max(error.line, 1), column=max(error.column, 1))
    match error:
        case UnexpectedCharacters(char='"'):
            return _syntax_error(place, (), 'a text begins here and never ends; close it with "')
        case UnexpectedCharacters(char=character):
            return _syntax_error(
                place,
                (),
                f'unexpected {shown(character)}; texts and odd names stand in "…", '
                "comments begin with #",
            )
        case UnexpectedToken(token=token):
            expected = _in_words(error.accepts or error.expected)
            found = "the text ends" if token.type == "$END" else f"found {shown(token)}"
            return _syntax_error(place, expected, f"expected {' or '.join(expected)}, but {found}")
    return _syntax_error(place, (), 'this is no rule; write: when last has "…" then label')


def _in_words(terminals: Collection[str]) -> tuple[str, ...]:
    """Name the terminals that could stand here as an author knows them.

    >>> _in_words({"NAME", "STRING"}), _in_words({"NAME", "DOTTED", "NOT"})
    (('a name or "text"',), ('"not"', 'a channel (last, user, reply, agent, screen, …)'))
    """
    words = {f'"{word}"' for word in KEYWORDS if word.upper() in terminals}
    if "DOTTED" in terminals:
        words.add(f"a channel ({', '.join(CHANNELS[:5])}, …)")
    elif "NAME" in terminals:
        words.add('a name or "text"')
    elif "STRING" in terminals:
        words.add('a "text"')
    if "$END" in terminals:
        words.add("the end")
    return tuple(sorted(words))


def _syntax_error(place: Place, expected: tuple[str, ...], message: str) -> RuleSyntaxError:
    return RuleSyntaxError(
        origin=place.origin,
        line=place.line,
        column=place.column,
        expected=expected,
        message=message,
    )
