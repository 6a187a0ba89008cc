"""Lines that teach nothing: `rules mine` goes on without them, training refuses them."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.folds import fold
from streams.resources import quickstart_folder
from tests.commands import kdsl
from tests.factories import png

LINES = (quickstart_folder() / "train.jsonl").read_text(encoding="utf-8").splitlines()
ROWS: list[dict[str, Any]] = [row for row in map(json.loads, LINES) if not row["images"]]


def dataset(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "chats.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def mine(file: Path, *more: str) -> Any:
    fixed = ("--domain", "storefront", "--iterations", "4", "--out", file.parent / "mined")
    return kdsl("rules", "mine", "--examples", file, *fixed, *more)


def mined_from(file: Path) -> set[str]:
    votes = (file.parent / "mined" / "votes.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["example_id"] for line in votes}


def faulty(folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Sixty good dialogues, and after them one of each fault, or two where it takes two."""
    good = ROWS[:60]
    (folder / "images").mkdir()
    (folder / "images" / "broken.png").write_bytes(png()[:-30])
    scene = {"task": "scene", "label": "order_page", "turns": [], "dialogue_id": "d-broken"}
    bad = [
        {**ROWS[60], "label": "trak_order"},
        {key: value for key, value in ROWS[61].items() if key != "label"},
        good[0],
        {**ROWS[62], "label": "complaint"},
        {**ROWS[62], "label": "track_order"},
        {**scene, "images": ["broken.png"]},
    ]
    return dataset(folder, *good, *bad), good


def test_lines_that_teach_nothing_are_left_out_and_named_and_the_rest_is_mined(
    tmp_path: Path,
) -> None:
    file, good = faulty(tmp_path)
    told = mine(file)
    assert told.returncode == 0, told.stderr
    said = told.stderr
    assert f'{file}:61: "storefront" has no intent label "trak_order"' in said
    assert '(did you mean "track_order"?): left out; add it' in said
    assert "--domain" not in said
    assert f"{file}:62: no label: left out" in said
    assert f"{file}:63: an earlier line has the same id and label: left out" in said
    assert f"{file}:64, {file}:65: example {ROWS[62]['dialogue_id']!r} has the labels" in said
    assert f"{file}:66: " in said
    assert "(image_corrupt): left out" in said
    assert mined_from(file) == {row["dialogue_id"] for row in good}


def test_training_refuses_what_mining_leaves_out(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    file = dataset(tmp_path, *ROWS[:60], {**ROWS[60], "label": "trak_order"})
    refused = kdsl(
        *("model", "train", "--domain", "storefront"), *("--examples", file, "--out", bundle)
    )
    assert refused.returncode == 1
    assert f'{file}:61: "storefront" has no intent label "trak_order"' in refused.stderr
    assert not bundle.exists()


def test_mining_opens_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KDSL_BUNDLE", str(tmp_path / "no-bundle-is-here"))
    told = mine(dataset(tmp_path, *ROWS[:60]))
    assert told.returncode == 0, told.stderr


def test_of_dialogues_without_labels_a_line_that_is_none_is_left_out_and_named(
    tmp_path: Path,
) -> None:
    file = dataset(tmp_path, *ROWS[:60])
    log = tmp_path / "log.jsonl"
    asked = {"dialogue_id": "u1", "turns": [{"speaker": "user", "text": "Where is my parcel?"}]}
    log.write_text("{not json\n" + json.dumps(asked), encoding="utf-8")
    told = mine(file, "--unlabelled", str(log), "--task", "intent")
    assert told.returncode == 0, told.stderr
    assert f"--unlabelled: {log}:1: not a JSON object: " in told.stderr
    assert "left out; correct or remove the line" in told.stderr


def test_a_refresh_leaves_out_the_same(tmp_path: Path) -> None:
    file, _ = faulty(tmp_path)
    place = tmp_path / "registry.db"
    told = kdsl(
        *("refresh", "--domain", "storefront", "--examples", file, "--stage"),
        *("--iterations", 4, "--allow-unsigned"),
        KDSL_REGISTRY=str(place),
    )
    assert told.returncode in (0, 3), told.stderr
    assert '"storefront" has no intent label "trak_order"' in told.stderr
    assert "(image_corrupt): left out" in told.stderr


def test_moments_of_one_dialogue_are_held_out_together(tmp_path: Path) -> None:
    rows = [{**row, "event_id": f"{row['dialogue_id']}-{n}"} for row in ROWS[:30] for n in range(3)]
    file = dataset(tmp_path, *rows)
    told = mine(file)
    assert told.returncode == 0, told.stderr
    votes = (tmp_path / "mined" / "votes.jsonl").read_text(encoding="utf-8").splitlines()
    folds = {vote["example_id"]: vote["fold"] for vote in map(json.loads, votes)}
    assert folds == {row["event_id"]: fold(row["dialogue_id"]) for row in rows}


def test_a_missing_image_is_left_out_and_named(tmp_path: Path) -> None:
    missing = {**ROWS[60], "images": ["gone.png"]}
    file = dataset(tmp_path, *ROWS[:60], missing)
    told = mine(file)
    assert told.returncode == 0, told.stderr
    folder = tmp_path / "images"
    said = f"{file}:61: No such file or directory in {folder} for image gone.png: left out"
    assert said in told.stderr
    assert mined_from(file) == {row["dialogue_id"] for row in ROWS[:60]}


def test_examples_of_another_domain_ask_whether_the_domain_is_right(tmp_path: Path) -> None:
    told = mine(dataset(tmp_path, *({**row, "label": "tea"} for row in ROWS[:3])))
    assert told.returncode == 1
    assert 'no label of these examples is one of "storefront": is --domain right?' in told.stderr


@pytest.mark.parametrize("option", ["--examples", "--unlabelled"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, option: str) -> None:
    file = dataset(tmp_path)
    told = kdsl("rules", "mine", option, file, "--domain", "storefront", "--out", tmp_path / "out")
    assert f"{file}: the file is empty" in told.stderr
