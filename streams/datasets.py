"""Labelled files → events: a folder or a `.jsonl` of dialogues with images beside it."""

import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streams.errors import DatasetError, ImageRejected
from streams.events import DialogueEvent, ImageRef, Turn
from streams.inline import fit_images
from streams.limits import LIMITS

View = Literal["live", "recorded"]
VIEWS: tuple[View, ...] = ("live", "recorded")

# What stands in a recorded text for something that is not text.
_PLACEHOLDER = re.compile(r'"?<(image|http)>"?')
_LINE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One line of a dataset: the event and, when labelled, what it should be tagged.

    place: `file:line`, for error messages.
    notes: what was changed to fit the event into a record, a sentence each, to be said.
    """

    event: DialogueEvent
    label: str | None
    place: str
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> str | None:
        return self.event.tasks[0] if self.event.tasks else None


def dialogues_file(path: Path) -> Path:
    """The lines of a dataset: the file itself, or `dialogues.jsonl` of a folder.

    Raises:
        DatasetError: there is none.
    """
    file = path / "dialogues.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise DatasetError(
            f"{path}: no such dataset; give a .jsonl or a folder with dialogues.jsonl"
        )
    return file


def given_readings_file(path: Path) -> Path | None:
    """`ocr.jsonl` beside the dialogues, if there is one."""
    file = dialogues_file(path).parent / "ocr.jsonl"
    return file if file.is_file() else None


def read_examples(path: Path, *, domain: str, view: View, now_ms: int) -> Iterator[Example]:
    """The examples of a dataset, in order; `-` reads standard input (images then by path).

    Args:
        path: a `.jsonl`, a folder as in the README, or `-`.
        domain: the domain of the events.
        view: *live* leaves out what an agent said after the last user turn, as a tagger at that
            moment could not have seen it; *recorded* keeps it.
        now_ms: `sent_at_ms` of lines that have none.

    Raises:
        DatasetError: naming file, line and cure.
    """
    if str(path) == "-":
        yield from _read_lines(sys.stdin.buffer, "-", Path.cwd(), domain, view, now_ms)
        return
    file = dialogues_file(path)
    images = file.parent / "images"
    with file.open("rb") as lines:
        yield from _read_lines(lines, str(file), images, domain, view, now_ms)


def _read_lines(
    lines: Iterable[bytes], origin: str, images: Path, domain: str, view: View, now_ms: int
) -> Iterator[Example]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{origin}:{number}"
        if len(line) > _LINE_BYTES:
            raise DatasetError(f"{place}: line longer than {_LINE_BYTES} bytes")
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{place}: not a JSON object: {error}") from error
        yield _example(_Row(row, place), images, domain, view, now_ms)


def _example(row: "_Row", images: Path, domain: str, view: View, now_ms: int) -> Example:
    dialogue_id = row.text("dialogue_id", LIMITS.id_chars)
    task = row.text_or_none("task", LIMITS.name_chars)
    # The label is that of `task`, which therefore stands first.
    tasks = (*((task,) if task else ()), *(row.texts_or_none("tasks") or ()))
    turns = _turns(row, images)
    if view == "live":
        turns = _until_last_user_turn(turns)
    event = DialogueEvent(
        domain=domain,
        event_id=row.text_or_none("event_id", LIMITS.id_chars) or dialogue_id,
        dialogue_id=dialogue_id,
        sent_at_ms=row.integer("sent_at_ms", default=now_ms),
        turns=turns,
        tasks=tuple(dict.fromkeys(tasks)) or None,
    )
    try:
        fitted = fit_images(event)
    except ImageRejected as error:
        raise DatasetError(f"{row.place}: {error.detail}") from error
    return Example(
        event=fitted,
        label=row.text_or_none("label", LIMITS.name_chars),
        place=row.place,
        notes=_recompressed(event, fitted),
    )


def _recompressed(event: DialogueEvent, fitted: DialogueEvent) -> tuple[str, ...]:
    before = [image for turn in event.turns for image in turn.images]
    after = [image for turn in fitted.turns for image in turn.images]
    return tuple(
        f"image {old.image_id} recompressed from {len(old.content or b'')} to "
        f"{len(new.content or b'')} bytes to fit into a record"
        for old, new in zip(before, after, strict=True)
        if old.content != new.content
    )


def _turns(row: "_Row", folder: Path) -> tuple[Turn, ...]:
    """Texts without placeholders; the k-th image sits where the k-th user placeholder was."""
    names = iter(enumerate(row.texts_or_none("images") or ()))
    turns: list[Turn] = []
    for speaker, text in row.turns():
        count = text.count("<image>") if speaker == "user" else 0
        images = [_image(folder, row, *named) for named in itertools.islice(names, count)]
        clean = _PLACEHOLDER.sub("", text).strip()
        turns.append(Turn(speaker=speaker, text=clean, images=tuple(images)))
    left = tuple(_image(folder, row, *named) for named in names)
    if left:
        turns = _with_images_at_last_user_turn(turns, left)
    if not turns:
        raise DatasetError(f"{row.place}: neither turns nor images")
    return tuple(turns)


def _with_images_at_last_user_turn(
    turns: Sequence[Turn], images: tuple[ImageRef, ...]
) -> list[Turn]:
    for position in reversed(range(len(turns))):
        turn = turns[position]
        if turn.speaker == "user":
            there = Turn(speaker="user", text=turn.text, images=(*turn.images, *images))
            return [*turns[:position], there, *turns[position + 1 :]]
    return [*turns, Turn(speaker="user", text="", images=images)]


def _until_last_user_turn(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Without trailing agent turns; a dialogue in which no user speaks stays as it is."""
    end = max((n for n, turn in enumerate(turns, start=1) if turn.speaker == "user"), default=0)
    return turns[:end] or turns


