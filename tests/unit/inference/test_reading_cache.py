"""Readings come back as they went in, and the folder stays bounded."""

import os
from pathlib import Path

import pytest

from inference.inputs import ScreenLine
from inference.reading_cache import (
    Reading,
    ReadingCache,
    reading_from_json,
    reading_to_json,
)

LINE = ScreenLine(text="支付成功 ¥12", score=0.97, box=(0.1, 0.2, 0.5, 0.25))
READING = Reading(reader="own-1", width=300, height=600, lines=(LINE,))


def key(number: int) -> str:
    return f"{number:064x}"


def test_a_reading_survives_json() -> None:
    assert reading_from_json(reading_to_json(READING)) == READING


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"lines": 3}', b"\xff"])
def test_other_content_is_no_reading(content: bytes) -> None:
    with pytest.raises(ValueError):
        reading_from_json(content)


def test_readings_are_kept_by_image_and_reader(tmp_path: Path) -> None:
    ReadingCache(tmp_path).put(key(1), READING)
    cache = ReadingCache(tmp_path)
    assert cache.get(key(1), "own-1") == READING
    assert cache.get(key(1), "own-2") is None
    assert cache.get(key(2), "own-1") is None


def test_a_given_reading_stands_beside_ones_own(tmp_path: Path) -> None:
    cache = ReadingCache(tmp_path)
    cache.put(key(1), READING)
    cache.put_given(key(1), Reading(reader="dataset", width=1, height=2, lines=()))
    assert cache.get_given(key(1)) == Reading(reader="given", width=1, height=2, lines=())
    assert cache.get(key(1), "own-1") == READING


def test_a_damaged_file_is_a_miss_and_is_replaced(tmp_path: Path) -> None:
    cache = ReadingCache(tmp_path)
    cache.put(key(1), READING)
    (path,) = tmp_path.glob("*/*.json")
    path.write_bytes(b"{half")
    assert cache.get(key(1), "own-1") is None
    cache.put(key(1), READING)
    assert cache.get(key(1), "own-1") == READING


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    size = len(reading_to_json(READING))
    cache = ReadingCache(tmp_path, max_bytes=4 * size)
    for number in range(4):
        cache.put(key(number), READING)
    for path in tmp_path.glob("*/*.json"):
        os.utime(path, (1, 1))
    assert cache.get(key(0), "own-1") == READING  # used: the newest now
    cache.put(key(9), READING)
    kept = [number for number in (0, 1, 2, 3, 9) if cache.get(key(number), "own-1")]
    assert len(kept) == 3
    assert {0, 9} < set(kept)


@pytest.mark.parametrize(
    ("sha256", "reader"), [("../x", "own"), (key(1)[:-1], "own"), (key(1), "../own"), (key(1), "")]
)
def test_a_key_is_never_a_path(tmp_path: Path, sha256: str, reader: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        ReadingCache(tmp_path).get(sha256, reader)


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    ReadingCache(tmp_path).put(key(1), READING)
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".json"]
