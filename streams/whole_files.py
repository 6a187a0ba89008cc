"""Files that are there as a whole or not at all, however the process ends."""

import contextlib
import os
from pathlib import Path

from streams.errors import InvalidSettings


def write_whole(path: Path, text: str) -> None:
    """Write beside the file and swap, so that a crash leaves the old text or the new.

    Raises:
        InvalidSettings: the folder cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InvalidSettings(
            f"{path} cannot be written: {error.strerror}; make room, or give another folder"
        ) from error
