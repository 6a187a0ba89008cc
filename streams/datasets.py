"""Labelled files → events: dialogues with images beside them, or utterances in splits."""

import hashlib
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from streams.dataset_row import Row
from streams.errors import DatasetError, ImageRejected
from streams.events import DialogueEvent, ImageRef, Turn
from streams.inline import fit_images
from streams.limits import LIMITS
from streams.utterances import is_utterances, utterance_rows

View = Literal["live", "recorded"]
VIEWS: tuple[View, ...] = ("live", "recorded")

# What stands in a recorded text for something that is not text.
_PLACEHOLDER = re.compile(r'"?<(image|http)>"?')
_LINE_BYTES = 4 * 1024 * 1024

_Raw = TypeVar("_Raw")


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


class ImageUnreadable(DatasetError):
    """An image that a line names cannot be read; `name` ends the sentence `why`."""

    def __init__(self, place: str, folder: Path, name: str, fault: str) -> None:
        super().__init__(f"{place}: image {folder / name} cannot be read: {fault}")
        self.name = name
        self.why = f"{fault} in {folder} for image"


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
    """`ocr.jsonl` beside the dialogues, if there is one; utterances have none."""
    if is_utterances(path):
        return None
    file = dialogues_file(path).parent / "ocr.jsonl"
    return file if file.is_file() else None


def is_empty(path: Path) -> bool:
    """Whether a file of dialogues has no line; of anything else that is not known before."""
    if str(path) == "-" or is_utterances(path):
        return False
    with dialogues_file(path).open("rb") as lines:
        return not any(line.strip() for line in lines)


def read_examples(
    path: Path,
    *,
    domain: str,
    view: View,
    now_ms: int,
    left_out: Callable[[str, DatasetError], None] | None = None,
) -> Iterator[Example]:
    """The examples of a dataset, in order; `-` reads standard input (images then by path).

    Args:
        path: a `.jsonl`, a folder as in the README, or `-`; or utterances, `train` and `val` of
            them unless the path goes on with a split, as `clinc150/test` does.
        domain: the domain of the events.
        view: *live* leaves out what an agent said after the last user turn, as a tagger at that
            moment could not have seen it; *recorded* keeps it.
        now_ms: `sent_at_ms` of lines that have none.
        left_out: is told place and fault of a line that is no example, and reading goes on.

    Raises:
        DatasetError: naming file, line and cure; with `left_out` only when there is no such file.
    """

    def example(row: Row, images: Path) -> Example:
        return _example(row, images, domain, view, now_ms)

    if str(path) == "-":
        yield from _read_lines(sys.stdin.buffer, "-", Path.cwd(), example, left_out)
        return
    if is_utterances(path):
        rows = utterance_rows(path, left_out=left_out)
        yield from _each(rows, lambda row, place: example(Row(row, place), path.parent), left_out)
        return
    file = dialogues_file(path)
    with file.open("rb") as lines:
        yield from _read_lines(lines, str(file), file.parent / "images", example, left_out)


def _read_lines(
    lines: Iterable[bytes],
    origin: str,
    images: Path,
    example: Callable[[Row, Path], Example],
    left_out: Callable[[str, DatasetError], None] | None,
) -> Iterator[Example]:
    numbered = (
        (line, f"{origin}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    )
    return _each(numbered, lambda line, place: example(_row(line, place), images), left_out)


def _each(
    rows: Iterable[tuple[_Raw, str]],
    example: Callable[[_Raw, str], Example],
    left_out: Callable[[str, DatasetError], None] | None,
) -> Iterator[Example]:
    for row, place in rows:
        try:
            found = example(row, place)
        except DatasetError as error:
            if left_out is None:
                raise
            left_out(place, error)
        else:
            yield found


def _row(line: bytes, place: str) -> Row:
    if len(line) > _LINE_BYTES:
        raise DatasetError(f"{place}: line longer than {_LINE_BYTES} bytes")
    try:
        return Row(json.loads(line), place)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{place}: not a JSON object: {error}") from error


def _example(row: Row, images: Path, domain: str, view: View, now_ms: int) -> Example:
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


def _turns(row: Row, folder: Path) -> tuple[Turn, ...]:
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


def _image(folder: Path, row: Row, position: int, name: str) -> ImageRef:
    file = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise DatasetError(f"{row.place}: image {name!r} must be a name inside {folder}")
    try:
        if file.stat().st_size > 4 * LIMITS.image_bytes:
            raise DatasetError(f"{row.place}: image {file} is too large to send; make it smaller")
        content = file.read_bytes()
    except OSError as error:
        raise ImageUnreadable(row.place, folder, name, str(error.strerror)) from error
    return ImageRef(
        image_id=f"{position}-{file.name}"[: LIMITS.id_chars],
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )
