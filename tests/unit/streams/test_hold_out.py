"""What mined rules say of the split that only the gate may read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rule_store import read_release, read_rules
from rule_store.folds import is_admission
from rule_store.registry import Registry
from streams.hold_out import hold_out_in
from streams.mined_files import write_mined
from streams.refreshing import may_have_learned
from tests import factories as make
from tests.command_groups import Commands
from tests.mined import examples, mined_task, unlabelled

HELD_OUT = {"hold_out": "admission"}
APART = [each for each in examples(14) if not is_admission(each.dialogue_id)]
BUY = 'when last has "price" then buy\n'
COMPLAIN = 'when last has "angry" then complain\n'


def test_a_folder_of_rules_that_were_mined_without_the_split_says_so(tmp_path: Path) -> None:
    write_mined([mined_task(APART)], tmp_path)
    assert hold_out_in(tmp_path) == HELD_OUT
    write_mined([mined_task(examples(14))], tmp_path)
    assert hold_out_in(tmp_path) == {}


def test_an_example_of_the_split_without_a_label_counts_too(tmp_path: Path) -> None:
    said, known = unlabelled("where", "money")
    (split, *_) = (name for name in map(str, range(99)) if is_admission(name))
    others = [replace(said, dialogue_id="0"), replace(known, dialogue_id=split)]
    write_mined([mined_task(APART, others=others[:1])], tmp_path)
    assert hold_out_in(tmp_path) == HELD_OUT
    write_mined([mined_task(APART, others=others)], tmp_path)
    assert hold_out_in(tmp_path) == {}


def test_one_task_that_was_mined_with_the_split_is_enough(tmp_path: Path) -> None:
    row = {"task": "scene", "reliability": 0.5}
    (tmp_path / "fitted.json").write_text(json.dumps({"s1": row}))
    write_mined([mined_task(APART)], tmp_path)
    assert hold_out_in(tmp_path) == {}


def test_a_folder_that_a_person_wrote_says_nothing(tmp_path: Path) -> None:
    assert hold_out_in(tmp_path) == {}
    (tmp_path / "fitted.json").write_text("{}")
    assert hold_out_in(tmp_path) == {}


@pytest.mark.parametrize(("said", "learned"), [(HELD_OUT, False), ({}, True)])
def test_a_release_of_mined_rules_says_of_the_split_what_they_say(
    said: dict[str, str], learned: bool, tmp_path: Path
) -> None:
    pack = make.write_pack(tmp_path / "kiosk", {"intent.rules": BUY})
    folder, place = tmp_path / "mined", tmp_path / "registry.db"
    folder.mkdir()
    (folder / "intent.rules").write_text(COMPLAIN)
    (rule,) = read_rules(COMPLAIN, task="intent", labels=("buy", "complain")).rules
    (folder / "fitted.json").write_text(json.dumps({rule.id: {"reliability": 0.9, **said}}))
    output = Commands(group="release").ran(
        "build", "--domain", pack, "--rules", folder, "--registry", place
    )
    digest = next(word for word in output.split() if word.startswith("sha256:"))
    with Registry.open(place) as registry:
        release = read_release(registry.signed(digest).content)
    assert release.settings == said
    assert may_have_learned(release) is learned
