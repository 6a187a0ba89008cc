"""Runs rows, one after the other, again and again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from streams.bench.meter import Measure
from streams.bench.rows import Row, alternating
from streams.bench.site import Site, Work
from streams.errors import StreamsError

# Takes one line for each step done.
Tell: TypeAlias = Callable[[str], None]

# From the start of the process to its first record, and from the last one to its report.
_AROUND_S = 45.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A run that came to its end. whole: all records were through before the time was over."""

    measure: Measure
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A run that did not. why: what was seen, with the worker's last words."""

    why: str


Outcome: TypeAlias = Measured | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all rows of one table do. records: in the source topic. seconds: bound of one run."""

    source: str
    records: int
    seconds: float


def run_rows(
    site: Site, rows: Sequence[Row], task: Task, *, runs: int, tell: Tell
) -> dict[str, list[Outcome]]:
    """Every row in every run; row key → one outcome a run."""
    outcomes: dict[str, list[Outcome]] = {row.key: [] for row in rows}
    if runs > 1:
        for row in rows:
            if row.warms:  # not counted: Java compiles what it meets first
                run_row(site, row, task)
    for run in range(runs):
        for row in alternating(tuple(rows), run):
            outcome = run_row(site, row, task)
            outcomes[row.key].append(outcome)
            tell(f"run {run + 1} of {runs}: {row.key}: {_brief(outcome)}")
    return outcomes


def run_row(site: Site, row: Row, task: Task) -> Outcome:
    """One row once, in a fresh process, with a fresh group and a fresh output topic."""
    try:
        return _run_row(site, row, task)
    except StreamsError as error:  # the rows after this one are worth having all the same
        return Failed(why=str(error))


def _run_row(site: Site, row: Row, task: Task) -> Outcome:
    with site.work(row, source=task.source, records=task.records, seconds=task.seconds) as work:
        work.start()
        until = time.monotonic() + task.seconds + _AROUND_S
        while (measure := work.measure()) is None:
            if (death := work.death()) is not None:
                return Failed(why=death)
            if time.monotonic() > until:
                return Failed(why=f"no result in time: {work.last_words()}")
            time.sleep(_LOOK_EVERY_S)
        return _believed(site, work, measure)


def _believed(site: Site, work: Work, measure: Measure) -> Outcome:
    """A worker's word, held against the cluster's."""
    written = site.outside.written(work.plan.target)
    committed = site.outside.committed(work.plan.group, work.plan.source)
    if measure.records == 0:
        return Failed(why="nothing was through when the time was over; give it more --seconds")
    if written < measure.records or committed < measure.records:
        return Failed(
            why=f"claims {measure.records} records, but {written} are written and "
            f"{committed} committed"
        )
    return Measured(measure=measure, whole=measure.records >= work.plan.records)


def _brief(outcome: Outcome) -> str:
    match outcome:
        case Measured(measure=measure):
            return f"{measure.per_s:,.0f} records/s"
        case Failed(why=why):
            return f"failed: {why.splitlines()[0]}"
