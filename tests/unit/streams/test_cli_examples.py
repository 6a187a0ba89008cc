"""`kdsl examples`: labelled lines into the registry, counted, written back and out again."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rule_store.registry import Registry
from streams.cli.main import app
from streams.datasets import read_examples
from streams.errors import DatasetError
from tests import factories as make


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry, and the pack whose labels count."""
    monkeypatch.setenv("KDSL_REGISTRY", str(tmp_path / "registry.db"))
    monkeypatch.setenv("KDSL_DOMAIN", str(make.write_pack(tmp_path / "kiosk")))
    return tmp_path / "registry.db"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["examples", *map(str, arguments)])


def ran(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def line(
    name: str, text: str = "I am angry", label: str = "complain", **more: Any
) -> dict[str, Any]:
    turns = [{"speaker": "user", "text": text}]
    return {"dialogue_id": name, "turns": turns, "task": "intent", "label": label, **more}


def dataset(file: Path, *lines: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines)
    file.write_text(text, encoding="utf-8")
    return file


def test_lines_are_added_once_and_told_by_file(tmp_path: Path) -> None:
    one = dataset(tmp_path / "one.jsonl", line("a"), line("b"))
    two = dataset(tmp_path / "two.jsonl", line("b"), line("c"))
    output = ran("add", one, two)
    assert f"{one}: 2 added, 0 there already, 0 conflicting" in output
    assert f"{two}: 1 added, 1 there already, 0 conflicting" in output
    assert "0 added, 2 there already" in ran("add", one)


def test_another_line_of_one_id_is_told_and_the_others_are_added(tmp_path: Path) -> None:
    ran("add", dataset(tmp_path / "one.jsonl", line("a"), line("b")))
    lines = [line(str(number)) for number in range(5)]
    two = dataset(tmp_path / "two.jsonl", *lines, line("a", "other words"), line("b"))
    result = run("add", two)
    assert result.exit_code == 1
    assert f"{two}: 5 added, 1 there already, 1 conflicting" in result.output
    assert 'example "a"' in result.output
    assert "7 examples of kiosk" in ran("list")


def test_two_contents_of_one_id_in_one_file_are_a_conflict(tmp_path: Path) -> None:
    file = dataset(tmp_path / "one.jsonl", line("a"), line("a", "other words"))
    result = run("add", file)
    assert result.exit_code == 1
    assert "1 added, 0 there already, 1 conflicting" in result.output


def test_examples_are_counted_by_task_and_label_and_written_back(tmp_path: Path) -> None:
    lines = [line("b", "how much 多少钱", "buy"), line("a", event_id="e1"), line("c")]
    ran("add", dataset(tmp_path / "one.jsonl", *lines))
    out = tmp_path / "back.jsonl"
    output = ran("list", "--out", out)
    assert [row.split()[1:-1] for row in output.splitlines() if "intent" in row] == [
        ["intent", "│", "buy", "│", "1"],
        ["intent", "│", "complain", "│", "2"],
    ]
    written = [json.loads(row) for row in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(written, key=str) == sorted(lines, key=str)
    again = list(read_examples(out, domain="kiosk", view="recorded", now_ms=0))
    assert [example.event.event_id for example in again] == ["b", "c", "e1"]


def test_of_images_only_the_names_are_kept_and_that_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    file = dataset(folder / "dialogues.jsonl", line("a", images=["shot.png"]))
    (folder / "images").mkdir()
    (folder / "images" / "shot.png").write_bytes(make.png())
    assert "1 lines name images, of which only the names are kept" in ran("add", folder)
    out = tmp_path / "back.jsonl"
    ran("list", "--out", out)
    assert json.loads(out.read_text())["images"] == ["shot.png"]
    assert "1 removed" in ran("remove", file)


def test_removed_examples_are_gone(tmp_path: Path, place: Path) -> None:
    one = dataset(tmp_path / "one.jsonl", line("a"), line("b"))
    ran("add", one)
    two = dataset(tmp_path / "two.jsonl", line("b"), line("c"))
    assert f"{two}: 1 removed, 1 were not there" in ran("remove", two)
    with Registry.open(place) as registry:
        assert [row.example_id for row in registry.examples("kiosk")] == ["a"]


def test_the_files_name_is_the_origin(tmp_path: Path, place: Path) -> None:
    file = dataset(tmp_path / "one.jsonl", line("a"))
    ran("add", file, "--by", "ann")
    with Registry.open(place) as registry:
        (row,) = registry.examples("kiosk")
        assert (row.origin, row.labels) == (str(file), ("complain",))
        assert registry.audit()[0].by == "ann"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label": None}, "no label"),
        ({"label": "unheard"}, '"kiosk" has no intent label "unheard"'),
        ({"task": "scene"}, '"kiosk" has no task "scene"'),
        ({"dialogue_id": ""}, "dialogue_id must be"),
        ({"images": ["gone.png"]}, "cannot be read"),
    ],
)
def test_a_line_no_training_would_take_is_refused_with_its_place(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    file = dataset(tmp_path / "one.jsonl", line("a"), line("b") | wrong)
    result = run("add", file)
    assert isinstance(result.exception, DatasetError)
    assert f"{file}:2" in str(result.exception)
    assert message in str(result.exception)
    assert "0 examples of kiosk" in ran("list"), "nothing of a malformed file is added"


def test_a_line_that_is_no_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text("{\n")
    for command in ("add", "remove"):
        result = run(command, file)
        assert isinstance(result.exception, DatasetError), result.exception
        assert f"{file}:1" in str(result.exception)
