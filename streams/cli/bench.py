"""`kdsl bench`: measure against others."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.terminal import progress, say, stderr, stdout, stoppable
from streams.local_broker import LocalBroker

if TYPE_CHECKING:
    from streams.bench.results import Results
    from streams.bench.scale import Scale

app = typer.Typer(no_args_is_help=True, help="Measure against others, on this machine.")

# For throughput, not for a quick start: all compilers, and a heap that holds what is in flight.
_JVM = ("-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData")
_HEAP_MB = 768


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
        list[str] | None, typer.Option(help="Name of a peer to run beside ours; repeatable.")
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
        _broker(Path(folder) / "kafka", bootstrap) as there,
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


def _run(scale: "Scale", bootstrap: str | None) -> "Results":
    from streams.bench.bench import run_bench, steps

    console = stderr()
    with (
        tempfile.TemporaryDirectory(prefix="kdsl-bench-") as folder,
        _broker(Path(folder) / "kafka", bootstrap) as there,
        progress(console) as bar,
    ):
        task = bar.add_task("filling topics", total=steps(scale))

        def tell(line: str) -> None:
            bar.update(task, advance=1, description=line)
            if not console.is_terminal:
                say(line)

        return run_bench(there, Path(folder), scale, command=_command(scale, bootstrap), tell=tell)


@contextmanager
def _broker(folder: Path, bootstrap: str | None) -> Iterator[str]:
    """The cluster that was named, else one of our own for as long as it takes."""
    if bootstrap is not None:
        yield bootstrap
        return
    with LocalBroker(folder, heap_mb=_HEAP_MB, jvm=_JVM, report=say) as broker:
        yield broker.bootstrap


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

    for grid in grids(results):
        stdout().print(grid.rich())
    for note in notes(results):
        say(note)


def _write(results: "Results", json_file: Path | None, markdown_file: Path | None) -> None:
    from streams.bench.report import as_json
    from streams.bench.tables import markdown, put_between_markers

    if json_file is not None:
        text = json.dumps(as_json(results), ensure_ascii=False, indent=2)
        json_file.write_text(text + "\n", encoding="utf-8")
    if markdown_file is not None:
        put_between_markers(markdown_file, markdown(results))
