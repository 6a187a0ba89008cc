"""How commands that read labelled datasets choose between given and own readings."""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import typer

from inference.reading import ReadingCache
from streams.cli.terminal import say
from streams.datasets import given_readings_file
from streams.errors import DatasetError
from streams.given_readings import fill_cache
from streams.settings import Readings, Settings


def choose_readings(wanted: str | None, datasets: Iterable[Path], settings: Settings) -> Readings:
    """`given` when asked for, or when nothing is said and a dataset brings `ocr.jsonl`.

    Fills the cache with what the datasets give, and says which readings are used.
    """
    files = [
        file
        for path in datasets
        if str(path) != "-" and (file := given_readings_file(path)) is not None
    ]
    if wanted not in (None, *get_args(Readings)):
        raise typer.BadParameter(f"--readings must be one of {', '.join(get_args(Readings))}")
    if wanted == "given" and not files:
        raise DatasetError("--readings given, but no dataset brings an ocr.jsonl: take own")
    if wanted == "own" or not files:
        return "own"
    cache = ReadingCache(settings.cache / "readings", max_bytes=settings.cache_bytes)
    count = sum(fill_cache(file, cache) for file in files)
    say(f"readings: {count} given by {', '.join(map(str, files))}")
    return "given"
