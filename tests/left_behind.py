"""Processes that outlive what started them."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def nothing_left_behind(pattern: str) -> Iterator[None]:
    """Fail when a process whose command line holds `pattern` is left at the end."""
    yield
    deadline = time.monotonic() + 10
    while left := processes_with(pattern):
        if time.monotonic() > deadline:
            raise AssertionError(f"left behind: {left}")
        time.sleep(0.1)


def processes_with(pattern: str) -> list[str]:
    """Command lines of running processes that hold `pattern`; this one's is left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if pattern in line and folder.name != str(os.getpid()):
                found.append(line)
    return found
