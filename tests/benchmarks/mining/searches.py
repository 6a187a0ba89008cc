"""Row 6: Monte Carlo tree search against beam search, at the same cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rule_store.mining.candidates import candidates
from rule_store.mining.covering import mine_label
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.table import Table
from tests.benchmarks.mining.bench import ALL, Bench
from tests.benchmarks.mining.figures import f1
from tests.benchmarks.mining.intervals import Estimate
from tests.benchmarks.mining.lines import Bar, Line, Measured
from tests.benchmarks.mining.training import Knowledge, Training

ROW = 6
TITLE = "MCTS against beam: same tables, reward and most expansions a rule; first seed"

WIDTHS = (5, 20, 80)
_MCTS = "MCTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a search reached on one training part.

    first: sum over the labels of the reward of the first rule; all searches look for the same.
    covering: sum of the rewards of all rules, each for what the earlier ones left.
    expansions: of all searches.
    """

    first: float
    covering: float
    expansions: int


def lines(bench: Bench) -> Iterator[Line]:
    for task in bench.tasks:
        ways = {_MCTS: MinerSettings()} | {
            f"beam {width}": MinerSettings(search="beam", beam_width=width) for width in WIDTHS
        }
        rewards = {says: _rewards(bench, task, miner) for says, miner in ways.items()}
        scores = {says: _f1(bench, task, miner) for says, miner in ways.items()}
        yield from _lines(task, rewards, scores)


def _lines(task: str, rewards: dict[str, Reached], scores: dict[str, Estimate]) -> Iterator[Line]:
    beams = [says for says in rewards if says != _MCTS]
    best_first = max(rewards[says].first for says in beams)
    best_covering = max(rewards[says].covering for says in beams)
    best_score = max(scores[says].value for says in beams)
    for says, reached in rewards.items():
        ours = says == _MCTS
        for what, value, bar in (
            ("reward of the first rules", reached.first, best_first),
            ("reward of all rules", reached.covering, best_covering),
        ):
            yield Line(
                row=ROW,
                says=f"{says}: {what}, summed",
                task=task,
                view="recorded",
                bar=Bar(value=bar) if ours else None,
                figure=Measured(value=value),
            )
        yield Line(
            row=ROW,
            says=f"{says}: weighted F1",
            task=task,
            view="recorded",
            bar=Bar(value=best_score) if ours else None,
            figure=scores[says],
        )
        yield Line(
            row=ROW,
            says=f"{says}: expansions",
            task=task,
            view="recorded",
            figure=Measured(value=reached.expansions, digits=0),
        )


def _rewards(bench: Bench, task: str, miner: MinerSettings) -> Reached:
    """The mean over the outer folds of the first seed."""
    folds = bench.outer("recorded", task, seed=bench.plan.seeds[0])
    trainings = [bench.training(each, task, Knowledge.PACK, miner=miner) for each in folds]
    found = [reached for _, reached in bench.workers.run(reach, trainings)]
    return Reached(
        first=sum(each.first for each in found) / len(found),
        covering=sum(each.covering for each in found) / len(found),
        expansions=round(sum(each.expansions for each in found) / len(found)),
    )


def reach(training: Training) -> Reached:
    """Mine every label of a training part, and add up the rewards."""
    settings = training.miner
    table = _table(training)
    coverings = [
        mine_label(
            table,
            label,
            search=settings.rule_search(),
            reward=settings.reward(training.examples),
            proposer=settings.table_proposer(table),
            settings=settings.covering,
            seed=settings.seed,
        )
        for label in np.unique(table.labels).tolist()
    ]
    return Reached(
        first=sum(each.bodies[0].reward for each in coverings if each.bodies),
        covering=sum(body.reward for each in coverings for body in each.bodies),
        expansions=sum(each.expansions for one in coverings for each in one.searches),
    )


def _table(training: Training) -> Table:
    predicates = candidates(
        training.examples, training.lexicon, training.miner.candidates, training.written
    )
    return Table.of(
        training.examples,
        predicates,
        label_names=training.label_names,
        lexicon=training.lexicon,
    )


def _f1(bench: Bench, task: str, miner: MinerSettings) -> Estimate:
    seeds: Sequence[int] = bench.plan.seeds[:1]
    judged = bench.judged("recorded", task, Knowledge.PACK, seeds=seeds, miner=miner)
    return bench.estimate([f1(each.answers) for each in judged], bench.among("recorded", task)[ALL])
