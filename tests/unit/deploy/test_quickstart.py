"""The committed sample is what the code writes, is small, and is fair."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deploy.quickstart import phrases
from deploy.quickstart.dialogues import fill
from deploy.quickstart.draws import Draws
from deploy.quickstart.generate import HERE, differences, main, sample_files, write
from deploy.quickstart.png import encode
from streams.domain import load_domain

SPLITS = ("train", "live")


def lines(split: str) -> list[dict[str, Any]]:
    text = (HERE / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def said(line: dict[str, Any]) -> str:
    """All the customer said, without the dress of case, spaces and images."""
    texts = [turn["text"] for turn in line["turns"] if turn["speaker"] == "user"]
    return re.sub(r"(<image>|\s)+", " ", " | ".join(texts)).casefold().strip()


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return sample_files()


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    return sorted([*HERE.glob("*.jsonl"), *HERE.glob("images/*")])


def test_regenerating_gives_the_committed_bytes(
    made: dict[str, bytes], committed: list[Path], tmp_path: Path
) -> None:
    write(made, tmp_path)
    again = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.glob("**/*.*")}
    assert again == {path.relative_to(HERE): path.read_bytes() for path in committed}


def test_the_check_names_what_is_stale_missing_and_left_over(tmp_path: Path) -> None:
    files = {"train.jsonl": b"new", "live.jsonl": b"same"}
    write({"train.jsonl": b"old", "live.jsonl": b"same", "images/gone.png": b""}, tmp_path)
    assert differences(files, tmp_path) == [
        "images/gone.png: not part of the sample, remove it",
        "train.jsonl: differs from what the code writes",
    ]
    assert differences({**files, "images/new.png": b""}, tmp_path)[1] == "images/new.png: missing"


def test_the_check_command_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", "--out", str(tmp_path)]) == 1
    assert "train.jsonl: missing" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_the_sample_is_small(committed: list[Path]) -> None:
    assert sum(path.stat().st_size for path in committed) <= 3_000_000
    assert len(list((HERE / "images").iterdir())) <= 80


@pytest.mark.parametrize("split", SPLITS)
def test_every_label_of_the_pack_occurs_and_no_other(split: str) -> None:
    domain = load_domain("storefront")
    for task in domain.tasks.values():
        found = {line["label"] for line in lines(split) if line["task"] == task.name}
        assert found == set(task.label_names)


@pytest.mark.parametrize("split", SPLITS)
def test_every_line_has_what_a_dataset_line_needs(split: str) -> None:
    for line in lines(split):
        assert set(line) == {"dialogue_id", "task", "turns", "images", "label"}
        placeholders = sum(turn["text"].count("<image>") for turn in line["turns"])
        if line["task"] == "scene":
            assert (line["turns"], len(line["images"])) == ([], 1)
        else:
            assert 1 <= len(line["turns"]) <= 6
            assert placeholders == len(line["images"])


def test_dialogue_ids_are_unique() -> None:
    ids = [line["dialogue_id"] for split in SPLITS for line in lines(split)]
    assert len(ids) == len(set(ids))


def test_the_splits_share_no_dialogue_and_no_screenshot() -> None:
    train, live = lines("train"), lines("live")
    spoken = [said(line) for line in (*train, *live) if line["turns"]]
    assert len(spoken) == len(set(spoken))
    shown = [{name for line in split for name in line["images"]} for split in (train, live)]
    assert shown[0].isdisjoint(shown[1])
    pixels = [(HERE / "images" / name).read_bytes() for names in shown for name in names]
    assert len(pixels) == len(set(pixels))


def test_every_screenshot_is_used_and_exists() -> None:
    used = {name for split in SPLITS for line in lines(split) for name in line["images"]}
    assert used == {path.name for path in (HERE / "images").iterdir()}


def test_some_phrases_are_said_in_live_only() -> None:
    held_out = "my birthday gift from you has not been taken off the price"
    assert held_out in phrases.HELD_OUT["promotion"]
    assert any(held_out in said(line) for line in lines("live"))
    assert not any(held_out in said(line) for line in lines("train"))


@pytest.mark.parametrize("split", SPLITS)
def test_recorded_and_live_views_differ_on_some_lines(split: str) -> None:
    ends = [line["turns"][-1]["speaker"] for line in lines(split) if line["turns"]]
    assert 0.2 < ends.count("agent") / len(ends) < 0.5


def test_a_slot_named_twice_is_filled_with_different_words() -> None:
    first, second = fill("{colour}/{colour}", Draws("slots")).split("/")
    assert first != second


def test_png_keeps_sixteen_colours_exactly() -> None:
    image = Image.new("RGB", (61, 40), (250, 250, 250))
    for at in range(15):
        image.paste((at * 16, 0, 255 - at * 16), (at * 4, at, at * 4 + 3, at + 20))
    with Image.open(io.BytesIO(encode(image))) as read:
        assert read.convert("RGB").tobytes() == image.tobytes()
