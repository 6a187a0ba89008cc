"""Contest: searches that mine the same made table, label by label."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal as OneOf
from typing import assert_never

from rule_store.mining.beam import BeamSearch, BeamSettings
from rule_store.mining.covering import CoveringSettings, mine_label
from rule_store.mining.found import FoundBody, Improvement, Search
from rule_store.mining.node import BackUp, Selection
from rule_store.mining.proposals import Linear, Proposer, Statistical, Uniform
from rule_store.mining.reward import WilsonGain
from rule_store.mining.scan import Limits
from rule_store.mining.search import TreeSearch, TreeSettings
from rule_store.mining.table import Table
from tests.benchmarks.mining.workers import Workers
from tests.benchmarks.mining_large.made_table import MadeTable, Shape, make_table

ProposerName = OneOf["statistical", "linear", "uniform"]

BACK_UPS = (BackUp.MEAN, BackUp.MAX)
PROPOSERS: tuple[ProposerName, ...] = ("statistical", "linear", "uniform")
WIDTHS = (5, 20, 80)

# The linear model learns from so many words of examples, in so many steps: minutes are spared.
_LEARNT_WORDS = 200
_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is made and how it is mined.

    length: most literals of a body, the depth of the deepest planted rule.
    shipped: expansions a rule as `kdsl rules mine` has them.
    ample: expansions that the widest beam needs to reach that length: 1 + 4 · 80.
    rules: most found for a label.
    """

    shape: Shape = field(default_factory=Shape)
    seed: int = 11
    processes: int = 2
    length: int = 5
    shipped: int = 40
    ample: int = 321
    rules: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A search as it takes part.

    expansions: most for a rule.
    rules: most for a label.
    """

    says: str
    search: Search
    expansions: int
    rules: int
    proposer: ProposerName = "statistical"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMined:
    """What a contestant found for a label.

    bodies: in the order found.
    trace: how the reward of the first search rose.
    process, peak_bytes: which process mined it, and its largest resident memory up to then.
    """

    bodies: tuple[FoundBody, ...]
    trace: tuple[Improvement, ...]
    seconds: float
    process: int
    peak_bytes: int

    def first_reward(self, expansions: int) -> float:
        """Of the first search, had it been ended after so many expansions.

        A search does the same with fewer: the end of its budget cuts it short, and no more.
        """
        reached = (each.reward for each in self.trace if each.expansions <= expansions)
        return max(reached, default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a contestant found, label by label."""

    contestant: Contestant
    labels: tuple[LabelMined, ...]
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    plan: Plan
    contestant: Contestant
    label: int


def contestants(plan: Plan, expansions: int) -> tuple[Contestant, ...]:
    """Tree search and every width of beam search, with as many expansions."""
    tree = Contestant(
        says="MCTS", search=_tree(plan, expansions), expansions=expansions, rules=plan.rules
    )
    return (tree, *(_beam(plan, width, expansions) for width in WIDTHS))


def ablations(plan: Plan) -> tuple[Contestant, ...]:
    """Tree search with each back-up and proposer, for one rule a label."""
    return tuple(
        Contestant(
            says=f"{proposer}, {back_up}",
            search=_tree(plan, plan.ample, Selection(back_up=back_up)),
            expansions=plan.ample,
            rules=1,
            proposer=proposer,
        )
        for proposer in PROPOSERS
        for back_up in BACK_UPS
    )


def compete(
    plan: Plan, contestant: Contestant, workers: Workers, tell: Callable[[str], None]
) -> Outcome:
    """Mine every label; the time is that of all processes together, side by side."""
    started_s = time.monotonic()
    turns = [
        _Turn(plan=plan, contestant=contestant, label=label) for label in range(plan.shape.labels)
    ]
    found: dict[int, LabelMined] = {}
    for label, mined in workers.run(_mine, turns):
        found[label] = mined
        tell(f"{contestant.says}, {contestant.expansions} expansions: {len(found)} labels")
    labels = tuple(found[label] for label in range(len(turns)))
    return Outcome(contestant=contestant, labels=labels, wall_s=time.monotonic() - started_s)


def warm_up(plan: Plan, workers: Workers) -> None:
    """Let every process have the table and the linear model before the first clock starts."""
    for _ in workers.run(_ready, [plan] * (2 * plan.processes)):
        pass


def peak_bytes(outcomes: Sequence[Outcome]) -> int:
    """The largest resident memory of this process and of each that mined, together."""
    peaks = {os.getpid(): _peak_bytes()}
    for each in (mined for outcome in outcomes for mined in outcome.labels):
        peaks[each.process] = max(peaks.get(each.process, 0), each.peak_bytes)
    return sum(peaks.values())


@lru_cache(maxsize=1)
def made(shape: Shape, seed: int) -> MadeTable:
    """The table, made once a process: sending it would take longer."""
    return make_table(shape, seed=seed)


def _tree(plan: Plan, expansions: int, selection: Selection | None = None) -> TreeSearch:
    settings = TreeSettings(limits=Limits(length=plan.length), iterations=expansions)
    return TreeSearch(settings=replace(settings, selection=selection or Selection()))


def _beam(plan: Plan, width: int, expansions: int) -> Contestant:
    settings = BeamSettings(limits=Limits(length=plan.length), width=width, expansions=expansions)
    return Contestant(
        says=f"beam {width}",
        search=BeamSearch(settings=settings),
        expansions=expansions,
        rules=plan.rules,
    )


def _mine(turn: _Turn) -> LabelMined:
    plan, contestant = turn.plan, turn.contestant
    started_s = time.monotonic()
    covering = mine_label(
        made(plan.shape, plan.seed).mined,
        turn.label,
        search=contestant.search,
        reward=WilsonGain(),
        proposer=_proposer(plan, contestant.proposer),
        settings=CoveringSettings(size=contestant.rules),
        seed=plan.seed,
    )
    return LabelMined(
        bodies=covering.bodies,
        trace=covering.searches[0].trace if covering.searches else (),
        seconds=time.monotonic() - started_s,
        process=os.getpid(),
        peak_bytes=_peak_bytes(),
    )


def _ready(plan: Plan) -> None:
    made(plan.shape, plan.seed)
    # Long enough that one process does not take the turns of all.
    time.sleep(1.0)


def _proposer(plan: Plan, name: ProposerName) -> Proposer:
    match name:
        case "statistical":
            return Statistical()
        case "linear":
            return _linear(plan.shape, plan.seed)
        case "uniform":
            return Uniform()
        case _:
            assert_never(name)


@lru_cache(maxsize=1)
def _linear(shape: Shape, seed: int) -> Linear:
    table = made(shape, seed).mined
    words = table.words[:, :_LEARNT_WORDS]
    examples = min(len(table.labels), 64 * words.shape[1])
    learnt = Table(
        predicates=table.predicates,
        words=words.copy(),
        labels=table.labels[:examples],
        label_names=table.label_names,
        example_ids=table.example_ids[:examples],
    )
    return Linear.fit(learnt, steps=_STEPS)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
