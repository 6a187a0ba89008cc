"""`kdsl bench swaps`: what a swap of the release costs workers under load."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.bench_tools import broker, print_grids, telling, write_json
from streams.cli.terminal import say, stoppable


def swaps(
    bootstrap: Annotated[
        str | None, typer.Option(help="A Kafka with nothing else to do. (default: its own)")
    ] = None,
    rules: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Of the releases; repeatable. (default: 1000 and 10000)"),
    ] = None,
    count: Annotated[int, typer.Option("--swaps", min=1, help="Of each row.")] = 20,
    workers: Annotated[int, typer.Option(min=1, help="For the time until in force.")] = 3,
    rate: Annotated[float, typer.Option(min=1, help="Events a second.")] = 300.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File that takes every figure.")
    ] = None,
) -> None:
    """What swapping the release costs workers under load: stalls, and time until in force."""
    # Here, as they import the libraries of the bench extra.
    from streams.bench.bench import check_extra
    from streams.bench.swaps import RULES, Scale, run_swaps_bench
    from streams.bench.swaps_tables import grid, notes

    check_extra()
    stoppable()
    scale = Scale(rules=tuple(rules or RULES), swaps=count, workers=workers, per_s=rate)
    words = ["kdsl bench swaps", *(f"--rules {number}" for number in scale.rules)]
    words += [f"--swaps {count} --workers {workers} --rate {rate:g}"]
    with (
        tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder,
        broker(Path(folder) / "kafka", bootstrap) as there,
        telling("drawing rules", scale.steps) as tell,
    ):
        results = run_swaps_bench(there, Path(folder), scale, command=" ".join(words), tell=tell)
    print_grids([grid(results)])
    for note in notes(results):
        say(note)
    if json_file is not None:
        write_json(json_file, results.as_json())
