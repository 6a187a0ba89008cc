"""Operands: the names, texts and numbers of a `.rules` text, each checked where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar, cast

from lark import Token

from rule_store.errors import (
    InvalidRule,
    Place,
    RulesRefused,
    UnknownChannel,
    UnknownConcept,
    UnknownFact,
    UnknownLabel,
)
from rule_store.evidence import CHANNELS, FACTS
from rule_store.faults import Faults
from rule_store.grammar import bad_escape, place_of
from rule_store.lexicon import Lexicon
from rule_store.rules_text import SEGMENT_CHARS

_NUMBER_CHARS = 32

Made = TypeVar("Made")


class Operands:
    """Reads operands; one that cannot be becomes a fault and is None.

    Args:
        task: the task that the rules belong to.
        labels: its labels; None takes every label.
        lexicon: the domain's lexicon; None takes every concept.
        origin: the text's name, for messages.
        faults: where faults are told.
    """

    def __init__(
        self,
        *,
        task: str,
        labels: Collection[str] | None,
        lexicon: Lexicon | None,
        origin: str,
        faults: Faults,
    ) -> None:
        self._task = task
        self._labels = () if labels is None else labels
        self._label_set = None if labels is None else frozenset(labels)
        self._concepts = None if lexicon is None else lexicon.concepts
        self._origin = origin
        self._faults = faults

    def place(self, token: Token) -> Place:
        return place_of(token, self._origin)

    def refuse(self, fault: str, at: Token) -> None:
        """Tell that a rule or an example cannot be as it stands."""
        self._tell(InvalidRule, at, fault)

    def _tell(self, error: Callable[..., RulesRefused], at: Token, *facts: str) -> None:
        self._faults.tell(partial(error, *facts, place=self.place(at)))

    def made(self, at: Token, make: Callable[[], Made]) -> Made | None:
        """Make a value; what forbids it is a fault of this token."""
        try:
            return make()
        except InvalidRule as error:
            self.refuse(error.fault, at)
            return None

    def text(self, token: Token) -> str | None:
        """What a bare name or a quoted text says."""
        if token.type != "STRING":
            return str(token)
        try:
            text = cast(str, json.loads(token, strict=False))
        except ValueError:
            self._faults.tell(partial(bad_escape, token, self._origin))
            return None
        # Folding takes quadratic time for a run of combining marks, so it gets no long text.
        if len(text) <= SEGMENT_CHARS:
            return text
        self.refuse(f"a text has at most {SEGMENT_CHARS} characters; shorten it", token)
        return None

    def label(self, token: Token) -> str | None:
        label = self.text(token)
        if label is None or self._label_set is None or label in self._label_set:
            return label
        self._tell(partial(UnknownLabel, task=self._task, known=self._labels), token, label)
        return None

    def concept(self, token: Token) -> str | None:
        concept = self.text(token)
        if concept is None or self._concepts is None or concept in self._concepts:
            return concept
        self._tell(partial(UnknownConcept, known=self._concepts), token, concept)
        return None

    def channel(self, token: Token) -> str | None:
        name = str(token)
        if name in CHANNELS:
            return name
        if name in FACTS:
            self.refuse(f"{name} is a number; write: {name} at least 1, or: {name} below 1", token)
        else:
            self._tell(partial(UnknownChannel, known=CHANNELS), token, name)
        return None

    def fact(self, token: Token) -> str | None:
        name = str(token)
        if name in FACTS:
            return name
        if name in CHANNELS:
            self.refuse(f'{name} is a text; write: {name} has "…", or: {name} mentions …', token)
        else:
            self._tell(partial(UnknownFact, known=FACTS), token, name)
        return None

    def number(self, token: Token) -> float | None:
        if len(token) <= _NUMBER_CHARS:
            return float(token)
        self.refuse(f"a number has at most {_NUMBER_CHARS} characters; round it", token)
        return None

    def count(self, token: Token) -> int | None:
        number = self.number(token)
        if number is not None and not number.is_integer():
            self.refuse(f"a count is a whole number, not {token}", token)
            return None
        return None if number is None else int(number)
