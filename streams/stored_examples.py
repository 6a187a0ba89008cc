"""Labelled lines of a dataset as the registry keeps them, and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rule_store.canonical import canonical_json
from rule_store.registry_errors import RegistryConflict
from streams.datasets import Example, dialogues_file, read_examples
from streams.domain import Domain
from streams.errors import DatasetError, InvalidRecord
from streams.labelled import labelled_questions
from streams.utterances import is_utterances, utterance_rows

if TYPE_CHECKING:  # commands load the database when they open it (docs/adr/0011)
    from rule_store.registry import Added, LabelledExample

# Below what the registry writes in one transaction, so that a refused chunk left nothing behind.
_CHUNK = 200
_CHUNK_BYTES = 8 * 1024 * 1024

AddRows = Callable[[Sequence["LabelledExample"]], "Added"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """A labelled line, read as `kdsl tag` reads it.

    row: the line's own fields.
    """

    example: Example
    label: str
    row: dict[str, object]

    @property
    def has_images(self) -> bool:
        return bool(self.row.get("images"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Adding:
    """What became of the lines of a file: added, there already, or contradicting what is there."""

    added: int
    known: int
    conflicts: tuple[str, ...]


def read_lines(path: Path, domain: Domain) -> Iterator[StoredLine]:
    """The labelled lines of a dataset, each checked as for training.

    Raises:
        DatasetError: malformed, without a label, or with one of no task of the domain.
    """
    rows = (row for row, _ in _raw_rows(path))
    examples = read_examples(path, domain=domain.name, view="recorded", now_ms=0)
    for example, row in zip(examples, rows, strict=True):
        try:
            label, _ = labelled_questions(example, domain)
        except InvalidRecord as error:
            raise DatasetError(f"{example.place}: {error.detail} ({error.reason})") from error
        yield StoredLine(example=example, label=label, row=row)


def example_ids(path: Path) -> list[str]:
    """The example ids of a dataset's lines; images need not be there.

    Raises:
        DatasetError: a line without an id.
    """
    ids = []
    for row, place in _raw_rows(path):
        name = row.get("event_id") or row.get("dialogue_id")
        if not isinstance(name, str):
            raise DatasetError(f"{place}: neither event_id nor dialogue_id")
        ids.append(name)
    return ids


def _raw_rows(path: Path) -> Iterator[tuple[dict[str, object], str]]:
    if is_utterances(path):
        yield from utterance_rows(path)
        return
    file = dialogues_file(path)
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DatasetError(f"{file}:{number}: not a JSON object: {error}") from error
            if not isinstance(row, dict):
                raise DatasetError(f"{file}:{number}: not a JSON object")
            yield row, f"{file}:{number}"


def add_lines(rows: Iterable[LabelledExample], add: AddRows) -> Adding:
    """Add rows some at a time; those that contradict what is there are left out and told.

    Args:
        rows: in the order of the file.
        add: adds some, all or none.
    """
    added, known, conflicts = 0, 0, []
    for rows_at_once in _chunks(rows):
        waiting = [rows_at_once]
        while waiting:
            chunk = waiting.pop(0)
            try:
                done = add(chunk)
            except RegistryConflict as error:
                if len(chunk) == 1:
                    conflicts.append(str(error))
                else:
                    half = len(chunk) // 2
                    waiting[:0] = [chunk[:half], chunk[half:]]
            else:
                added, known = added + done.new, known + done.known
    return Adding(added=added, known=known, conflicts=tuple(conflicts))


def _chunks(rows: Iterable[LabelledExample]) -> Iterator[list[LabelledExample]]:
    chunk: list[LabelledExample] = []
    size_bytes = 0
    for row in rows:
        if chunk and (len(chunk) == _CHUNK or size_bytes + len(row.line) > _CHUNK_BYTES):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(row)
        size_bytes += len(row.line)
    if chunk:
        yield chunk


def stored_line(line: StoredLine) -> bytes:
    """The line's own fields as canonical JSON."""
    return canonical_json(line.row)


def counted(rows: Iterable[LabelledExample]) -> Counter[tuple[str, str]]:
    """Task and label → how many examples."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        task = str(json.loads(row.line).get("task"))
        found.update((task, label) for label in row.labels)
    return found
