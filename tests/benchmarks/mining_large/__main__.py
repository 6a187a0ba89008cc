"""`python -m tests.benchmarks.mining_large`: rules from a table of 100,000 × 20,000."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from streams.bench.tables import Grid
from streams.cli.bench_tools import print_grids, telling, write_json
from streams.cli.terminal import say, stoppable
from tests.benchmarks.mining.workers import Workers
from tests.benchmarks.mining_large.contest import (
    Outcome,
    Plan,
    ablations,
    compete,
    contestants,
    made,
    peak_bytes,
    warm_up,
)
from tests.benchmarks.mining_large.made_table import Shape
from tests.benchmarks.mining_large.tables import (
    ablation_grid,
    effort_grid,
    mined_grid,
    section,
)
from tests.benchmarks.sections import put_section

SECTION = "make bench-mining-large"
_COMMAND = "python -m tests.benchmarks.mining_large"
_PACKAGES = ("kdsl", "numpy")

# Two labels of a table that takes a second: shows that it works, and nothing else.
_QUICK = Shape(
    mined=4_000,
    held_out=1_000,
    phrases=600,
    labels=2,
    rules=3,
    words=30,
    topics=6,
    topics_a_label=2,
    phrases_a_topic=10,
)


def main(
    seed: Annotated[int, typer.Option(help="Of the table.")] = 11,
    processes: Annotated[int, typer.Option(min=1, help="That mine side by side.")] = 2,
    quick: Annotated[bool, typer.Option(help="A small table, to see that it works.")] = False,
    markdown: Annotated[Path | None, typer.Option(help="Page whose section is renewed.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Takes every figure.")] = None,
) -> None:
    """Mine a large made table by tree search and by beam search, and judge what is found."""
    stoppable()
    plan = Plan(seed=seed, processes=processes)
    if quick:
        plan = Plan(seed=seed, processes=processes, shape=_QUICK, shipped=10, ample=20, rules=2)
    started_s = time.monotonic()
    grids, notes = _measured(plan)
    notes = {**_notes(plan, quick, time.monotonic() - started_s), **notes}
    print_grids(grids)
    for name, text in notes.items():
        say(f"{name}: {text}")
    if markdown is not None:
        put_section(markdown, name=SECTION, text=section(grids, notes))
    if json_file is not None:
        tables = {grid.title: [list(grid.head), *map(list, grid.lines)] for grid in grids}
        write_json(json_file, {"tables": tables, "notes": notes})


def _measured(plan: Plan) -> tuple[list[Grid], dict[str, str]]:
    shipped, ample = contestants(plan, plan.shipped), contestants(plan, plan.ample)
    others = ablations(plan)
    steps = plan.shape.labels * (len(shipped) + len(ample) + len(others))
    with telling("making the table", steps) as tell, Workers(plan.processes) as workers:
        warm_up(plan, workers)
        few = [compete(plan, each, workers, tell) for each in shipped]
        many = [compete(plan, each, workers, tell) for each in ample]
        ablated = [compete(plan, each, workers, tell) for each in others]
    peak = peak_bytes([*few, *many, *ablated])
    few_grid, few_says = mined_grid(made(plan.shape, plan.seed), few)
    many_grid, many_says = mined_grid(made(plan.shape, plan.seed), many)
    grids = [few_grid, many_grid, effort_grid(many), ablation_grid(ablated, shipped=plan.shipped)]
    return grids, {
        f"{plan.shipped} expansions": few_says,
        f"{plan.ample} expansions": many_says,
        "memory": _memory(plan, peak),
        "longest": _longest([*few, *many]),
    }


def _memory(plan: Plan, peak: int) -> str:
    processes = "one process" if plan.processes == 1 else f"{plan.processes} processes"
    return f"{peak / 2**30:.2f} GiB at most, {processes} with a table each"


def _longest(outcomes: Sequence[Outcome]) -> str:
    slowest = max(outcomes, key=lambda each: each.wall_s)
    alone_s = sum(each.seconds for each in slowest.labels)
    says = f"{slowest.contestant.says} with {slowest.contestant.expansions} expansions a rule"
    return f"{says}, {slowest.wall_s:.0f} s side by side, {alone_s:.0f} s one label after another"


def _notes(plan: Plan, quick: bool, seconds: float) -> Mapping[str, str]:
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in _PACKAGES)
    shape = plan.shape
    return {
        "command": f"{_COMMAND} --seed {plan.seed}{' --quick' if quick else ''}",
        "table": f"{shape.mined:,} examples × {shape.phrases:,} phrases, {shape.labels} labels of "
        f"{shape.rules} planted rules; judged on {shape.held_out:,} others",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}; "
        f"{seconds / 60:.0f} minutes",
        "versions": f"Python {platform.python_version()}, {versions}",
    }


if __name__ == "__main__":
    typer.run(main)
