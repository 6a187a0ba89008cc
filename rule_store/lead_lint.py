"""Lint of what leads to a rule: the text that must be there before the engine looks at it."""

from __future__ import annotations

from collections.abc import Iterable

from rule_store.evidence import Channel, Fact
from rule_store.findings import NoteKind, WarningKind
from rule_store.predicates import Reaches
from rule_store.rules import Literal, Rule


def lead_fault(rule: Rule) -> tuple[NoteKind | WarningKind, str] | None:
    """Say when no text leads to a rule, or one that the tagger does not read."""
    leading = [literal for literal in rule.body if _is_text(literal) and not literal.negated]
    if leading and _of_screens(leading) and not _of_screens(rule.body):
        return "led_by_screen", (
            "is led to by screens only, and also asks for what is no screen: where no screen "
            "is read, it is checked for every event; a text of the dialogue that must be "
            "there would spare that"
        )
    if leading:
        return None
    if any(not _is_text(literal) and _of_screens([literal]) for literal in rule.body):
        return "led_by_facts", (
            "goes by what is measured of a screen and names no text that must be there: it is "
            "checked for every event; such a text would spare that"
        )
    return "never_indexed", (
        "names no text that must be there, and neither a fact nor a `not` leads to a rule: "
        "it is checked for every event; add such a text"
    )


def _of_screens(literals: Iterable[Literal]) -> bool:
    return all(_read(literal).startswith("screen") for literal in literals)


def _read(literal: Literal) -> Channel | Fact:
    predicate = literal.predicate
    return predicate.fact if isinstance(predicate, Reaches) else predicate.channel


def _is_text(literal: Literal) -> bool:
    return not isinstance(literal.predicate, Reaches)
