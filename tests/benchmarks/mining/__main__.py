"""`python -m tests.benchmarks.mining`: the table of mined rules."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.bench_tools import print_grids, write_json
from streams.cli.terminal import progress, say, stderr, stoppable
from tests.benchmarks.mining.bench import Bench, Plan
from tests.benchmarks.mining.rows import ROWS, TITLES, measure
from tests.benchmarks.mining.tables import grids, missed, section
from tests.benchmarks.mining.workers import Tell, Workers
from tests.benchmarks.sections import put_section

SECTION = "make bench-mining"
_COMMAND = "python -m tests.benchmarks.mining"
_PACKAGES = ("kdsl", "numpy", "scikit-learn", "wittgenstein", "imodels")


def main(
    seeds: Annotated[str, typer.Option(help="Of the outer folds, by commas.")] = "11,12,13",
    rows: Annotated[str, typer.Option(help="Numbers by commas. (default: all)")] = "",
    data: Annotated[Path, typer.Option(help="Has taobao/ and clinc150/.")] = Path("../shared/data"),
    cache: Annotated[Path, typer.Option(help="What was read and mined, by content.")] = Path(
        ".kdsl/bench-mining"
    ),
    processes: Annotated[int, typer.Option(min=1, help="That mine side by side.")] = 2,
    markdown: Annotated[Path | None, typer.Option(help="Page whose section is renewed.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Takes every figure.")] = None,
) -> None:
    """Mined rules against their bars, by cross-validation; nothing is chosen on what is judged."""
    stoppable()
    if not (data / "taobao").is_dir():
        say(f"skipped: {data / 'taobao'} is missing; give --data the folder that has it")
        return
    plan = Plan(
        data=data,
        cache=cache,
        seeds=_numbers(seeds, "--seeds"),
        rows=_numbers(rows, "--rows") if rows else (),
        processes=processes,
    )
    for number in plan.rows:
        if number not in ROWS:
            raise typer.BadParameter(
                f"--rows: there is no row {number}; there are 1 to {len(ROWS)}"
            )
    started_s = time.monotonic()
    with _telling() as tell, Workers(plan.processes) as workers:
        lines = measure(Bench(plan, workers, tell))
    notes = _notes(plan, time.monotonic() - started_s)
    print_grids(grids(lines, TITLES))
    for sentence in [f"{name}: {text}" for name, text in notes.items()]:
        say(sentence)
    for sentence in missed(lines):
        say(f"missed: {sentence}")
    if markdown is not None:
        put_section(markdown, name=SECTION, text=section(lines, TITLES, notes))
    if json_file is not None:
        write_json(json_file, {"lines": [line.fields() for line in lines], "notes": dict(notes)})


def _numbers(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(each) for each in text.split(",")))
    except ValueError:
        raise typer.BadParameter(f"{option} takes numbers by commas, not {text!r}") from None


def _notes(plan: Plan, seconds: float) -> Mapping[str, str]:
    rows = f" --rows {','.join(map(str, plan.rows))}" if plan.rows else ""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in _PACKAGES)
    return {
        "command": f"{_COMMAND} --seeds {','.join(map(str, plan.seeds))}{rows}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}; "
        f"{seconds / 60:.0f} minutes, what earlier runs mined included if it was",
        "versions": f"Python {platform.python_version()}, {versions}",
    }


@contextmanager
def _telling() -> Iterator[Tell]:
    """Shows what is done: on a line that changes in a terminal, one below the other elsewhere."""
    console = stderr()
    with progress(console) as bar:
        task = bar.add_task("starting", total=None)

        def tell(line: str) -> None:
            bar.update(task, description=line)
            if not console.is_terminal:
                say(line)

        yield tell


if __name__ == "__main__":
    typer.run(main)
