"""Beam: the baseline search, which keeps the best bodies of each length."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rule_store.mining.body import Body
from rule_store.mining.evaluator import Evaluator, Expansion
from rule_store.mining.found import Found
from rule_store.mining.proposals import Proposer
from rule_store.mining.reward import Floats, Reward
from rule_store.mining.scan import Codes, Limits, Scanner
from rule_store.mining.table import Table, Words

# A body, its coverage, and what no longer one exceeds.
_Way = tuple[Body, Words, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamSettings:
    """How a beam search looks, and for how long.

    width: bodies of one length that are expanded.
    expansions: most scans; none is the end of the last length.
    budget_s: most wall-clock time.
    most: bodies to bring back.
    """

    limits: Limits = field(default_factory=Limits)
    width: int = 20
    expansions: int | None = None
    budget_s: float | None = None
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamSearch:
    """Beam search behind the port of all searches; it asks no proposer and draws nothing."""

    settings: BeamSettings = field(default_factory=BeamSettings)

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
        return find(
            table,
            label,
            reward=reward,
            weights=weights,
            settings=self.settings,
            taken=taken,
            rows=rows,
        )


def find(
    table: Table,
    label: int,
    *,
    reward: Reward,
    weights: Floats,
    settings: BeamSettings,
    taken: Sequence[Words] = (),
    rows: Codes | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Look for the bodies of highest reward, as `Search.find` says.

    The clock, in seconds, is read only when the settings bound the time.

    Source: Lowerre 1976, "The Harpy speech recognition system"; for rules, Clark and Niblett 1989.
    """
    scanner = Scanner.of(table, label, weights=weights, limits=settings.limits, rows=rows)
    evaluator = Evaluator(scanner=scanner, reward=reward, taken=taken, most=settings.most)
    ends_s = None if settings.budget_s is None else clock() + settings.budget_s
    frontier: list[_Way] = [(frozenset(), scanner.everything, np.inf)]
    while frontier:
        expanded: list[Expansion] = []
        for body, covered, bound in frontier:
            if bound <= evaluator.threshold:
                continue
            spent = evaluator.expansions == settings.expansions
            if spent or (ends_s is not None and expanded and clock() >= ends_s):
                return evaluator.found(exhausted=False)
            expanded.append(evaluator.expand(body, covered))
        frontier = _best(expanded, evaluator, width=settings.width)
    return evaluator.found(exhausted=False)


def _best(expanded: Sequence[Expansion], evaluator: Evaluator, *, width: int) -> list[_Way]:
    """The bodies to expand next, by reward, then by code; each once."""
    ways: dict[Body, tuple[float, Expansion, int, float]] = {}
    for expansion in expanded:
        places, bounds = evaluator.promising(expansion)
        # No body beyond the width of its own expansion is among the best of all.
        order = np.lexsort((expansion.scan.codes[places], -expansion.rewards[places]))[:width]
        for place, bound in zip(places[order].tolist(), bounds[order].tolist(), strict=True):
            body = expansion.scan.body | {int(expansion.scan.codes[place])}
            ways.setdefault(body, (float(expansion.rewards[place]), expansion, place, bound))
    best = sorted(ways.items(), key=lambda each: (-each[1][0], sorted(each[0])))[:width]
    frontier: list[_Way] = []
    for body, (_, expansion, place, bound) in best:
        code = expansion.scan.codes[place : place + 1]
        longer = evaluator.scanner.extended(expansion.scan.covered, code)
        frontier.append((body, longer[0], bound))
    return frontier
