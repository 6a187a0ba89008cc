"""Outcomes → tables for people, and the section of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rule_store.mining.reward import Counts, WilsonGain
from rule_store.mining.table import popcount
from streams.bench.tables import Grid
from tests.benchmarks.mining_large.contest import BACK_UPS, PROPOSERS, Outcome
from tests.benchmarks.mining_large.judged import Judgement, interval, judge
from tests.benchmarks.mining_large.made_table import MadeTable, PlantedRule

_STOPS = (10, 20, 40, 80, 160)


def mined_grid(made: MadeTable, outcomes: Sequence[Outcome]) -> tuple[Grid, str]:
    """What each search mined with as many expansions, and how the first compares."""
    judged = [judge(made, _rules(each)) for each in outcomes]
    expansions = outcomes[0].contestant.expansions
    lines = [
        [
            outcome.contestant.says,
            f"{first_reward(outcome, expansions):.4f}",
            f"{_all_rewards(outcome):.4f}",
            f"{judgement.recovered} of {len(made.planted)}",
            f"{judgement.f1:.4f}",
            f"{outcome.wall_s:.0f}",
        ]
        for outcome, judgement in zip(outcomes, judged, strict=True)
    ]
    grid = Grid(
        title=f"At most {expansions} expansions a rule",
        head=["", "first rule's reward", "all rules' rewards", "planted found", "F1", "s"],
        lines=[*lines, _planted_line(made)],
    )
    return grid, _compared(made, outcomes, judged)


def effort_grid(outcomes: Sequence[Outcome]) -> Grid:
    """How soon the first rule of each label was found."""
    most = outcomes[0].contestant.expansions
    stops = [*(stop for stop in _STOPS if stop < most), most]
    return Grid(
        title="First rule's reward, by expansions",
        head=["", *map(str, stops)],
        lines=[
            [each.contestant.says, *(f"{first_reward(each, stop):.4f}" for stop in stops)]
            for each in outcomes
        ],
    )


def ablation_grid(outcomes: Sequence[Outcome], *, shipped: int) -> Grid:
    """Proposers down, back-ups across, for few expansions and for many."""
    most = outcomes[0].contestant.expansions
    rewards = iter([[first_reward(each, stop) for stop in (shipped, most)] for each in outcomes])
    return Grid(
        title="MCTS: first rule's reward, by proposer and back-up",
        head=["", *(f"{back_up}, {stop}" for back_up in BACK_UPS for stop in (shipped, most))],
        lines=[
            [proposer, *(f"{reward:.4f}" for _ in BACK_UPS for reward in next(rewards))]
            for proposer in PROPOSERS
        ],
    )


def section(grids: Sequence[Grid], notes: Mapping[str, str]) -> str:
    """What stands between the markers."""
    said = "\n".join(f"- {name}: {text}" for name, text in notes.items())
    return "\n\n".join([*(grid.markdown() for grid in grids), said])


def first_reward(outcome: Outcome, expansions: int) -> float:
    """Mean over the labels."""
    return float(np.mean([each.first_reward(expansions) for each in outcome.labels]))


def _all_rewards(outcome: Outcome) -> float:
    return float(np.mean([sum(body.reward for body in each.bodies) for each in outcome.labels]))


def _rules(outcome: Outcome) -> list[PlantedRule]:
    return [
        PlantedRule(label=label, body=found.body)
        for label, each in enumerate(outcome.labels)
        for found in each.bodies
    ]


def _planted_line(made: MadeTable) -> list[str]:
    """The planted rules themselves: what a search would have to find."""
    best = [
        max(_reward(made, rule) for rule in made.planted if rule.label == label)
        for label in range(len(made.mined.label_names))
    ]
    score = f"{judge(made, made.planted).f1:.4f}"
    return ["the planted rules", f"{np.mean(best):.4f}", "–", "all", score, "–"]


def _reward(made: MadeTable, rule: PlantedRule) -> float:
    covered, positives = made.mined.covered(rule.body), made.mined.of_label(rule.label)
    right = np.array([popcount(covered & positives)], dtype=np.float64)
    counts = Counts(
        true_positives=right,
        covered=np.array([popcount(covered)], dtype=np.float64),
        gain=right,
        positives=popcount(positives),
        examples=len(made.mined.labels),
        length=len(rule.body),
    )
    return float(WilsonGain()(counts)[0])


def _compared(made: MadeTable, outcomes: Sequence[Outcome], judged: Sequence[Judgement]) -> str:
    """The first against the others' best: label by label, and on the held-out examples."""
    expansions = outcomes[0].contestant.expansions
    ours = [each.first_reward(expansions) for each in outcomes[0].labels]
    rival = max(outcomes[1:], key=lambda each: first_reward(each, expansions))
    theirs = [each.first_reward(expansions) for each in rival.labels]
    above = sum(mine > other for mine, other in zip(ours, theirs, strict=True))
    below = sum(mine < other for mine, other in zip(ours, theirs, strict=True))
    best = max(range(1, len(judged)), key=lambda place: judged[place].f1)
    low, high = interval(made, judged[best], judged[0])
    return (
        f"MCTS reaches more than {rival.contestant.says} for {above} of {len(ours)} labels and "
        f"less for {below}; its F1 is {judged[0].f1 - judged[best].f1:+.4f} beside that of "
        f"{outcomes[best].contestant.says}, 95 % of {low:+.4f} to {high:+.4f}"
    )
