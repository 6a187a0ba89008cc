"""Utterances in splits become events as dialogues do; splits are chosen by their names."""

import json
from pathlib import Path
from typing import Any

import pytest

from streams.datasets import Example, given_readings_file, read_examples
from streams.errors import DatasetError
from tests import factories as make

SPLITS: dict[str, Any] = {
    "oos_val": [["why is the sky up", "oos"]],
    "val": [["set a timer", "timer"]],
    "train": [["wake me at 6", "alarm"], ["what do i owe", "balance"]],
    "test": [["ring at noon", "alarm"]],
}


def write(folder: Path, splits: object = SPLITS) -> Path:
    file = folder / "data_full.json"
    file.write_text(json.dumps(splits))
    return file


def read(path: Path) -> list[Example]:
    return list(read_examples(path, domain="desk", view="live", now_ms=make.NOW_MS))


def ids_and_labels(path: Path) -> list[tuple[str, str | None]]:
    return [(example.event.event_id, example.label) for example in read(path)]


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read(path)
    return str(caught.value)


def test_an_utterance_is_a_dialogue_of_one_turn(tmp_path: Path) -> None:
    file = write(tmp_path)
    (example,) = read(tmp_path / "test")
    assert example.event == make.event(
        make.user("ring at noon"),
        domain="desk",
        event_id="test-0",
        dialogue_id="test-0",
        tasks=("intent",),
    )
    assert (example.task, example.label) == ("intent", "alarm")
    assert example.place == f"{file}: test[0]"


def test_what_is_learnt_from_is_train_and_val(tmp_path: Path) -> None:
    expected = [("train-0", "alarm"), ("train-1", "balance"), ("val-0", "timer")]
    file = write(tmp_path)
    assert ids_and_labels(tmp_path) == expected == ids_and_labels(file)


@pytest.mark.parametrize("split", ["val", "train", "test", "oos_val"])
def test_a_split_is_named_after_its_folder_or_file(tmp_path: Path, split: str) -> None:
    file = write(tmp_path)
    assert len(read(tmp_path / split)) == len(SPLITS[split]) == len(read(file / split))


def test_out_of_scope_asks_and_has_no_label(tmp_path: Path) -> None:
    write(tmp_path)
    (example,) = read(tmp_path / "oos_val")
    assert (example.event.tasks, example.label) == (("intent",), None)


def test_utterances_bring_no_readings(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "ocr.jsonl").touch()
    assert given_readings_file(tmp_path) is None
    assert given_readings_file(tmp_path / "test") is None


def test_a_folder_of_dialogues_stays_one(tmp_path: Path) -> None:
    write(tmp_path)
    dialogue = {"dialogue_id": "d1", "turns": [{"speaker": "user", "text": "hi"}]}
    (tmp_path / "dialogues.jsonl").write_text(json.dumps(dialogue))
    assert ids_and_labels(tmp_path) == [("d1", None)]


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    file = write(tmp_path)
    expected = f"{file}: no split 'dev'; there are oos_val, val, train, test"
    assert refusal(tmp_path / "dev") == expected


def test_a_file_without_train_and_val_asks_for_a_split(tmp_path: Path) -> None:
    file = write(tmp_path, {"test": SPLITS["test"]})
    cure = f"neither train nor val; name a split, as in {tmp_path}/test"
    assert refusal(tmp_path) == f"{file}: {cure}"


@pytest.mark.parametrize("splits", [[], {"train": {}}, {"train": "x"}])
def test_another_layout_is_refused(tmp_path: Path, splits: object) -> None:
    file = write(tmp_path, splits)
    assert refusal(tmp_path).startswith(f'{file}: must be {{"split"')


@pytest.mark.parametrize("pair", ["x", ["x"], ["x", None], [1, "alarm"], ["x", "alarm", "y"]])
def test_what_is_no_pair_is_refused_with_its_place(tmp_path: Path, pair: object) -> None:
    file = write(tmp_path, {"train": [["wake me", "alarm"], pair]})
    assert refusal(tmp_path) == f'{file}: train[1]: must be ["text", "intent"]'


def test_what_is_no_utterance_can_be_left_out_with_place_and_fault(tmp_path: Path) -> None:
    file = write(tmp_path, {"train": ["x", ["\ud800", "alarm"], ["wake me", "alarm"]]})
    faults: dict[str, str] = {}

    def note(place: str, fault: DatasetError) -> None:
        faults[place] = str(fault)

    found = read_examples(tmp_path, domain="desk", view="live", now_ms=0, left_out=note)
    assert [each.event.event_id for each in found] == ["train-2"]
    assert list(faults) == [f"{file}: train[0]", f"{file}: train[1]"]
    assert all(fault.startswith(f"{place}: ") for place, fault in faults.items())


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "data_full.json"
    file.write_text("{")
    assert refusal(tmp_path).startswith(f"{file}: no JSON that can be read: ")


def test_a_text_that_no_event_holds_is_refused_as_in_a_dialogue(tmp_path: Path) -> None:
    file = write(tmp_path, {"train": [["\ud800", "alarm"]]})
    assert refusal(tmp_path).startswith(f"{file}: train[0]: turns[0].text must be a string")


def test_neither_a_dataset_nor_a_split_of_one_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    assert "no such dataset" in refusal(tmp_path / "test" / "deeper")
