"""What a person sees: results on standard output, everything else on standard error."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:  # reading data sets brings numpy and aiohttp, which most commands do without
    from streams.datasets import Example

_MINUTE_MS = 60_000
_FILE_COLUMNS = 160
_AGE_CHARS = 12
_UNITS_MS = {"s": 1000, "m": _MINUTE_MS, "h": 60 * _MINUTE_MS, "d": 24 * 60 * _MINUTE_MS}


def stdout() -> Console:
    """Results; in a file or a pipe tables take the room they need, as far as `COLUMNS` is unset."""
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_COLUMNS
    return Console(highlight=False, markup=False, width=wide)


def stderr() -> Console:
    return Console(stderr=True, highlight=False, markup=False)


def printable(text: str) -> str:
    r"""Text from outside without what a terminal would obey.

    >>> printable("id-7\x1b[2J")
    'id-7\ufffd[2J'
    """
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "event"), counted(2, "event")
    ('1 event', '2 events')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def at_home(path: Path) -> str:
    """A path as people write it.

    >>> at_home(Path.home() / "kdsl"), at_home(Path("/srv/kdsl"))
    ('~/kdsl', '/srv/kdsl')
    """
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def stoppable() -> None:
    """Let SIGTERM and SIGINT both end this process as Ctrl-C does, cleaning up on the way.

    A supervisor sends SIGTERM; and a shell that starts us in the background leaves SIGINT
    ignored, which would make us unstoppable.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def say(sentence: str) -> None:
    """A sentence for people, on standard error, taken literally."""
    lines = (printable(line) for line in sentence.split("\n"))
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print("\n".join(lines))


def say_notes(example: "Example") -> "Example":
    """Say what was changed about an example, if anything."""
    for note in example.notes:
        say(f"{example.place}: {note}")
    return example


def put_json(fields: Mapping[str, Any]) -> None:
    """One JSON object on one line of standard output."""
    sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def progress(console: Console) -> Progress:
    """A bar with counts and elapsed time; nothing is drawn when nobody looks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def parse_time(text: str | None, *, now_ms: int) -> int | None:
    """A moment in milliseconds: ISO 8601, or how long ago: `90s`, `15m`, `2h`, `1d`.

    >>> parse_time("15m", now_ms=1_000_000)
    100000
    >>> parse_time("1970-01-01T00:00:01+00:00", now_ms=0)
    1000
    """
    if text is None:
        return None
    if text[-1:] in _UNITS_MS and text[:-1].isdecimal() and len(text) <= _AGE_CHARS:
        return max(0, now_ms - int(text[:-1]) * _UNITS_MS[text[-1]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no moment: give ISO 8601 (2026-01-31T12:00) or an age (90s, 15m, 2h, 1d)"
        ) from error
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0, round(aware.timestamp() * 1000))
