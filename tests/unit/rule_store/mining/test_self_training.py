"""Rules label what they are sure of, and mining again is kept only when it does better."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rule_store import Lexicon, Rule
from rule_store.mining.held_out import HeldOutSettings, find_by_fold
from rule_store.mining.mined import Mined
from rule_store.mining.miner import Miner
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.pseudo_labels import SelfTrainingSettings, pseudo_labels
from rule_store.mining.reward import Mdl, NoiseRobust
from rule_store.mining.self_training import (
    compared,
    judged,
    mine_with_unlabelled,
    second_minings,
)
from rule_store.mining.table import LabelledEvidence
from tests.mined import LABELS, SIGNALS, examples, unlabelled
from tests.rules import has, rule

HELD_OUT = HeldOutSettings(folds=3)
MINER = Miner(
    task="intent",
    label_names=LABELS,
    lexicon=Lexicon(concepts={}),
    settings=MinerSettings(iterations=4),
)
LABELLED = examples(12)
UNLABELLED = unlabelled("where", "money", "where money", "umbrella")


def mined(miner: Miner = MINER) -> Mined:
    found = list(find_by_fold(miner, LABELLED, settings=HELD_OUT))
    return judged(miner, found, LABELLED, held_out=HELD_OUT)


FIRST = mined()


def labels(held: int | None, precision: float = 0.9) -> dict[str, str]:
    settings = SelfTrainingSettings(precision=precision)
    found = pseudo_labels(FIRST, UNLABELLED, held=held, lexicon=MINER.lexicon, settings=settings)
    return {each.example_id: each.label for each in found.examples}


@pytest.mark.parametrize("held", [0, 1, 2, None])
def test_what_sure_rules_agree_on_is_labelled_and_nothing_else(held: int | None) -> None:
    """Rules of two labels fire on the third text, and none on the fourth."""
    assert labels(held) == {"u0": "track", "u1": "refund"}


def test_when_no_sureness_is_precise_enough_nothing_is_labelled() -> None:
    assert labels(None, precision=1.0) == {}


def test_a_fold_is_mined_again_with_what_rules_without_it_labelled() -> None:
    steps = list(
        second_minings(
            MINER,
            LABELLED,
            UNLABELLED,
            first=FIRST,
            held_out=HELD_OUT,
            settings=SelfTrainingSettings(),
        )
    )
    folds = {vote.example_id: vote.fold for vote in FIRST.votes}
    for held, (_, given) in enumerate(steps[:3]):
        ids = [each.example_id for each in given]
        assert ids[-2:] == ["u0", "u1"]
        assert {folds[each] for each in ids[:-2]} == {0, 1, 2} - {held}
    assert [each.example_id for each in steps[3][1][:-2]] == [e.example_id for e in LABELLED]


def test_what_is_done_is_not_mined_again() -> None:
    settings = SelfTrainingSettings()
    left = second_minings(
        MINER, LABELLED, UNLABELLED, first=FIRST, held_out=HELD_OUT, settings=settings, done=3
    )
    assert [len(given) for _, given in left] == [len(LABELLED) + 2]


def test_the_second_mining_reckons_with_the_wrong_labels_of_both() -> None:
    """Of 36 labels a tenth is wrong, and of the two new ones none was, held out."""
    noisy = replace(MINER, settings=replace(MINER.settings, label_noise=0.1))
    settings = SelfTrainingSettings()
    *_, (miner, _) = second_minings(
        noisy, LABELLED, UNLABELLED, first=FIRST, held_out=HELD_OUT, settings=settings
    )
    assert miner.settings.label_noise == pytest.approx(0.1 * 36 / 38)
    assert miner.settings.iterations == 4


def test_label_noise_corrects_the_reward_and_without_any_it_stays() -> None:
    assert MinerSettings(label_noise=0.2).reward(LABELLED) == NoiseRobust(reward=Mdl(), wrong=0.2)
    assert MinerSettings().reward(LABELLED) == Mdl()


def test_self_training_that_changes_nothing_stays_off() -> None:
    found = mine_with_unlabelled(MINER, LABELLED, UNLABELLED, held_out=HELD_OUT)
    assert not found.on
    assert (found.trial.labelled, found.trial.unlabelled) == (2, 4)
    assert (found.trial.gained, found.trial.lost) == (0, 0)
    assert found.mined == FIRST


def answering(*known: str) -> Mined:
    """What comes of rules for some labels alone, each found in every fold."""
    rules: list[Rule] = [rule(has(SIGNALS[label]), label=label) for label in known]
    return judged(MINER, [rules] * 4, LABELLED, held_out=HELD_OUT)


def test_self_training_that_wins_on_held_out_examples_is_kept() -> None:
    """Twelve examples of the third label are answered by the second mining alone."""
    pseudo = pseudo_labels(
        FIRST, UNLABELLED, held=None, lexicon=MINER.lexicon, settings=SelfTrainingSettings()
    )
    two, three = answering("track", "refund"), answering(*LABELS)
    better = compared(two, three, pseudo, unlabelled=4)
    assert (better.trial.gained, better.trial.lost) == (12, 0)
    assert better.trial.before == pytest.approx(2 / 3)
    assert better.trial.after == 1.0
    assert better.on
    assert better.mined is three
    worse = compared(three, two, pseudo, unlabelled=4)
    assert not worse.on
    assert worse.mined is three


def test_reliabilities_are_of_labelled_examples_alone() -> None:
    """Each rule was right at its twelve labelled examples, however many others it covers."""
    many = [replace(each, example_id=f"m{n}") for n in range(50) for each in UNLABELLED[:2]]
    found = mine_with_unlabelled(MINER, LABELLED, many, held_out=HELD_OUT)
    assert found.trial.labelled == 100
    assert all(each.examples == 36 for each in found.mined.chosen.training.values())


@pytest.mark.parametrize("known", [0, 2, 4, 5, 8])
def test_stopped_anywhere_it_asks_for_the_minings_that_are_left_and_ends_the_same(
    known: int,
) -> None:
    """Three folds: four minings, and four again with what the rules labelled."""
    asked: list[int] = []
    found: list[tuple[Rule, ...]] = []

    def mine(miner: Miner, given: Sequence[LabelledEvidence]) -> tuple[Rule, ...]:
        asked.append(len(given))
        found.append(miner.mine(given).rules)
        return found[-1]

    whole = mine_with_unlabelled(MINER, LABELLED, UNLABELLED, held_out=HELD_OUT, mine=mine)
    every, asked = asked, []
    assert [len(LABELLED), len(LABELLED) + 2] == [every[3], every[7]]
    resumed = mine_with_unlabelled(
        MINER, LABELLED, UNLABELLED, held_out=HELD_OUT, mine=mine, known=found[:known]
    )
    assert asked == every[known:]
    assert resumed == whole
