"""Readings that a dataset brought along (`ocr.jsonl`) → the cache of readings."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inference.inputs import ScreenLine
from inference.reading import GIVEN, Reading, ReadingCache
from streams.errors import DatasetError

_LINE_BYTES = 4 * 1024 * 1024


def fill_cache(ocr_file: Path, cache: ReadingCache) -> int:
    """Put every given reading under the digest of its image, `images/<name>` beside the file.

    An image that the dataset no longer has is passed over: nothing can ask for it.

    Returns:
        How many readings were put.

    Raises:
        DatasetError: naming file, line and cure.
    """
    count = 0
    for name, reading in _read(ocr_file):
        image = ocr_file.parent / "images" / name
        if image.is_file():
            cache.put_given(hashlib.sha256(image.read_bytes()).hexdigest(), reading)
            count += 1
    return count


def _read(ocr_file: Path) -> Iterator[tuple[str, Reading]]:
    with ocr_file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if len(line) > _LINE_BYTES:
                raise DatasetError(f"{ocr_file}:{number}: line longer than {_LINE_BYTES} bytes")
            try:
                row = json.loads(line)
                yield Path(str(row["image"])).name, _reading(row)
            except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
                raise DatasetError(
                    f"{ocr_file}:{number}: not a reading ({error!r}); expected image, width, "
                    "height and lines of text, score and box"
                ) from error


def _reading(row: dict[str, Any]) -> Reading:
    width, height = int(row["width"]), int(row["height"])
    if width <= 0 or height <= 0:
        raise ValueError("an image has a positive width and height")
    lines = tuple(
        ScreenLine(
            text=str(line["text"]),
            score=float(line["score"]),
            box=_relative(line["box"], width, height),
        )
        for line in row["lines"]
    )
    return Reading(reader=GIVEN, width=width, height=height, lines=lines)


def _relative(
    corners: list[list[float]], width: int, height: int
) -> tuple[float, float, float, float]:
    """Four corners in pixels → left, top, right, bottom as shares of the image."""
    xs = [min(max(float(x) / width, 0.0), 1.0) for x, _ in corners]
    ys = [min(max(float(y) / height, 0.0), 1.0) for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)
