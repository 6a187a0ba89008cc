"""Utterances: splits of single user turns with an intent each, laid out as CLINC150 is."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from streams.errors import DatasetError

FILE = "data_full.json"
# What is learnt from when no split is named; the others are left for judging.
LEARNT_FROM = ("train", "val")
# Said in place of an intent where there is none: the right answer is to abstain.
OUT_OF_SCOPE = "oos"


def is_utterances(path: Path) -> bool:
    """Whether a path names such a file, its folder, or a split of either: `clinc150/test`."""
    return _file_and_split(path) is not None


def utterance_rows(
    path: Path, *, left_out: Callable[[str, DatasetError], None] | None = None
) -> Iterator[tuple[dict[str, Any], str]]:
    """Each utterance as the line of a dialogue, and where it stands.

    Its id is the split and the position in it, from 0 on. Out of scope it has no label.

    Args:
        path: one for which `is_utterances` holds.
        left_out: is told place and fault of what is no utterance, and reading goes on.

    Raises:
        DatasetError: naming file, place and cure; with `left_out` only when nothing can be read.
    """
    found = _file_and_split(path)
    if found is None:
        raise DatasetError(f"{path}: no such dataset; give a folder with {FILE}")
    file, split = found
    splits = _splits(file)
    if split is not None and split not in splits:
        raise DatasetError(f"{file}: no split {split!r}; there are {', '.join(splits)}")
    chosen = [split] if split else [name for name in LEARNT_FROM if name in splits]
    if not chosen:
        raise DatasetError(f"{file}: neither train nor val; name a split, as in {path}/test")
    for name in chosen:
        yield from _rows(splits[name], name, file, left_out)


def _file_and_split(path: Path) -> tuple[Path, str | None] | None:
    if path.is_dir():
        # A folder of dialogues stays one, whatever else lies in it.
        there = (path / FILE).is_file() and not (path / "dialogues.jsonl").is_file()
        return (path / FILE, None) if there else None
    if path.is_file():
        return (path, None) if path.name == FILE else None
    whole = _file_and_split(path.parent) if path.parent.exists() else None
    return None if whole is None else (whole[0], path.name)


def _splits(file: Path) -> dict[str, list[Any]]:
    try:
        splits = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{file}: no JSON that can be read: {error}") from error
    if not isinstance(splits, dict) or not all(isinstance(each, list) for each in splits.values()):
        raise DatasetError(f'{file}: must be {{"split": [["text", "intent"], …], …}}')
    return splits


def _rows(
    utterances: Sequence[object],
    split: str,
    file: Path,
    left_out: Callable[[str, DatasetError], None] | None,
) -> Iterator[tuple[dict[str, Any], str]]:
    for position, pair in enumerate(utterances):
        place = f"{file}: {split}[{position}]"
        match pair:
            case [str(text), str(intent)]:
                yield (
                    {
                        "dialogue_id": f"{split}-{position}",
                        "task": "intent",
                        "turns": [{"speaker": "user", "text": text}],
                        "label": None if intent == OUT_OF_SCOPE else intent,
                    },
                    place,
                )
            case _:
                fault = DatasetError(f'{place}: must be ["text", "intent"]')
                if left_out is None:
                    raise fault
                left_out(place, fault)
