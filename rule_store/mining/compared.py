"""What two releases say of the admission split, question by question."""

from __future__ import annotations

from collections.abc import Sequence
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

    active: None when nothing is in force.
    """

    example_id: str
    task: str
    label: str
    candidate: GateAnswer
    active: GateAnswer | None


@dataclass(frozen=True, slots=True)
class Firings:
    """What was believed of each firing, what came, and which ones come right together."""

    said: list[float]
    right: list[bool]
    example_and_label: list[int]


def firings_of(labels: Sequence[str], answers: Sequence[GateAnswer | None]) -> Firings:
    """Lay out the firings of a release's rules on questions with these right labels."""
    found = Firings([], [], [])
    groups: dict[tuple[int, str], int] = {}
    for place, (label, answer) in enumerate(zip(labels, answers, strict=True)):
        for vote in () if answer is None else answer.votes:
            found.said.append(vote.reliability)
            found.right.append(vote.label == label)
            found.example_and_label.append(groups.setdefault((place, vote.label), len(groups)))
    return found
