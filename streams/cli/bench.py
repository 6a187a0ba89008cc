"""`kdsl bench`: measure against others."""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.bench.rows import PEERS
from streams.cli.bench_swaps import swaps
from streams.cli.bench_tools import broker, print_grids, telling, write_json
from streams.cli.terminal import progress, say, stderr, stoppable

if TYPE_CHECKING:
    from streams.bench.results import Results
    from streams.bench.scale import Scale

app = typer.Typer(no_args_is_help=True, help="Measure against others, on this machine.")


@app.callback()
def bench() -> None:
    """Measure against others, on this machine."""


@app.command("stream")
def stream(
    bootstrap: Annotated[
        str | None,
        typer.Option(help="A Kafka with nothing else to do. (default: one of its own)"),
    ] = None,
    records: Annotated[int, typer.Option(min=1, help="Of ~130 B, for each row.")] = 200_000,
    large_records: Annotated[
        int | None, typer.Option(min=0, help="Of ~1 kB; 0 for none. (default: half as many)")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Of each row, alternating.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="A run ends then, if not earlier.")] = 30.0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"A peer to run beside ours: {', '.join(PEERS)}; with -stock or -best one row of "
            "it. Repeatable; without, all run.",
        ),
    ] = None,
    kills: Annotated[
        int, typer.Option(min=0, help="Of a stock row, until it loses something; 0 for none.")
    ] = 3,
    latency: Annotated[bool, typer.Option(help="Also measure latency at a steady rate.")] = True,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of everything, once.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File that takes every figure.")
    ] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="File whose generated section is renewed.")
    ] = None,
) -> None:
    """Frames against Faust, aiokafka, confluent-kafka and quix-streams, on a real Kafka."""
    # Here, as they import the libraries of the bench extra.
    from streams.bench.bench import check_extra
    from streams.bench.scale import Scale

    check_extra()
    stoppable()
    scale = Scale(
        records=records,
        large_records=records // 2 if large_records is None else large_records,
        runs=runs,
        seconds=seconds,
        only=tuple(only or ()),
        kills=kills,
        latency_runs=Scale().latency_runs if latency else 0,
    )
    results = _run(scale.quick() if quick else scale, bootstrap)
    _show(results)
    _write(results, json_file, markdown_file)
    raise typer.Exit(1 if results.troubles() else 0)


@app.command("memory")
def memory(
    bootstrap: Annotated[
        str | None, typer.Option(help="A Kafka with nothing else to do. (default: its own)")
    ] = None,
    records: Annotated[int, typer.Option(min=1, help="Waiting, of ~130 B.")] = 1_000_000,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to look.")] = 10.0,
    frame_s: Annotated[float, typer.Option(min=0.0, help="What deciding a frame takes.")] = 4.0,
) -> None:
    """Memory of a worker over frames, with many records waiting and a slow decision."""
    from streams.bench.bench import SMALL_BYTES, check_extra
    from streams.bench.memory import LOOK_EVERY_S, Memory, measure_memory
    from streams.bench.outside import Outside
    from streams.bench.scale import Scale
    from streams.bench.site import Site

    check_extra()
    stoppable()
    with (
        tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder,
        broker(Path(folder) / "kafka", bootstrap) as there,
        closing(Outside(there)) as outside,
        progress(stderr()) as bar,
    ):
        site = Site(outside, Path(folder), partitions=Scale().partitions)
        looks = measure_memory(
            site, waiting=records, value_bytes=SMALL_BYTES, seconds=minutes * 60, frame_s=frame_s
        )
        line = bar.add_task("filling the topic", total=minutes * 60)
        for look in looks:
            match look:
                case Memory():
                    say(look.sentence)
                case float():
                    bar.update(line, advance=LOOK_EVERY_S, description=f"{look:.0f} MiB resident")


@app.command("rules")
def rules(
    texts: Annotated[
        Path | None,
        typer.Option(help="Dialogues, one a line: JSON with turns or text. (default: made ones)"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of dialogues and rules.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of everything.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File that takes every figure.")
    ] = None,
) -> None:
    """Compiled rules against rule engines, hyperscan and plain evaluation, on one core."""
    from streams.bench.rules_bench import Scale, run_rules_bench, steps
    from streams.bench.rules_peers import check_peers
    from streams.bench.rules_tables import grids, notes

    check_peers()
    scale = Scale(seed=seed).quick() if quick else Scale(seed=seed)
    words = ["kdsl bench rules", *([f"--texts {texts.name}"] if texts else []), f"--seed {seed}"]
    with telling("drawing rules", steps(scale)) as tell:
        command = " ".join([*words, *(["--quick"] if quick else [])])
        results = run_rules_bench(scale, texts=texts, command=command, tell=tell)
    print_grids(grids(results))
    for note in notes(results):
        say(note)
    if json_file is not None:
        write_json(json_file, results.as_json())


app.command("swaps")(swaps)


def _run(scale: "Scale", bootstrap: str | None) -> "Results":
    from streams.bench.bench import run_bench, steps

    with (
        tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder,
        broker(Path(folder) / "kafka", bootstrap) as there,
        telling("filling topics", steps(scale)) as tell,
    ):
        return run_bench(there, Path(folder), scale, command=_command(scale, bootstrap), tell=tell)


def _command(scale: "Scale", bootstrap: str | None) -> str:
    words = ["kdsl bench stream", f"--records {scale.records}"]
    words += [f"--large-records {scale.large_records}", f"--runs {scale.runs}"]
    words += [f"--seconds {scale.seconds:g}", *(f"--only {name}" for name in scale.only)]
    words += [f"--kills {scale.kills}"]
    words += ["--no-latency"] if not scale.latency_runs else []
    words += ["--bootstrap …"] if bootstrap else []
    return " ".join(words)


def _show(results: "Results") -> None:
    from streams.bench.tables import grids, notes

    print_grids(grids(results))
    for note in notes(results):
        say(note)


def _write(results: "Results", json_file: Path | None, markdown_file: Path | None) -> None:
    from streams.bench.report import as_json
    from streams.bench.tables import markdown, put_between_markers

    if json_file is not None:
        write_json(json_file, as_json(results))
    if markdown_file is not None:
        put_between_markers(markdown_file, markdown(results))
