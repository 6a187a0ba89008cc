"""Labelled files become events, or are refused with file and line."""

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from streams.datasets import (
    Example,
    View,
    dialogues_file,
    given_readings_file,
    is_empty,
    read_examples,
)
from streams.errors import DatasetError
from streams.events import Turn
from streams.limits import LIMITS
from tests import factories as make

PICTURE = make.png()


def line(**fields: Any) -> dict[str, Any]:
    turns = [{"speaker": "user", "text": "hi"}]
    return {"dialogue_id": "d1", "task": "intent", "turns": turns, "label": "track", **fields}


def write(folder: Path, *lines: dict[str, Any] | bytes, images: tuple[str, ...] = ()) -> Path:
    file = folder / "dialogues.jsonl"
    rows = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    file.write_bytes(b"\n".join(rows) + b"\n")
    (folder / "images").mkdir(exist_ok=True)
    for name in images:
        (folder / "images" / name).write_bytes(PICTURE)
    return file


def read(path: Path, view: View = "live") -> list[Example]:
    return list(read_examples(path, domain="shop", view=view, now_ms=make.NOW_MS))


def one(folder: Path, view: View = "live", **fields: Any) -> Example:
    """The example of one line; the images it names are there."""
    row = line(**fields)
    (example,) = read(write(folder, row, images=tuple(row.get("images", ()))), view)
    return example


def said(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"speaker": speaker, "text": text} for speaker, text in turns]


def layout(turns: tuple[Turn, ...]) -> list[tuple[str, str, list[str]]]:
    return [(turn.speaker, turn.text, [each.image_id for each in turn.images]) for turn in turns]


def refusal(folder: Path, row: dict[str, Any] | bytes, images: tuple[str, ...] = ()) -> str:
    file = write(folder, row, images=images)
    with pytest.raises(DatasetError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}:1: ")
    return str(caught.value)


def test_a_line_becomes_an_event_with_its_label(tmp_path: Path) -> None:
    example = one(tmp_path)
    assert example.event == make.event(
        make.user("hi"), event_id="d1", dialogue_id="d1", tasks=("intent",)
    )
    assert (example.task, example.label) == ("intent", "track")
    assert example.place == f"{tmp_path / 'dialogues.jsonl'}:1"


def test_event_id_and_time_are_taken_where_they_are_given(tmp_path: Path) -> None:
    event = one(tmp_path, event_id="e9", sent_at_ms=0).event
    assert (event.event_id, event.dialogue_id, event.sent_at_ms) == ("e9", "d1", 0)


def test_without_a_task_the_event_asks_by_itself(tmp_path: Path) -> None:
    example = one(tmp_path, task=None, label=None)
    assert (example.event.tasks, example.task, example.label) == (None, None, None)


def test_the_label_is_that_of_the_task_among_several_tasks(tmp_path: Path) -> None:
    example = one(tmp_path, tasks=["scene", "intent"])
    assert example.task == "intent"
    assert example.event.tasks == ("intent", "scene")


def test_a_folder_holds_its_lines_and_maybe_readings(tmp_path: Path) -> None:
    file = write(tmp_path, line())
    assert dialogues_file(tmp_path) == file == dialogues_file(file)
    assert given_readings_file(tmp_path) is None
    (tmp_path / "ocr.jsonl").touch()
    assert given_readings_file(tmp_path) == tmp_path / "ocr.jsonl"
    assert len(read(tmp_path)) == 1


def test_no_dataset_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"give a \.jsonl or a folder"):
        read(tmp_path / "absent")


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    file = write(tmp_path, line(), b"", line(dialogue_id="d2"))
    assert [each.place for each in read(file)] == [f"{file}:1", f"{file}:3"]


def test_a_file_of_empty_lines_is_empty(tmp_path: Path) -> None:
    assert is_empty(write(tmp_path))
    assert is_empty(write(tmp_path, b" ", b"\t"))
    assert not is_empty(write(tmp_path, b"", line()).parent)
    assert not is_empty(write(tmp_path, b"no example"))
    assert not is_empty(Path("-")), "nobody knows before reading it"


def test_standard_input_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(json.dumps(line()).encode())))
    assert [each.place for each in read(Path("-"))] == ["-:1"]


# Views


ENDING = said(("user", "hi"), ("agent", "yes?"), ("user", "where"), ("agent", "a"), ("agent", "b"))


def test_the_live_view_ends_with_what_the_user_said(tmp_path: Path) -> None:
    turns = one(tmp_path, "live", turns=ENDING).event.turns
    assert [turn.text for turn in turns] == ["hi", "yes?", "where"]


