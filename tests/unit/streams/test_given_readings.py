"""Readings that a dataset brings are put under the digest of their image."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from inference.inputs import ScreenLine
from inference.reading import Reading, ReadingCache
from streams.errors import DatasetError
from streams.given_readings import fill_cache
from tests import factories as make

PICTURE = make.png()


def row(**fields: Any) -> dict[str, Any]:
    text = {"text": "Total", "score": 0.5, "box": [[10, 20], [60, 20], [60, 40], [10, 40]]}
    return {"image": "a.png", "width": 100, "height": 200, "lines": [text], **fields}


def write(folder: Path, *rows: dict[str, Any] | bytes) -> Path:
    (folder / "images").mkdir()
    (folder / "images" / "a.png").write_bytes(PICTURE)
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows]
    file = folder / "ocr.jsonl"
    file.write_bytes(b"\n".join(lines))
    return file


def cache(folder: Path) -> ReadingCache:
    return ReadingCache(folder / "cache", 1 << 20)


def test_a_reading_lies_under_its_images_digest_with_relative_boxes(tmp_path: Path) -> None:
    readings = cache(tmp_path)
    assert fill_cache(write(tmp_path, row()), readings) == 1
    assert readings.get_given(hashlib.sha256(PICTURE).hexdigest()) == Reading(
        reader="given",
        width=100,
        height=200,
        lines=(ScreenLine(text="Total", score=0.5, box=(0.1, 0.1, 0.6, 0.2)),),
    )


def test_an_image_that_is_not_there_is_passed_over(tmp_path: Path) -> None:
    rows = (row(image="b.png"), row(image=".."), row(image="../ocr.jsonl"), row())
    assert fill_cache(write(tmp_path, *rows), cache(tmp_path)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"[]",
        b"7",
        b"\xff",
        row(width=0),
        row(width="wide"),
        row(width=float("inf")),
        row(lines=None),
        row(lines=[{"text": "x", "score": 1, "box": []}]),
        row(lines=[{"text": "x", "score": 1, "box": [[1]]}]),
        row(lines=[{"text": "x", "box": [[1, 2]]}]),
    ],
)
def test_what_is_no_reading_is_refused_by_file_and_line(
    tmp_path: Path, bad: dict[str, Any] | bytes
) -> None:
    file = write(tmp_path, row(), bad)
    with pytest.raises(DatasetError) as caught:
        fill_cache(file, cache(tmp_path))
    assert str(caught.value).startswith(f"{file}:2: not a reading")
