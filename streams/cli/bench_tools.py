"""What the commands of `kdsl bench` share: a broker, a progress line, tables and files."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.terminal import progress, say, stderr, stdout
from streams.local_broker import LocalBroker

if TYPE_CHECKING:
    from streams.bench.tables import Grid

# For throughput, not for a quick start: all compilers, and a heap that holds what is in flight.
_JVM = ("-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData")
_HEAP_MB = 768


@contextmanager
def telling(first: str, steps: int) -> Iterator[Callable[[str], None]]:
    """Takes a line for each step done: on a bar in a terminal, one below the other elsewhere."""
    console = stderr()
    with progress(console) as bar:
        task = bar.add_task(first, total=steps)

        def tell(line: str) -> None:
            bar.update(task, advance=1, description=line)
            if not console.is_terminal:
                say(line)

        yield tell


@contextmanager
def broker(folder: Path, bootstrap: str | None) -> Iterator[str]:
    """The cluster that was named, else one of our own for as long as it takes."""
    if bootstrap is not None:
        yield bootstrap
        return
    with LocalBroker(folder, heap_mb=_HEAP_MB, jvm=_JVM, report=say) as broker:
        yield broker.bootstrap


def print_grids(grids: "Iterable[Grid]") -> None:
    console = stdout()
    for grid in grids:
        console.print(grid.rich(console.width), crop=False)


def write_json(path: Path, fields: Mapping[str, object]) -> None:
    text = json.dumps(fields, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