def test_the_recorded_view_keeps_what_came_after(tmp_path: Path) -> None:
    turns = one(tmp_path, "recorded", turns=ENDING).event.turns
    assert [turn.text for turn in turns] == ["hi", "yes?", "where", "a", "b"]


def test_a_dialogue_in_which_no_user_speaks_stays_as_it_is(tmp_path: Path) -> None:
    turns = one(tmp_path, "live", turns=said(("agent", "hello"))).event.turns
    assert [turn.text for turn in turns] == ["hello"]


# Images


def test_the_kth_image_sits_where_the_kth_placeholder_of_a_user_was(tmp_path: Path) -> None:
    turns = said(
        ("user", "<image>see <image>"), ("agent", "<image> thanks"), ("user", "and <image>")
    )
    example = one(tmp_path, turns=turns, images=["a.png", "b.png", "c.png"])
    assert layout(example.event.turns) == [
        ("user", "see", ["0-a.png", "1-b.png"]),
        ("agent", "thanks", []),
        ("user", "and", ["2-c.png"]),
    ]


def test_images_beyond_the_placeholders_belong_to_the_last_user_turn(tmp_path: Path) -> None:
    turns = said(("user", "<image>"), ("user", "hi"), ("agent", "yes?"))
    example = one(tmp_path, "recorded", turns=turns, images=["a.png", "b.png", "c.png"])
    assert layout(example.event.turns) == [
        ("user", "", ["0-a.png"]),
        ("user", "hi", ["1-b.png", "2-c.png"]),
        ("agent", "yes?", []),
    ]


def test_an_image_without_dialogue_is_a_user_turn_with_empty_text(tmp_path: Path) -> None:
    example = one(tmp_path, task="scene", turns=[], images=["a.png"], label="chat")
    assert layout(example.event.turns) == [("user", "", ["0-a.png"])]


def test_an_image_carries_its_bytes_and_their_digest(tmp_path: Path) -> None:
    (image,) = one(tmp_path, images=["a.png"]).event.turns[0].images
    assert image.content == PICTURE
    assert image == make.image("0-a.png", PICTURE, sha256=image.sha256)
    assert len(image.sha256 or "") == 64


@pytest.mark.parametrize(
    ("text", "clean"),
    [("<http>", ""), ('see "<http>" there', "see  there"), ("a <image>", "a"), ("a < b", "a < b")],
)
def test_placeholders_are_no_text(tmp_path: Path, text: str, clean: str) -> None:
    turns = one(tmp_path, turns=said(("user", "x"), ("agent", text), ("user", "y"))).event.turns
    assert turns[1].text == clean


# Refusals


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"dialogue_id": None}, "dialogue_id"),
        ({"dialogue_id": "x" * (LIMITS.id_chars + 1)}, "dialogue_id"),
        ({"dialogue_id": "\ud800"}, "dialogue_id"),
        ({"event_id": 7}, "event_id"),
        ({"task": ["intent"]}, "task"),
        ({"tasks": "intent"}, "tasks"),
        ({"tasks": ["\ud800"]}, "tasks"),
        ({"label": ""}, "label"),
        ({"sent_at_ms": -1}, "sent_at_ms"),
        ({"sent_at_ms": 2**63}, "sent_at_ms"),
        ({"sent_at_ms": True}, "sent_at_ms"),
        ({"turns": ["hi"]}, "turns"),
        ({"turns": said(("bot", "hi"))}, "turns[0].speaker"),
        ({"turns": said(("user", "x" * (LIMITS.text_chars + 1)))}, "turns[0].text"),
        ({"turns": said(("user", "\udc00"))}, "turns[0].text"),
        ({"turns": []}, "neither turns nor images"),
        ({"images": ["absent.png"]}, "cannot be read"),
        ({"images": [7]}, "images"),
        ({"images": ["../dialogues.jsonl"]}, "must be a name inside"),
        ({"images": ["/etc/hostname"]}, "must be a name inside"),
        ({"images": ["a\0b"]}, "must be a name inside"),
        ({"images": ["\ud800"]}, "images"),
    ],
)
def test_a_malformed_line_is_refused_by_file_line_and_field(
    tmp_path: Path, fields: dict[str, Any], named: str
) -> None:
    assert named in refusal(tmp_path, line(**fields))


@pytest.mark.parametrize(
    "row", [b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"dialogue_id": ' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, row: bytes) -> None:
    refusal(tmp_path, row)


def test_too_many_images_are_refused_and_not_left_out(tmp_path: Path) -> None:
    names = tuple(f"{n}.png" for n in range(LIMITS.images_per_event + 1))
    message = refusal(tmp_path, line(images=list(names)), names)
    assert "17 images in one event; the limit is 16" in message
