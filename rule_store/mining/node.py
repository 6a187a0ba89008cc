"""Node: a body in the search tree with the statistics of its actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rule_store.mining.body import Body
from rule_store.mining.proposals import prior
from rule_store.mining.reward import Floats, comparable
from rule_store.mining.scan import Codes
from rule_store.mining.table import Words


class BackUp(StrEnum):
    """What an action's value is, of the values of the simulations that went through it.

    MAX suits a search for one best body: a good body below is not drowned by its siblings.
    Source: Coulom 2006, "Efficient selectivity and backup operators in Monte-Carlo tree search".
    """

    MAX = "max"
    MEAN = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How a node's next action is chosen.

    exploration: weight of the prior against the values found, 0 or more.
    widening, widening_exponent: a node simulated n times admits the first
        ⌈widening · (n + 1)^exponent⌉ of its open actions, the most likely first.
    back_up: see `BackUp`.
    """

    exploration: float = 8.0
    widening: float = 4.0
    widening_exponent: float = 0.5
    back_up: BackUp = BackUp.MEAN


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A body that was expanded; its `A` actions each add a literal and lead to another node.

    Bodies are sets, so that a node may have many parents; statistics stand at the actions of each
    parent. Source: Childs, Brodeur and Kocsis 2008, "Transpositions and move groups in MCTS".

    covered: `[W]` mask of the examples that the body covers.
    actions: `[A]` codes of literals, by falling prior.
    logits: `[A]` the proposer's.
    rewards: `[A]` reward of the body with the literal.
    bounds: `[A]` what no body beyond that exceeds.
    visits: `[A]` simulations that took the action.
    totals, highest: `[A]` sum and maximum of their values.
    open: `[A]` whether anything below may still be expanded.
    """

    body: Body
    covered: Words
    actions: Codes
    logits: Floats
    rewards: Floats
    bounds: Floats
    visits: Codes
    totals: Floats
    highest: Floats
    open: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def values(self, back_up: BackUp) -> Floats:
        """`[A]`; an action never taken has the reward of the body it leads to."""
        seen = self.highest if back_up is BackUp.MAX else self.totals / np.maximum(self.visits, 1)
        return np.where(self.visits > 0, seen, self.rewards)

    def close(self, *, threshold: float) -> None:
        """Prune the actions below which no body exceeds the threshold."""
        self.open &= self.bounds > threshold


def admitted(node: Node, selection: Selection) -> Codes:
    """Positions of the actions that may be chosen: progressive widening.

    Source: Coulom 2007, "Computing Elo ratings of move patterns in the game of Go", section 4.
    """
    simulated = int(node.visits.sum())
    most = np.ceil(selection.widening * (simulated + 1) ** selection.widening_exponent)
    places: Codes = np.flatnonzero(node.open)[: int(most)]
    return places


def puct(node: Node, places: Codes, selection: Selection, *, scale: float) -> Floats:
    """Score actions: value / scale + c · prior · √(n + 1) / (1 + n(a)).

    Args:
        node: simulated n times since it was expanded, n(a) times through action a.
        places: `[K]` the admitted actions; the prior is the softmax over these.
        selection: has c, the exploration.
        scale: the highest reward so far, which brings the values into 0..1.

    Returns:
        `[K]`.

    Source: Rosin 2011, "Multi-armed bandits with episode context"; Silver et al. 2017, "Mastering
    the game of Go without human knowledge", with the node's own expansion counted in n + 1.
    """
    visits = node.visits[places]
    explore = np.sqrt(node.visits.sum() + 1) / (1 + visits)
    values = node.values(selection.back_up)[places] / (scale or 1.0)
    return comparable(values + selection.exploration * prior(node.logits[places]) * explore)


def select(node: Node, selection: Selection, *, scale: float) -> int | None:
    """Position of the action to take, or none when nothing below is open."""
    places = admitted(node, selection)
    if not len(places):
        return None
    return int(places[int(np.argmax(puct(node, places, selection, scale=scale)))])


def back_up(path: Sequence[tuple[Node, int]], value: float) -> None:
    """Let every action on the way from the root know what came of it."""
    for node, place in path:
        node.visits[place] += 1
        node.totals[place] += value
        node.highest[place] = max(node.highest[place], value)
