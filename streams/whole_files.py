"""Files that are there as a whole or not at all, however the process or the machine ends."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from streams.errors import InvalidSettings

_BESIDE = re.compile(r"\..+\.\d+\.part")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside the file and swap, so that a crash leaves the old text or the new.

    Raises:
        InvalidSettings: the folder cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _writing(path), beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        move_whole(beside, path)
    except InvalidSettings:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def move_whole(source: Path, path: Path) -> None:
    """Let a file of the same folder take another's place, and stay there when power fails.

    Raises:
        InvalidSettings: the folder cannot be written to.
    """
    with _writing(path):
        source.replace(path)
        _keep_names(path.parent)


def remove_whole(path: Path) -> None:
    """Remove a file, if it is there, for good.

    Raises:
        InvalidSettings: the folder cannot be written to.
    """
    with _writing(path):
        path.unlink(missing_ok=True)
        _keep_names(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers left beside their files when they were killed; none may be writing."""
    for each in folder.glob(".*.part"):
        if _BESIDE.fullmatch(each.name):
            each.unlink(missing_ok=True)


def _keep_names(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidSettings(
            f"{path} cannot be written: {error.strerror}; make room, or give another folder"
        ) from error
