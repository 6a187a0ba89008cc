"""The whole benchmark, from an empty cluster to results."""

import os
import platform
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path

from streams.bench.kill import Killed, KillOutcome, kill_row
from streams.bench.latency import Latency, LatencyOutcome, measure_latency
from streams.bench.outside import Outside
from streams.bench.results import Results, Size, wall
from streams.bench.rows import OURS, Row, alternating, chosen
from streams.bench.runner import Failed, Task, Tell, run_rows
from streams.bench.scale import Scale
from streams.bench.site import Site
from streams.errors import MissingExtra

SMALL_BYTES = 130
LARGE_BYTES = 1000
# Ours, what it is held against, and what Faust users know.
_TIMED = (OURS, "aiokafka_send_batch-best", "faust_one_by_one-best")
_KILL_RECORDS = (1000, 1_000_000)
_PACKAGES = ("faust-streaming", "aiokafka", "confluent-kafka", "quixstreams", "msgpack")


def check_extra() -> None:
    """Refuse to begin without the peers.

    Raises:
        MissingExtra: one of them is not installed.
    """
    for module, package in (("confluent_kafka", "confluent-kafka"), ("quixstreams",) * 2):
        if util.find_spec(module) is None:
            raise MissingExtra(package, "bench")


def steps(scale: Scale) -> int:
    """How many lines `run_bench` will tell."""
    rows = len(chosen(scale.only))
    sizes = 2 if scale.large_records else 1
    timed = sum(row.key in _TIMED for row in chosen(scale.only))
    return rows * (scale.runs * sizes + bool(scale.kills)) + timed * scale.latency_runs


def run_bench(bootstrap: str, folder: Path, scale: Scale, *, command: str, tell: Tell) -> Results:
    """Measure everything; a row that fails is an outcome, not an exception.

    Args:
        bootstrap: a cluster with nothing else to do.
        folder: takes logs.
        scale: how much.
        command: how to do it again, for the report.
        tell: takes a line for each step.

    Raises:
        BrokerUnreachable: nobody answers.
        InvalidSettings: a row is not known.
    """
    rows = chosen(scale.only)
    outside = Outside(bootstrap)
    outside.check()
    try:
        site = Site(outside, folder, partitions=scale.partitions)
        return _measure(site, rows, scale, command, tell)
    finally:
        outside.close()


def _measure(site: Site, rows: Sequence[Row], scale: Scale, command: str, tell: Tell) -> Results:
    small = _size(site, rows, scale, scale.records, SMALL_BYTES, tell)
    large = None
    if scale.large_records:
        large = _size(site, rows, scale, scale.large_records, LARGE_BYTES, tell)
    return Results(
        scale=scale,
        rows=rows,
        small=small,
        large=large,
        kills=_kills(site, rows, scale, small, tell) if scale.kills else {},
        latencies=_latencies(site, rows, scale, tell),
        machine=_machine(command),
    )


def _size(
    site: Site, rows: Sequence[Row], scale: Scale, records: int, value_bytes: int, tell: Tell
) -> Size:
    with site.source(records, value_bytes) as source:
        task = Task(source=source, records=records, seconds=scale.seconds)
        outcomes = run_rows(site, rows, task, runs=scale.runs, tell=tell)
    return Size(records=records, value_bytes=value_bytes, outcomes=outcomes)


def _kills(
    site: Site, rows: Sequence[Row], scale: Scale, small: Size, tell: Tell
) -> dict[str, KillOutcome]:
    outcomes: dict[str, KillOutcome] = {}
    for row in rows:
        rate = small.rate(row, wall)
        if rate is None:
            outcomes[row.key] = Failed(why="not killed, as no run came to its end")
        else:
            least, most = _KILL_RECORDS
            records = round(min(max(least, rate * scale.kill_seconds), most))
            outcomes[row.key] = kill_row(
                site, row, records=records, value_bytes=SMALL_BYTES, kills=scale.kills
            )
        tell(f"killed: {row.key}: {_lost(outcomes[row.key])}")
    return outcomes


def _lost(outcome: KillOutcome) -> str:
    match outcome:
        case Killed(lost=lost, again=again, records=records):
            return f"{lost:,} of {records:,} lost, {again:,} again"
        case Failed(why=why):
            return f"failed: {why.splitlines()[0]}"


def _latencies(
    site: Site, rows: Sequence[Row], scale: Scale, tell: Tell
) -> dict[str, list[LatencyOutcome]]:
    timed = tuple(row for row in rows if row.key in _TIMED)
    outcomes: dict[str, list[LatencyOutcome]] = {row.key: [] for row in timed}
    for run in range(scale.latency_runs):
        for row in alternating(timed, run):
            outcome = measure_latency(
                site, row, per_s=scale.latency_per_s, seconds=scale.latency_seconds
            )
            outcomes[row.key].append(outcome)
            shown = f"p99 {outcome.p99_ms:.0f} ms" if isinstance(outcome, Latency) else "failed"
            tell(f"latency {run + 1} of {scale.latency_runs}: {row.key}: {shown}")
    return outcomes if scale.latency_runs else {}


def _machine(command: str) -> dict[str, str]:
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in _PACKAGES)
    return {
        "command": command,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "versions": f"Python {platform.python_version()}, {versions}",
    }
