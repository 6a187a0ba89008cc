"""Search: Monte Carlo tree search for the bodies of a label."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rule_store.mining.body import Body
from rule_store.mining.evaluator import Evaluator, Expansion
from rule_store.mining.found import Found
from rule_store.mining.node import Node, Selection, back_up, select
from rule_store.mining.proposals import Proposer, prior
from rule_store.mining.reward import Floats, Reward, comparable, ranked
from rule_store.mining.scan import Codes, Limits, Scanner
from rule_store.mining.table import Table, Words

_Path = list[tuple[Node, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSettings:
    """How a tree search looks, and for how long.

    iterations: most simulations, the root's included; each expands one node at one scan.
    budget_s: most wall-clock time; the same seed gives the same result only without it.
    actions: most literals that a node considers, the most likely first.
    noise: share of randomness in the root's prior, 0..1: by it another seed tries other bodies.
    most: bodies to bring back.
    """

    limits: Limits = field(default_factory=Limits)
    selection: Selection = field(default_factory=Selection)
    iterations: int = 40
    budget_s: float | None = None
    actions: int = 256
    noise: float = 0.1
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSearch:
    """Monte Carlo tree search behind the port of all searches."""

    settings: TreeSettings = field(default_factory=TreeSettings)

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
            proposer=proposer,
            weights=weights,
            settings=self.settings,
            seed=seed,
            taken=taken,
            rows=rows,
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Tree:
    """A search under way.

    A state is a body, an action adds a literal. Every simulation walks from the root by PUCT to a
    body that was not expanded, expands it and backs up the highest reward among it and its
    extensions. A terminal body (the longest, the precise enough, or one below which nothing can
    exceed what was found) is evaluated by its parent's scan and never expanded.

    nodes: by body; two ways to a body lead to the same node.
    passed_over: a node had more promising literals than it considers.
    """

    label: int
    settings: TreeSettings
    evaluator: Evaluator
    proposer: Proposer
    random: np.random.Generator
    nodes: dict[Body, Node] = field(default_factory=dict)
    passed_over: bool = False

    def plant(self) -> None:
        """Expand the empty body."""
        self._expand(frozenset(), self.evaluator.scanner.everything)

    def simulate(self) -> bool:
        """Select, expand, evaluate, back up; False when nothing is left to expand."""
        path = self._walk()
        if not path:
            return False
        parent, place = path[-1]
        action = parent.actions[place : place + 1]
        covered = self.evaluator.scanner.extended(parent.covered, action)[0]
        expansion = self._expand(parent.body | {int(action[0])}, covered)
        value = max(float(parent.rewards[place]), float(expansion.rewards.max(initial=0.0)))
        back_up(path, value)
        return True

    def _walk(self) -> _Path:
        """Go from the root to an action whose body was not expanded; empty when there is none."""
        path: _Path = []
        node = self.nodes[frozenset()]
        while True:
            node.close(threshold=self.evaluator.threshold)
            place = select(node, self.settings.selection, scale=self.evaluator.best)
            if place is not None:
                path.append((node, place))
                child = self.nodes.get(node.body | {int(node.actions[place])})
                if child is None:
                    return path
                node = child
            elif path:
                node, place = path.pop()
                node.open[place] = False
            else:
                return []

    def _expand(self, body: Body, covered: Words) -> Expansion:
        expansion = self.evaluator.expand(body, covered)
        logits = comparable(self.proposer.logits(expansion.scan, label=self.label))
        if not body and self.settings.noise and len(logits):
            logits = self._noisy(logits)
        places, bounds = self.evaluator.promising(expansion)
        kept = ranked(logits[places], self.settings.actions)
        self.passed_over |= len(kept) < len(places)
        places = places[kept]
        size = len(places)
        self.nodes[body] = Node(
            body=body,
            covered=covered,
            actions=expansion.scan.codes[places],
            logits=logits[places],
            rewards=expansion.rewards[places],
            bounds=bounds[kept],
            visits=np.zeros(size, dtype=np.int64),
            totals=np.zeros(size),
            highest=np.zeros(size),
            open=np.ones(size, dtype=np.bool_),
        )
        return expansion

    def _noisy(self, logits: Floats) -> Floats:
        # Uniform and not Dirichlet: sums and quotients are the same on every machine.
        drawn = self.random.random(len(logits))
        share = self.settings.noise
        return comparable(np.log((1 - share) * prior(logits) + share * drawn / drawn.sum()))


def find(
    table: Table,
    label: int,
    *,
    reward: Reward,
    proposer: Proposer,
    weights: Floats,
    settings: TreeSettings,
    seed: int,
    taken: Sequence[Words] = (),
    rows: Codes | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Look for the bodies of highest reward, as `Search.find` says.

    The clock, in seconds, is read only when the settings bound the time.

    Source: Browne et al. 2012, "A survey of Monte Carlo tree search methods"; Silver et al. 2017.
    """
    scanner = Scanner.of(table, label, weights=weights, limits=settings.limits, rows=rows)
    tree = Tree(
        label=label,
        settings=settings,
        evaluator=Evaluator(scanner=scanner, reward=reward, taken=taken, most=settings.most),
        proposer=proposer,
        random=np.random.Generator(np.random.PCG64(seed)),
    )
    ends_s = None if settings.budget_s is None else clock() + settings.budget_s
    tree.plant()
    finished = False
    while not finished and tree.evaluator.expansions < settings.iterations:
        if ends_s is not None and clock() >= ends_s:
            break
        finished = not tree.simulate()
    return tree.evaluator.found(exhausted=finished and not tree.passed_over)
