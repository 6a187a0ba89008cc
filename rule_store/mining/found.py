"""Found: what a search for a label's bodies brings back, and the port every search has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rule_store.mining.body import Body
from rule_store.mining.proposals import Proposer
from rule_store.mining.reward import Floats, Reward
from rule_store.mining.scan import Codes
from rule_store.mining.table import Table, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBody:
    """A body with its reward and its counts on the examples it was found in.

    Its precision on these says little about others: it was chosen for them.
    """

    body: Body
    reward: float
    true_positives: int
    covered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """The best reward so far rose: after how many expansions, and to what."""

    expansions: int
    reward: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search brings back.

    bodies: best first; equal rewards by length, then by code.
    expansions: scans made; the unit of cost that searches are compared by.
    evaluations: bodies whose reward was computed.
    trace: how the best reward rose.
    exhausted: nothing better was left within the limits: the first body is the best there is.
    """

    bodies: tuple[FoundBody, ...]
    expansions: int
    evaluations: int
    trace: tuple[Improvement, ...]
    exhausted: bool


class Search(Protocol):
    """A way to look for bodies; its settings are its own."""

    def find(
        self,
        table: Table,
        label: int,
        *,
        reward: Reward,
        proposer: Proposer,
        weights: Floats,
        seed: int,
        taken: Sequence[Words] = (),
        rows: Codes | None = None,
    ) -> Found:
        """Look for the bodies of highest reward.

        Args:
            table: P predicates, N examples.
            label: position in the table's label names.
            reward: what to maximise.
            proposer: which literals to try first.
            weights: `[N]` within 0..1; what each example of the label is worth as gain.
            seed: of all that is random.
            taken: `[W]` masks of what earlier rules cover; bodies that overlap one too much
                are not brought back.
            rows: positions of the predicates that may be used; all when left out.

        Raises:
            ValueError: a weight is out of its range.
        """
        ...
