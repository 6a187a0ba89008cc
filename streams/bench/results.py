"""What came of a benchmark, and the numbers that follow from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias

from streams.bench.kill import KillOutcome
from streams.bench.latency import Latency, LatencyOutcome
from streams.bench.meter import Measure
from streams.bench.rows import OURS, Row
from streams.bench.runner import Failed, Measured, Outcome
from streams.bench.scale import Scale

# Of a measure: records per second of wall clock, or of processor time.
Rate: TypeAlias = Callable[[Measure], float]


def wall(measure: Measure) -> float:
    return measure.per_s


def cpu(measure: Measure) -> float:
    return measure.per_cpu_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """All runs over records of one size. outcomes: row key → one a run."""

    records: int
    value_bytes: int
    outcomes: Mapping[str, Sequence[Outcome]]

    def rate(self, row: Row, rate: Rate) -> float | None:
        """The median of a row's runs; None when none came to its end."""
        rates = [
            rate(outcome.measure)
            for outcome in self.outcomes.get(row.key, ())
            if isinstance(outcome, Measured)
        ]
        return median(rates) if rates else None

    def ratio(self, row: Row, rate: Rate) -> float | None:
        """Ours ÷ the row: the median of the ratios within each run.

        Within a run both met the same machine, so what else it did meanwhile cancels out.
        """
        ratios = [
            rate(ours.measure) / rate(theirs.measure)
            for ours, theirs in zip(
                self.outcomes[OURS], self.outcomes.get(row.key, ()), strict=False
            )
            if isinstance(ours, Measured) and isinstance(theirs, Measured)
        ]
        return median(ratios) if ratios else None

    def whole(self, row: Row) -> bool:
        """Whether all records were through in every run that came to its end."""
        return all(
            outcome.whole
            for outcome in self.outcomes.get(row.key, ())
            if isinstance(outcome, Measured)
        )


# Latency is held against the bare loop.
P99_PEER = "aiokafka_send_batch-best"
P99_BAR = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole benchmark.

    kills, latencies: by row key; empty when they were left out.
    machine: what the figures depend on: name → text.
    """

    scale: Scale
    rows: Sequence[Row]
    small: Size
    large: Size | None
    kills: Mapping[str, KillOutcome] = field(default_factory=dict)
    latencies: Mapping[str, Sequence[LatencyOutcome]] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)

    def latency(self, key: str) -> tuple[float, float] | None:
        """Medians over the runs of p50 and p99, in milliseconds."""
        runs = [run for run in self.latencies.get(key, ()) if isinstance(run, Latency)]
        if not runs:
            return None
        return median(run.p50_ms for run in runs), median(run.p99_ms for run in runs)

    def p99_ratio(self, key: str) -> float | None:
        """Ours ÷ the row: the median of the ratios of p99 within each run."""
        ratios = [
            ours.p99_ms / theirs.p99_ms
            for ours, theirs in zip(
                self.latencies.get(OURS, ()), self.latencies.get(key, ()), strict=False
            )
            if isinstance(ours, Latency) and isinstance(theirs, Latency)
        ]
        return median(ratios) if ratios else None

    def missed(self) -> list[str]:
        """Every bar that was not reached; a sentence each. Bars hold for the small records."""
        if not self.scale.comparable:
            return []
        found = []
        for row in self.rows:
            for rate, bar, what in ((wall, row.wall_bar, "wall"), (cpu, row.cpu_bar, "CPU")):
                ratio = self.small.ratio(row, rate)
                if bar is not None and ratio is not None and ratio < bar:
                    found.append(f"{row.key}: {ratio:.2f} by {what}, and must reach {bar:g}")
        p99 = self.p99_ratio(P99_PEER)
        if p99 is not None and p99 > P99_BAR:
            found.append(f"{P99_PEER}: our p99 ÷ its is {p99:.2f}, and must not exceed {P99_BAR:g}")
        return found

    def troubles(self) -> list[str]:
        """Everything that failed, and every loss of a row that must not lose; a sentence each."""
        found = []
        for size in (self.small, *([self.large] if self.large else [])):
            for key, outcomes in size.outcomes.items():
                found += [
                    f"{key}, {size.value_bytes} B: {outcome.why}"
                    for outcome in outcomes
                    if isinstance(outcome, Failed)
                ]
        for row in self.rows:
            match self.kills.get(row.key):
                case Failed(why=why):
                    found.append(f"{row.key}, killed: {why}")
                case killed if killed is not None and row.guarantees and killed.lost:
                    found.append(f"{row.key}, killed: lost {killed.lost} records, and must not")
        for key, runs in self.latencies.items():
            found += [f"{key}, latency: {run.why}" for run in runs if isinstance(run, Failed)]
        return found
