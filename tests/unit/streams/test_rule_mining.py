"""Labelled questions become mined rules of every task."""

from dataclasses import replace
from pathlib import Path

import pytest

from rule_store.mining.held_out import HeldOutSettings
from rule_store.mining.miner_settings import MinerSettings
from streams.errors import DatasetError, InvalidSettings
from streams.events import Question
from streams.mining_checkpoint import Checkpoint
from streams.rule_mining import (
    MiningSettings,
    Step,
    TaskExamples,
    examples_by_task,
    mine_tasks,
)
from tests import factories as make
from tests.mined import DOMAIN, FAST, SIGNALS, example, examples, questions, unlabelled
from tests.rules import mentions, rule

BOTH = make.domain()


def test_questions_are_sorted_by_task_and_a_task_without_any_is_left_out() -> None:
    (given,) = examples_by_task(questions(examples(2)), DOMAIN)
    assert given.task.name == "intent"
    assert given.examples == tuple(examples(2))
    assert given.messages == ()


def test_examples_of_one_dialogue_stay_together() -> None:
    asked = [replace(each, dialogue_id="d") for each in questions(examples(2))]
    (given,) = examples_by_task(asked, DOMAIN)
    assert {each.dialogue_id for each in given.examples} == {"d"}


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


def test_the_order_of_files_does_not_matter() -> None:
    given = with_others()
    turned = [
        replace(each, examples=each.examples[::-1], unlabelled=each.unlabelled[::-1])
        for each in given
    ]
    assert mine_tasks(turned, DOMAIN, FAST) == mine_tasks(given, DOMAIN, FAST)


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


OTHERS = unlabelled("where", "money", "where money", "umbrella")


def with_others() -> tuple[TaskExamples, ...]:
    (given,) = examples_by_task(questions(examples(12)), DOMAIN)
    return (replace(given, unlabelled=OTHERS),)


def test_beside_unlabelled_examples_every_mining_is_tried_again_with_them() -> None:
    told: list[Step] = []
    (mined,) = mine_tasks(with_others(), DOMAIN, FAST, watcher=told.append)
    finished = [(each.done, each.minings) for each in told if each.mined is None]
    assert finished == [(done, 6) for done in range(7)]
    assert mined.trial is not None
    assert mined.trial.unlabelled == 4
    assert not mined.trial.wins
    assert mined.estimates is not None
    assert (mined.estimates.covered, mined.estimates.conflicting) == (3, 1)


def test_where_self_training_is_off_the_rules_are_as_without_unlabelled_examples() -> None:
    (alone,) = mine_tasks(examples_by_task(questions(examples(12)), DOMAIN), DOMAIN, FAST)
    (beside,) = mine_tasks(with_others(), DOMAIN, FAST)
    assert beside.mined == alone.mined
    assert (alone.trial, alone.estimates) == (None, None)


@pytest.mark.parametrize("done", [2, 4])
def test_the_second_round_goes_on_where_it_was_stopped(done: int, tmp_path: Path) -> None:
    whole = mine_tasks(with_others(), DOMAIN, FAST)

    class Killed(Exception):
        pass

    def stop(step: Step) -> None:
        if step.done == done:
            raise Killed

    with pytest.raises(Killed):
        mine_tasks(with_others(), DOMAIN, FAST, checkpoint=Checkpoint(tmp_path), watcher=stop)
    told: list[Step] = []
    resumed = mine_tasks(
        with_others(), DOMAIN, FAST, checkpoint=Checkpoint(tmp_path), watcher=told.append
    )
    assert [each.done for each in told if each.mined is None] == list(range(done, 7))
    assert resumed == whole


def test_a_checkpoint_of_other_unlabelled_examples_is_refused(tmp_path: Path) -> None:
    given = with_others()
    mine_tasks(given, DOMAIN, FAST, checkpoint=Checkpoint(tmp_path))
    fewer = (replace(given[0], unlabelled=OTHERS[:3]),)
    with pytest.raises(InvalidSettings, match="other examples or settings: remove"):
        mine_tasks(fewer, DOMAIN, FAST, checkpoint=Checkpoint(tmp_path))


def test_a_label_without_a_written_rule_gets_what_its_description_says() -> None:
    """The label `refund` is a phrase of the concept; the examples say it in other words."""
    domain = replace(DOMAIN, lexicon=BOTH.lexicon)
    (mined,) = mine_tasks(examples_by_task(questions(examples(12)), domain), domain, FAST)
    described = rule(mentions("refund"), label="refund")
    assert mined.described == {described.id}
    first, *others = mined.mined.chosen.rules
    assert (first.id, mined.origin(first.id)) == (described.id, "description")
    assert {mined.origin(each.id) for each in others} == {"mined"}
