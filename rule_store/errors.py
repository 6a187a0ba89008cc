"""What can go wrong with rules, lexicons and releases.

RuleStoreError
├── RulesRefused           rules that say something impossible; knows the place in a `.rules` text
│   ├── RuleSyntaxError    the text does not follow the grammar
│   ├── UnknownChannel     no such evidence channel
│   ├── UnknownFact        nobody measures that
│   ├── UnknownConcept     the lexicon has no such concept
│   ├── UnknownLabel       the task has no such label
│   ├── InvalidRule        empty body, empty phrase, something too long
│   ├── DuplicateRule      the same task, body and label twice
│   └── RulesTextRefused   a `.rules` text, with all its faults
├── InvalidLexicon         an empty concept or phrase
├── ReliabilityMissing     a rule fired whose reliability nobody gave
├── InvalidRelease         bytes that are no release, or a release that contradicts itself
├── InvalidActivation      likewise an activation
├── InvalidEnvelope        likewise signed bytes
├── Untrusted              no trusted signature, or a wrong one
├── KeyRefused             a key file that cannot be used as asked
└── RegistryError          likewise the registry; its tree is in registry_errors.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_SHOWN_CHARS = 60
_SHOWN_NAMES = 12


def shown(text: str) -> str:
    """Quote a text of unknown origin for a message: escaped and cut.

    >>> shown("refund")
    '"refund"'
    """
    cut = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
    return f'"{cut.encode("unicode_escape").decode()}"' if not cut.isprintable() else f'"{cut}"'


def part(name: str) -> str:
    """Name a step of a path, quoted only when it could be mistaken."""
    return name if name.isprintable() and len(name) <= _SHOWN_CHARS else shown(name)


def choice(name: str, known: Iterable[str]) -> str:
    """Say what could have been meant instead of an unknown name."""
    names = list(known)
    if not names:
        return "there are none"
    near = get_close_matches(name[:_SHOWN_CHARS], names, n=1)
    meant = f"did you mean {shown(near[0])}? " if near else ""
    listed = ", ".join(shown(each) for each in names[:_SHOWN_NAMES])
    return f"{meant}known: {listed}{', …' if len(names) > _SHOWN_NAMES else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a `.rules` text; line and column count from 1."""

    origin: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}:{self.column}"


class RuleStoreError(Exception):
    """Base of all errors of this package."""


class RulesRefused(RuleStoreError):
    """Rules that cannot be taken.

    Attributes:
        fault: what is wrong and what to do about it.
        place: where it stands, when it was read from a text.
    """

    def __init__(self, fault: str, *, place: Place | None = None) -> None:
        super().__init__(fault if place is None else f"{place}: {fault}")
        self.fault = fault
        self.place = place


class RuleSyntaxError(RulesRefused):
    """The text does not follow the grammar; `expected` says what could stand at the place."""

    def __init__(
        self, *, origin: str, line: int, column: int, expected: tuple[str, ...], message: str
    ) -> None:
        super().__init__(message, place=Place(origin=origin, line=line, column=column))
        self.origin = origin
        self.line = line
        self.column = column
        self.expected = expected
        self.message = message


class UnknownChannel(RulesRefused):
    """No such evidence channel."""

    def __init__(self, channel: str, *, known: Iterable[str], place: Place | None = None) -> None:
        super().__init__(f"unknown channel {shown(channel)}; {choice(channel, known)}", place=place)
        self.channel = channel


class UnknownFact(RulesRefused):
    """Nobody measures that."""

    def __init__(self, fact: str, *, known: Iterable[str], place: Place | None = None) -> None:
        super().__init__(f"unknown fact {shown(fact)}; {choice(fact, known)}", place=place)
        self.fact = fact


class UnknownConcept(RulesRefused):
    """The lexicon has no such concept."""

    def __init__(self, concept: str, *, known: Iterable[str], place: Place | None = None) -> None:
        super().__init__(
            f"unknown concept {shown(concept)}; add it to the lexicon or correct the name: "
            f"{choice(concept, known)}",
            place=place,
        )
        self.concept = concept


class UnknownLabel(RulesRefused):
    """The task has no such label."""

    def __init__(
        self, label: str, *, task: str, known: Iterable[str], place: Place | None = None
    ) -> None:
        super().__init__(
            f"task {shown(task)} has no label {shown(label)}; add it to the domain pack or "
            f"correct the name: {choice(label, known)}",
            place=place,
        )
        self.label = label
        self.task = task


class InvalidRule(RulesRefused):
    """A rule that cannot exist."""


class DuplicateRule(RulesRefused):
    """The same task, body and label twice."""

    def __init__(
        self, rule_id: str, *, first: Place | None = None, place: Place | None = None
    ) -> None:
        where = "" if first is None else f" (first in line {first.line})"
        super().__init__(
            f"the rule {rule_id} stands here a second time{where}; remove one of the two",
            place=place,
        )
        self.rule_id = rule_id


class RulesTextRefused(RulesRefused):
    """A `.rules` text that cannot be taken.

    Attributes:
        errors: its faults in order of place; of many only the first.
        unnamed: how many more there are.
    """

    def __init__(self, errors: Sequence[RulesRefused], *, unnamed: int = 0) -> None:
        first, *others = errors
        more = [f"and {unnamed} more; mend these first"] if unnamed else []
        super().__init__("\n".join((first.fault, *map(str, others), *more)), place=first.place)
        self.errors = tuple(errors)
        self.unnamed = unnamed


class InvalidLexicon(RuleStoreError):
    """A concept that says nothing."""

    def __init__(self, concept: str, fault: str) -> None:
        super().__init__(f"lexicon: concept {shown(concept)} {fault}")
        self.concept = concept
        self.fault = fault


class ReliabilityMissing(RuleStoreError):
    """A rule fired whose reliability nobody gave."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(
            f"rule {rule_id} has no reliability; build the release again from these rules"
        )
        self.rule_id = rule_id


class _Malformed(RuleStoreError):
    """Bytes or values that are not what they should be.

    Attributes:
        where: the part at fault, as a path from the top; empty for the whole.
        fault: what is wrong with it and what to do.
    """

    noun = "value"

    def __init__(self, where: str, fault: str) -> None:
        super().__init__(f"invalid {self.noun}{f', {where}' if where else ''}: {fault}")
        self.where = where
        self.fault = fault


class InvalidRelease(_Malformed):
    """Bytes that are no release, or a release that contradicts itself."""

    noun = "release"


class InvalidActivation(_Malformed):
    """Bytes that are no activation, or one that contradicts itself."""

    noun = "activation"


class InvalidEnvelope(_Malformed):
    """Bytes that are no signed content."""

    noun = "signed envelope"


class Untrusted(RuleStoreError):
    """Signed by nobody whom the trust store knows, or not what was signed."""

    def __init__(self, fault: str, *, key_ids: tuple[str, ...] = ()) -> None:
        super().__init__(fault)
        self.key_ids = key_ids


class KeyRefused(RuleStoreError):
    """A key file that cannot be used as asked."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"{path}: {fault}")
        self.path = path
        self.fault = fault
