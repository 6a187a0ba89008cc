"""Builders of rules of one task; a test names only what it is about."""

from rule_store import Has, Line, Literal, Mentions, Predicate, Reaches, Rule

Part = Predicate | Literal


def has(phrase: str, channel: str = "last") -> Predicate:
    return Has(channel=channel, phrase=phrase)


def line(text: str, channel: str = "last") -> Predicate:
    return Line(channel=channel, line=text)


def mentions(concept: str, at_least: int = 1) -> Predicate:
    return Mentions(channel="last", concept=concept, at_least=at_least)


def reaches(fact: str, least: float) -> Predicate:
    return Reaches(fact=fact, value=least)


def no(predicate: Predicate) -> Literal:
    return Literal(predicate=predicate, negated=True)


def rule(*body: Part, label: str = "track") -> Rule:
    literals = (each if isinstance(each, Literal) else Literal(predicate=each) for each in body)
    return Rule(task="intent", body=tuple(literals), label=label)
