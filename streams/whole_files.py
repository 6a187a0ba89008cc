"""Files that are there as a whole or not at all, however the process or the machine ends."""

import contextlib
import os
import re
from pathlib import Path

from streams.errors import InvalidSettings

_BESIDE = re.compile(r"\..+\.\d+\.part")


def write_whole(path: Path, text: str) -> None:
    """Write beside the file and swap, so that a crash leaves the old text or the new.

    Raises:
        InvalidSettings: the folder cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        move_whole(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InvalidSettings(
            f"{path} cannot be written: {error.strerror}; make room, or give another folder"
        ) from error


def move_whole(source: Path, path: Path) -> None:
    """Let a file of the same folder take another's place, and stay there when power fails."""
    source.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers left beside their files when they were killed; none may be writing."""
    for each in folder.glob(".*.part"):
        if _BESIDE.fullmatch(each.name):
            each.unlink(missing_ok=True)
