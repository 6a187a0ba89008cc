"""How rules are written in the `.rules` language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import assert_never

from rule_store.evidence import CHANNELS, FACTS, Channel, Fact
from rule_store.grammar import KEYWORDS
from rule_store.predicates import Has, Line, Mentions, Reaches
from rule_store.rules import Literal, Rule, RuleSet
from rule_store.rules_text import RuleExample, RulesText, facts_by_default, texts_by_default

_NAME = re.compile(r"[A-Za-z_][\w-]*")


def print_rules(rule_set: RuleSet) -> str:
    """Write a rule set so that reading it gives the same rule set.

    >>> body = (Literal(predicate=Has(channel="last", phrase="Where is my order")),)
    >>> rule = Rule(task="intent", body=body, label="track_order")
    >>> print(print_rules(RuleSet(task="intent", rules=(rule,))), end="")
    when last has "where is my order" then track_order
    """
    return "".join(f"{_printed_rule(rule)}\n" for rule in rule_set.rules)


def print_rules_text(rules_text: RulesText) -> str:
    """Write rules and, below them, examples, so that reading it gives the same."""
    examples = "".join(f"{_printed_example(example)}\n" for example in rules_text.examples)
    return print_rules(rules_text.rule_set) + examples


def _printed_example(example: RuleExample) -> str:
    texts, facts = _needed(example)
    parts = [_printed_texts(each, texts[each]) for each in CHANNELS if each in texts]
    parts += [f"{each} {_printed_number(facts[each])}" for each in FACTS if each in facts]
    label = "nothing" if example.label is None else _named(example.label)
    return f"example {', '.join(parts)} -> {label}"


def _needed(
    example: RuleExample,
) -> tuple[Mapping[Channel, tuple[str, ...]], Mapping[Fact, float]]:
    """Leave out what is read into an example anyway."""
    implied, counted = texts_by_default(example.texts), facts_by_default(example.texts)
    texts = {each: said for each, said in example.texts.items() if implied.get(each) != said}
    facts = {each: value for each, value in example.facts.items() if counted.get(each) != value}
    return (texts, facts) if texts or facts else ({"reply": ()}, facts)


def _printed_texts(channel: Channel, segments: tuple[str, ...]) -> str:
    printed = map(_quoted, segments)
    unnamed = channel == "last" and len(segments) == 1
    return " ".join(printed if unnamed else (channel, *printed))


def _printed_rule(rule: Rule) -> str:
    note = "" if rule.note is None else f" note {_quoted(rule.note)}"
    return f"when {print_body(rule.body)} then {_named(rule.label)}{note}"


def print_body(body: Iterable[Literal]) -> str:
    """Write the literals of a body as they follow each other in a `.rules` text."""
    return " and ".join(map(print_literal, body))


def reading_order(body: Iterable[Literal]) -> tuple[Literal, ...]:
    """Bring what is negated behind what is not, as people say it.

    A release keeps its bodies sorted for the sake of its bytes; their order decides nothing.

    >>> yes = Literal(predicate=Has(channel="last", phrase="refund"))
    >>> no = Literal(predicate=Has(channel="last", phrase="coupon"), negated=True)
    >>> print_body(reading_order((no, yes)))
    'last has "refund" and not last has "coupon"'
    """
    return tuple(sorted(body, key=lambda each: print_literal(each).startswith("not ")))


def print_literal(literal: Literal) -> str:
    """Write one literal as it stands in a `.rules` text."""
    negation = "not " if literal.negated else ""
    match literal.predicate:
        case Has(channel=channel, phrase=phrase):
            return f"{negation}{channel} has {_quoted(phrase)}"
        case Line(channel=channel, line=line):
            return f"{negation}{channel} has line {_quoted(line)}"
        case Mentions(channel=channel, concept=concept, at_least=1):
            return f"{negation}{channel} mentions {_named(concept)}"
        case Mentions(channel=channel, concept=concept, at_least=count):
            return f"{negation}{channel} mentions at least {count} of {_named(concept)}"
        case Reaches(fact=fact, value=value):
            return f"{fact} {'below' if literal.negated else 'at least'} {_printed_number(value)}"
        case _:
            assert_never(literal.predicate)


def _named(name: str) -> str:
    """Write a label or a concept, bare when it is a plain word."""
    bare = _NAME.fullmatch(name) is not None and name not in KEYWORDS
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _printed_number(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)
