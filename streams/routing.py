"""Verdict → answer now, or defer and why."""

from dataclasses import dataclass
from typing import assert_never

from rule_store import Abstained, Answered, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerNow:
    """The rules' answer stands; no screenshot and no model could change it."""

    verdict: Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """The question goes to the resolver."""

    reason: str


Route = AnswerNow | Defer


def route(verdict: Verdict, *, early_answer: bool = True) -> Route:
    """Decide whether a verdict may skip the resolver.

    Args:
        verdict: of the rules, on what the tagger has read.
        early_answer: False sends every question to the resolver's stage.
    """
    match verdict:
        case Answered() if early_answer:
            return AnswerNow(verdict=verdict)
        case Answered():
            return Defer(reason="no_early_answer")
        case Abstained(reason=reason):
            return Defer(reason=reason)
        case _:
            assert_never(verdict)