def _image(folder: Path, row: "_Row", position: int, name: str) -> ImageRef:
    file = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise DatasetError(f"{row.place}: image {name!r} must be a name inside {folder}")
    try:
        if file.stat().st_size > 4 * LIMITS.image_bytes:
            raise DatasetError(f"{row.place}: image {file} is too large to send; make it smaller")
        content = file.read_bytes()
    except OSError as error:
        raise DatasetError(f"{row.place}: image {file} cannot be read: {error.strerror}") from error
    return ImageRef(
        image_id=f"{position}-{file.name}"[: LIMITS.id_chars],
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )


class _Row:
    """Typed reading of one JSON line."""

    def __init__(self, row: object, place: str) -> None:
        if not isinstance(row, dict):
            raise DatasetError(f"{place}: not a JSON object")
        self._row: dict[str, Any] = row
        self.place = place

    def _fail(self, name: str, expected: str) -> DatasetError:
        return DatasetError(f"{self.place}: {name} must be {expected}")

    def text(self, name: str, limit: int) -> str:
        value = self._row.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= limit or not _encodable(value):
            raise self._fail(name, f"a string of 1 to {limit} characters")
        return value

    def text_or_none(self, name: str, limit: int) -> str | None:
        return None if self._row.get(name) is None else self.text(name, limit)

    def integer(self, name: str, *, default: int) -> int:
        value = self._row.get(name)
        if value is None:
            return default
        if type(value) is not int or not 0 <= value < 2**63:
            raise self._fail(name, "an integer from 0 to 2^63-1")
        return value

    def texts_or_none(self, name: str) -> tuple[str, ...] | None:
        values = self._row.get(name)
        if values is None:
            return None
        if not isinstance(values, list) or not all(
            isinstance(value, str) and _encodable(value) for value in values
        ):
            raise self._fail(name, "a list of strings")
        return tuple(values)

    def turns(self) -> Iterator[tuple[Literal["user", "agent"], str]]:
        turns = self._row.get("turns", [])
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise self._fail("turns", "a list of {speaker, text}")
        for position, turn in enumerate(turns):
            speaker, text = turn.get("speaker"), turn.get("text", "")
            if speaker not in ("user", "agent"):
                raise self._fail(f"turns[{position}].speaker", '"user" or "agent"')
            if not isinstance(text, str) or len(text) > LIMITS.text_chars or not _encodable(text):
                raise self._fail(
                    f"turns[{position}].text", f"a string of at most {LIMITS.text_chars} characters"
                )
            yield speaker, text


def _encodable(text: str) -> bool:
    """False for a lone surrogate, which JSON can spell and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
