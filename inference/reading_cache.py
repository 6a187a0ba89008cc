"""Readings on disk, keyed by image content and reader, bounded in size."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from inference.inputs import Box, ScreenLine

GIVEN = "given"
"""The reader of readings that came with a dataset."""

SHA256 = re.compile(r"[0-9a-f]{64}")
READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
READING_BYTES = 1 << 20
KEEP_SHARE = 0.9  # evict down to this share of max_bytes, so that not every write evicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The text lines read from one image, from top to bottom as the reader gave them.

    reader: which reader, version and settings.
    width, height: of the image, in pixels.
    """

    reader: str
    width: int
    height: int
    lines: tuple[ScreenLine, ...]


def reading_to_json(reading: Reading) -> bytes:
    """The reading as one JSON object; `reading_from_json` takes it back."""
    lines = [{"text": x.text, "score": x.score, "box": list(x.box)} for x in reading.lines]
    fields = {
        "reader": reading.reader,
        "width": reading.width,
        "height": reading.height,
        "lines": lines,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def reading_from_json(content: bytes) -> Reading:
    """Take a reading back from JSON.

    Raises:
        ValueError: it is not a reading.
    """
    try:
        fields = json.loads(content)
        return Reading(
            reader=str(fields["reader"]),
            width=int(fields["width"]),
            height=int(fields["height"]),
            lines=tuple(
                ScreenLine(text=str(x["text"]), score=float(x["score"]), box=_box(x["box"]))
                for x in fields["lines"]
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"not a reading: {error!r}"
        raise ValueError(msg) from error


class ReadingCache:
    """One folder of readings that several processes may share.

    The least recently used go first; use is a file's modification time.
    """

    def __init__(self, folder: Path, max_bytes: int = 256 << 20) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._size_bytes: int | None = None  # unknown until the first write counts

    def get(self, sha256: str, reader: str) -> Reading | None:
        """The reading of an image by one reader; None when unknown or not readable."""
        path = self._path(sha256, reader)
        try:
            if path.stat().st_size > READING_BYTES:
                return None
            reading = reading_from_json(path.read_bytes())
            os.utime(path)
        except (OSError, ValueError):
            return None
        return reading

    def put(self, sha256: str, reading: Reading) -> None:
        """Keep a reading; one too large to come back is not kept."""
        path = self._path(sha256, reading.reader)
        content = reading_to_json(reading)
        if len(content) > READING_BYTES:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        if self._size_bytes is not None:
            self._size_bytes += len(content)
        if self._size_bytes is None or self._size_bytes > self._max_bytes:
            self._evict()

    def put_given(self, sha256: str, reading: Reading) -> None:
        """Keep a reading that came with a dataset, under the reader `given`."""
        self.put(
            sha256,
            Reading(reader=GIVEN, width=reading.width, height=reading.height, lines=reading.lines),
        )

    def get_given(self, sha256: str) -> Reading | None:
        return self.get(sha256, GIVEN)

    def _path(self, sha256: str, reader: str) -> Path:
        if not SHA256.fullmatch(sha256) or not READER.fullmatch(reader):
            msg = f"a key is 64 hex digits and a reader name, not {sha256!r} {reader!r}"
            raise ValueError(msg)
        return self._folder / sha256[:2] / f"{sha256}.{reader}.json"

    def _evict(self) -> None:
        """Count what lies there, and drop the least recently used when it is too much."""
        found = []
        for path in self._folder.glob("??/*.json"):
            try:
                stat = path.stat()
            except FileNotFoundError:  # another process evicts as well
                continue
            found.append((stat.st_mtime_ns, path.name, stat.st_size, path))
        size_bytes = sum(size for _, _, size, _ in found)
        if size_bytes > self._max_bytes:
            for _, _, size, path in sorted(found):
                if size_bytes <= KEEP_SHARE * self._max_bytes:
                    break
                path.unlink(missing_ok=True)
                size_bytes -= size
        self._size_bytes = size_bytes


def _box(values: list[float]) -> Box:
    x0, y0, x1, y1 = (min(1.0, max(0.0, float(value))) for value in values)
    return (x0, y0, x1, y1)
