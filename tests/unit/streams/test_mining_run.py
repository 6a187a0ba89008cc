"""Whoever mines into a folder mines it in one way."""

from dataclasses import replace
from pathlib import Path

import pytest

from streams.building import folder_rules
from streams.cli.refresh_inputs import RefreshOptions, miner_of
from streams.errors import FolderInUse, InvalidSettings
from streams.mining_checkpoint import Checkpoint
from streams.mining_run import run_mining
from streams.rule_mining import Step, TaskExamples, examples_by_task, mine_tasks
from streams.settings import Settings
from tests.mined import DOMAIN, FAST, example, examples, questions

GIVEN = examples_by_task(questions(examples(12)), DOMAIN)


class Run:
    """A run of mining, and what it told."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.said: list[str] = []
        self.steps: list[Step] = []

    def __call__(self, *given: TaskExamples) -> None:
        run_mining(
            self.out,
            given or GIVEN,
            DOMAIN,
            FAST,
            {"view": "live"},
            told=self.said.append,
            watcher=self.steps.append,
        )


REFRESH = RefreshOptions(
    examples=(), view="live", readings="given", seed=0, iterations=4, budget_s=None, margin=0.02
)


def test_what_was_mined_is_written_with_its_summary_and_nothing_else_is_left(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    run()
    (mined,) = mine_tasks(GIVEN, DOMAIN, FAST)
    assert folder_rules(tmp_path, DOMAIN)["intent"].fitted == mined.mined.chosen.values()
    assert "<html" in (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert [each.name for each in (tmp_path / ".checkpoint").iterdir()] == ["lock"]
    assert [each.done for each in run.steps if each.mined is None] == [0, 1, 2, 3]
    assert run.said == []


def test_the_summary_is_of_the_last_run_and_names_what_stays_of_others(tmp_path: Path) -> None:
    (tmp_path / "scene.rules").write_text("# mine")
    Run(tmp_path)()
    page = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert "about intent. What the folder has of scene stays as it was" in page


def test_what_cannot_be_mined_is_told(tmp_path: Path) -> None:
    odd = [example("e1", "track", "x"), example("e1", "refund", "x")]
    (given,) = examples_by_task(questions([*examples(12), *odd]), DOMAIN)
    run = Run(tmp_path)
    run(given)
    assert run.said == [f"intent: {message}" for message in given.messages]
    assert len(run.said) == 1


def test_rules_that_somebody_edited_are_refused_before_anything_is_mined(tmp_path: Path) -> None:
    (tmp_path / "intent.rules").write_text("# mine")
    run = Run(tmp_path)
    with pytest.raises(InvalidSettings, match="move it away to keep what was edited"):
        run()
    assert run.steps == []
    assert [each.name for each in tmp_path.iterdir()] == ["intent.rules"]


def test_a_refresh_refuses_them_as_early(tmp_path: Path) -> None:
    (tmp_path / "intent.rules").write_text("# mine")
    mine = miner_of(Settings(), REFRESH, DOMAIN)
    with pytest.raises(InvalidSettings, match="move it away to keep what was edited"):
        mine(questions(examples(12)), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["intent.rules"]


def test_rules_of_a_task_without_an_example_may_be_edited(tmp_path: Path) -> None:
    (tmp_path / "scene.rules").write_text("# mine")
    scene = replace(GIVEN[0], task=replace(GIVEN[0].task, name="scene"), examples=())
    Run(tmp_path)(*GIVEN, scene)
    assert (tmp_path / "scene.rules").read_text() == "# mine"


def test_a_second_run_is_told_that_another_mining_runs(tmp_path: Path) -> None:
    """Of `rules mine` or of a refresh: nobody can know."""
    with Checkpoint(tmp_path).held(), pytest.raises(FolderInUse, match="another mining runs in"):
        Run(tmp_path)()
    Run(tmp_path)()
