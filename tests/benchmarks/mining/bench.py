"""Bench: what every row of the table is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from rule_store.folds import FOLDS
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.table import LabelledEvidence
from streams.datasets import View
from streams.domain import Domain, load_domain
from tests.benchmarks.mining.artefacts import Artefacts
from tests.benchmarks.mining.cache import Cache
from tests.benchmarks.mining.corpus import Corpus, read_corpus
from tests.benchmarks.mining.intervals import DRAWS, Estimate, Flags, Statistic, estimate
from tests.benchmarks.mining.judged import Round, judge_round
from tests.benchmarks.mining.outer import OuterFold, outer_folds, unread
from tests.benchmarks.mining.training import Knowledge, Training
from tests.benchmarks.mining.workers import Tell, Workers

ALL = "all"
HALF_B = "half B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and on what.

    seeds: of the outer folds; the live view and the peers take the first alone.
    folds: outer ones.
    rows: numbers; all when left out.
    domain: the pack of `data/taobao`.
    """

    data: Path
    cache: Path
    seeds: tuple[int, ...]
    rows: tuple[int, ...] = ()
    domain: str = "taobao"
    folds: int = FOLDS
    processes: int = 2
    draws: int = DRAWS


class Bench:
    """Reads, mines and judges when a row asks, each thing once."""

    def __init__(self, plan: Plan, workers: Workers, tell: Tell) -> None:
        self.plan = plan
        self.workers = workers
        self.tell = tell
        self.cache = Cache(plan.cache)
        self.artefacts = Artefacts(self.cache, workers, tell)
        self._corpora: dict[View, Corpus] = {}
        self._rounds: dict[tuple[View, str, Knowledge], tuple[Round, ...]] = {}

    @cached_property
    def pack(self) -> Domain:
        return load_domain(self.plan.domain)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Those that have examples."""
        return tuple(self.corpus("recorded").examples)

    def corpus(self, view: View) -> Corpus:
        if view not in self._corpora:
            self.tell(f"reading the evidence, {view} view")
            path = self.plan.data / "taobao"
            corpus = read_corpus(path, pack=self.pack, view=view, cache=self.cache)
            self._corpora[view] = corpus
        return self._corpora[view]

    def examples(self, view: View, task: str) -> tuple[LabelledEvidence, ...]:
        return self.corpus(view).examples[task]

    def views(self, task: str) -> tuple[View, ...]:
        """Recorded first; live as far as it is another: a screenshot is the same in both."""
        recorded = self.examples("recorded", task)
        other = self.corpus("live").examples.get(task, ()) != recorded
        return ("recorded", "live") if other else ("recorded",)

    def seeds(self, view: View) -> tuple[int, ...]:
        return self.plan.seeds if view == "recorded" else self.plan.seeds[:1]

    def rounds(self, view: View, task: str, knowledge: Knowledge) -> tuple[Round, ...]:
        """One a seed, as `kdsl rules mine` would have it."""
        key = (view, task, knowledge)
        if key not in self._rounds:
            self._rounds[key] = self.judged(view, task, knowledge, seeds=self.seeds(view))
        return self._rounds[key]

    def judged(
        self,
        view: View,
        task: str,
        knowledge: Knowledge,
        *,
        seeds: Sequence[int],
        miner: MinerSettings | None = None,
    ) -> tuple[Round, ...]:
        """One a seed, mined with other settings than those that are shipped."""
        folds = [self.outer(view, task, seed=seed) for seed in seeds]
        trainings = [
            [self.training(outer, task, knowledge, miner=miner) for outer in each] for each in folds
        ]
        mined = iter(self.artefacts.mined([each for row in trainings for each in row]))
        return tuple(
            judge_round(each, row, [next(mined) for _ in row])
            for each, row in zip(folds, trainings, strict=True)
        )

    def outer(self, view: View, task: str, *, seed: int) -> tuple[OuterFold, ...]:
        return outer_folds(self.examples(view, task), seed=seed, folds=self.plan.folds)

    def training(
        self,
        outer: OuterFold,
        task: str,
        knowledge: Knowledge,
        *,
        miner: MinerSettings | None = None,
    ) -> Training:
        return Training.of(
            outer.training, pack=self.pack, task=task, knowledge=knowledge, miner=miner
        )

    def among(self, view: View, task: str) -> Mapping[str, Flags]:
        """The examples that figures are taken of: all, and those that the pack's author has not
        read."""
        examples = self.examples(view, task)
        return {ALL: np.ones(len(examples), dtype=np.bool_), HALF_B: unread(examples)}

    def estimate(self, statistics: Sequence[Statistic], among: Flags) -> Estimate:
        return estimate(statistics, among, draws=self.plan.draws)
