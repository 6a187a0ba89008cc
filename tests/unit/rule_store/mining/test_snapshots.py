"""Examples that show one dialogue at several moments are held out together."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rule_store import Evidence, Lexicon, Rule
from rule_store.evidence import CHANNELS, FACTS
from rule_store.folds import fold
from rule_store.mining.answers import held_out_answers
from rule_store.mining.held_out import HeldOutSettings, find_by_fold, folds_of
from rule_store.mining.mined import judge
from rule_store.mining.miner import Miner
from rule_store.mining.miner_settings import MinerSettings
from rule_store.mining.table import LabelledEvidence
from streams.resources import quickstart_folder

LABELS = ("heads", "tails")
DIALOGUES = 120
MINER = Miner(
    task="side",
    label_names=LABELS,
    lexicon=Lexicon(concepts={}),
    settings=MinerSettings(iterations=4),
)
FOLDS = HeldOutSettings()


def snapshots() -> list[LabelledEvidence]:
    """Dialogues of the sample, each as it stands and twice later, with a tossed label."""
    toss = np.random.Generator(np.random.PCG64(0))
    lines = (quickstart_folder() / "train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if not row["images"]]
    examples = []
    for row in rows[:DIALOGUES]:
        words = [turn["text"] for turn in row["turns"] if turn["speaker"] == "user"]
        label = LABELS[int(toss.integers(2))]
        for moment, later in enumerate(([], ["hello?"], ["hello?", "anybody there?"])):
            read = Evidence.of({**dict.fromkeys(CHANNELS, ()), "user": [*words, *later]})
            examples.append(
                LabelledEvidence(
                    example_id=f"{row['dialogue_id']}-{moment}",
                    dialogue_id=row["dialogue_id"],
                    evidence=replace(read, facts=dict.fromkeys(FACTS, 0.0)),
                    label=label,
                )
            )
    return examples


def mine(examples: Sequence[LabelledEvidence]) -> Sequence[Rule]:
    return MINER.mine(examples).rules


def right_share(examples: Sequence[LabelledEvidence]) -> float:
    """Of what rules say of the examples they were not mined from."""
    found = list(find_by_fold(mine, examples, settings=FOLDS))
    mined = judge(found, examples, lexicon=MINER.lexicon, settings=FOLDS)
    answered = [each for each in held_out_answers(mined) if each.said is not None]
    assert len(answered) > len(examples) / 2
    return sum(each.right for each in answered) / len(answered)


def test_labels_that_were_tossed_are_not_learned() -> None:
    """Half of the answers are right by chance: .65 of 120 in one of a thousand tosses."""
    assert abs(right_share(snapshots()) - 0.5) < 0.15


def test_tossed_labels_would_look_learned_if_each_example_had_a_fold_of_its_own() -> None:
    apart = [replace(each, dialogue_id=each.example_id) for each in snapshots()]
    assert right_share(apart) > 0.85


def test_a_dialogue_is_in_one_fold_and_an_example_without_one_in_that_of_its_id() -> None:
    by_dialogue = folds_of(snapshots(), FOLDS).tolist()
    assert by_dialogue == [fold(each.dialogue_id) for each in snapshots()]
    lone = [
        LabelledEvidence(example_id=each.example_id, evidence=each.evidence, label=each.label)
        for each in snapshots()
    ]
    assert folds_of(lone, FOLDS).tolist() == [fold(each.example_id) for each in lone]
