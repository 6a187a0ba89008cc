"""Labelled questions become mined rules of every task."""

from dataclasses import replace
from pathlib import Path

import pytest

from rule_store.mining.held_out import HeldOutSettings
from rule_store.mining.miner_settings import MinerSettings
from streams.errors import DatasetError, InvalidSettings
from streams.events import Question
from streams.mining_checkpoint import Checkpoint
from streams.rule_mining import MiningSettings, Step, examples_by_task, mine_tasks
from tests import factories as make
from tests.mined import DOMAIN, FAST, SIGNALS, example, examples, questions

BOTH = make.domain()


def test_questions_are_sorted_by_task_and_a_task_without_any_is_left_out() -> None:
    (given,) = examples_by_task(questions(examples(2)), DOMAIN)
    assert given.task.name == "intent"
    assert given.examples == tuple(examples(2))
    assert given.messages == ()


def test_what_cannot_be_mined_is_left_out_and_said() -> None:
    odd = [example("e1", "track", "x"), example("e1", "refund", "x")]
    (given,) = examples_by_task(questions([*examples(2), *odd]), DOMAIN)
    assert given.examples == tuple(examples(2))
    assert len(given.messages) == 1
    assert "'e1'" in given.messages[0] or '"e1"' in given.messages[0]


def test_nothing_labelled_is_refused() -> None:
    with pytest.raises(DatasetError, match="no example of intent can be mined: label some"):
        examples_by_task([], DOMAIN)


def test_a_wanted_task_without_an_example_is_refused() -> None:
    scene = [
        replace(each, question=Question(task="scene", image_id="i"), label="s")
        for each in questions(examples(1))
    ]
    with pytest.raises(DatasetError, match="no example of intent"):
        examples_by_task(scene, BOTH, tasks=["intent"])


def test_one_sample_a_class_is_mined_into_nothing_and_said() -> None:
    given = examples_by_task(questions(examples(1)), DOMAIN)
    (mined,) = mine_tasks(given, DOMAIN, FAST)
    assert mined.mined.chosen.rules == ()
    assert any("one example" in each for each in given[0].messages)


def test_every_word_of_a_label_becomes_its_rule() -> None:
    (mined,) = mine_tasks(examples_by_task(questions(examples(12)), DOMAIN), DOMAIN, FAST)
    rules = mined.mined.chosen.rules
    assert {rule.body[0].predicate.phrase: rule.label for rule in rules} == {  # type: ignore[union-attr]
        word: label for label, word in SIGNALS.items()
    }


def test_steps_are_told_mining_by_mining() -> None:
    told: list[Step] = []
    mine_tasks(examples_by_task(questions(examples(12)), DOMAIN), DOMAIN, FAST, watcher=told.append)
    finished = [(each.done, each.minings) for each in told if each.mined is None]
    assert finished == [(done, 3) for done in range(4)]
    assert [each.done for each in told if each.mined is not None] == [0] * 3 + [1] * 3 + [2] * 3


def test_what_a_checkpoint_keeps_is_not_mined_again_and_the_outcome_is_the_same(
    tmp_path: Path,
) -> None:
    given = examples_by_task(questions(examples(12)), DOMAIN)
    whole = mine_tasks(given, DOMAIN, FAST)
    checkpoint = Checkpoint(tmp_path)

    class Killed(Exception):
        pass

    def stop(step: Step) -> None:
        if step.done == 2:
            raise Killed

    with pytest.raises(Killed):
        mine_tasks(given, DOMAIN, FAST, checkpoint=checkpoint, watcher=stop)
    told: list[Step] = []
    resumed = mine_tasks(given, DOMAIN, FAST, checkpoint=checkpoint, watcher=told.append)
    assert [each.done for each in told if each.mined is None] == [2, 3]
    assert resumed == whole


@pytest.mark.parametrize(
    "other",
    [
        MiningSettings(miner=MinerSettings(iterations=5), held_out=HeldOutSettings(folds=2)),
        replace(FAST, budget_s=60.0),
        MiningSettings(miner=MinerSettings(iterations=4), held_out=HeldOutSettings(folds=3)),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(other: MiningSettings, tmp_path: Path) -> None:
    given = examples_by_task(questions(examples(12)), DOMAIN)
    mine_tasks(given, DOMAIN, FAST, checkpoint=Checkpoint(tmp_path))
    with pytest.raises(InvalidSettings, match="other examples or settings: remove"):
        mine_tasks(given, DOMAIN, other, checkpoint=Checkpoint(tmp_path))


def test_a_checkpoint_of_other_examples_is_refused(tmp_path: Path) -> None:
    given = examples_by_task(questions(examples(12)), DOMAIN)
    mine_tasks(given, DOMAIN, FAST, checkpoint=Checkpoint(tmp_path))
    more = examples_by_task(questions(examples(13)), DOMAIN)
    with pytest.raises(InvalidSettings, match="give another --out"):
        mine_tasks(more, DOMAIN, FAST, checkpoint=Checkpoint(tmp_path))


def test_a_budget_is_shared_by_the_minings_that_are_left() -> None:
    """The clock stands: every search has its full time, and finds what it finds without one."""
    given = examples_by_task(questions(examples(12)), DOMAIN)
    timed = replace(FAST, budget_s=1e9)
    found = mine_tasks(given, DOMAIN, timed, clock=lambda: 0.0)
    assert found == mine_tasks(given, DOMAIN, FAST)
