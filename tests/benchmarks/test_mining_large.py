"""The large table's maker plants what it says, and the command runs at a size that shows it."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from rule_store.mining.found import Improvement
from rule_store.mining.table import popcount
from tests.benchmarks.mining_large.__main__ import SECTION, main
from tests.benchmarks.mining_large.contest import LabelMined
from tests.benchmarks.mining_large.judged import judge
from tests.benchmarks.mining_large.made_table import MadeTable, PlantedRule, Shape, make_table

SHAPE = Shape(
    mined=12_800,
    held_out=3_200,
    phrases=1_000,
    labels=4,
    rules=3,
    words=40,
    topics=8,
    topics_a_label=2,
    phrases_a_topic=10,
)


@cache
def made(wrong: float = 0.0) -> MadeTable:
    return make_table(replace(SHAPE, wrong=wrong), seed=1)


def share(table: MadeTable, rule: PlantedRule) -> float:
    """Of what the rule covers among the mined examples, those of its label."""
    covered = table.mined.covered(rule.body)
    return popcount(covered & table.mined.of_label(rule.label)) / popcount(covered)


def test_every_label_has_rules_of_depth_3_to_5() -> None:
    assert [(each.label, len(each.body)) for each in made().planted] == [
        (label, depth) for label in range(4) for depth in (3, 4, 5)
    ]


def test_without_wrong_labels_a_planted_rule_is_always_right() -> None:
    """Among the held-out examples too, so that answers by these rules alone are all right."""
    assert [share(made(), each) for each in made().planted] == [1.0] * 12
    judgement = judge(made(), made().planted)
    assert judgement.recovered == 12
    right = made().held_out.labels.tolist()
    said = [None if each is None else int(each[5:]) for each in judgement.answers]
    assert all(answer in (None, label) for answer, label in zip(said, right, strict=True))


def test_a_rule_covers_its_share_of_the_label_or_more() -> None:
    """The first of a label .12, the third .12 / 3^.6 = .062; less a fifth for chance."""
    for place, each in enumerate(made().planted):
        covered = popcount(made().mined.covered(each.body))
        of_label = popcount(made().mined.of_label(each.label))
        assert covered > 0.8 * 0.12 / (1 + place % 3) ** 0.6 * of_label


def test_single_literals_of_a_planted_rule_say_less_than_topical_phrases() -> None:
    """A greedy search begins with these."""
    table = made().mined
    for label in range(4):
        positives = table.of_label(label)
        right, holding = table.counts(positives), table.counts(table.everything())
        topical = (right / np.maximum(holding, 1))[40:120].max()
        for each in (rule for rule in made().planted if rule.label == label):
            for literal in each.body:
                assert right[literal >> 1] / holding[literal >> 1] < topical


def test_wrong_labels_take_their_share() -> None:
    """A tenth is drawn anew from four labels: one in thirteen is another."""
    changed = (made(0.1).mined.labels != made().mined.labels).mean()
    assert changed == pytest.approx(0.1 * 3 / 4, abs=0.02)


def test_the_same_seed_makes_the_same_table() -> None:
    again = make_table(replace(SHAPE, wrong=0.0), seed=1)
    assert np.array_equal(again.mined.words, made().mined.words)
    assert np.array_equal(again.held_out.words, made().held_out.words)
    assert again.planted == made().planted


def test_a_search_ended_sooner_has_the_reward_it_had_then() -> None:
    mined = LabelMined(
        bodies=(),
        trace=(Improvement(expansions=1, reward=0.2), Improvement(expansions=30, reward=0.4)),
        seconds=0.0,
        process=1,
        peak_bytes=1,
    )
    assert [mined.first_reward(most) for most in (0, 1, 29, 30)] == [0.0, 0.2, 0.2, 0.4]


def test_the_command_writes_its_section_and_every_figure(tmp_path: Path) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "figures.json"
    app = typer.Typer()
    app.command()(main)
    outcome = CliRunner().invoke(
        app, ["--quick", "--processes", "1", "--markdown", str(page), "--json", str(figures)]
    )
    assert outcome.exit_code == 0, outcome.output
    written = page.read_text(encoding="utf-8")
    assert written.startswith(f"<!-- {SECTION}: begin -->")
    assert "| beam 80 |" in written
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert [len(rows) for rows in found["tables"].values()] == [6, 6, 5, 4]
