"""What two releases say of the admission split, question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rule_store.decision import Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """What a release says of a question: a label, or None to abstain.

    votes: of the rules that fired, whoever answered.
    """

    label: str | None
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A question of the admission split, its right label, and what both releases say of it.

    dialogue_id: of the dialogue that the question shows at one moment.
    active: None when nothing is in force.
    """

    example_id: str
    dialogue_id: str
    task: str
    label: str
    candidate: GateAnswer
    active: GateAnswer | None


def dialogues_of(rows: Iterable[Compared]) -> int:
    """How many dialogues the questions are of."""
    return len({row.dialogue_id for row in rows})


def dialogues_by_label(rows: Iterable[Compared]) -> Mapping[str, int]:
    """Label → how many dialogues have a question of it."""
    return Counter(label for label, _ in {(row.label, row.dialogue_id) for row in rows})


@dataclass(frozen=True, slots=True)
class Firings:
    """What was believed of each firing, what came, and which ones come right together.

    dialogue_and_label: rules that agree, at whatever moments of a dialogue, are right together.
    """

    said: list[float]
    right: list[bool]
    dialogue_and_label: list[tuple[str, str]]


def firings_of(rows: Sequence[Compared], answers: Sequence[GateAnswer | None]) -> Firings:
    """Lay out the firings of the rules of a release that answered these questions so."""
    found = Firings([], [], [])
    for row, answer in zip(rows, answers, strict=True):
        for vote in () if answer is None else answer.votes:
            found.said.append(vote.reliability)
            found.right.append(vote.label == row.label)
            found.dialogue_and_label.append((row.dialogue_id, vote.label))
    return found
