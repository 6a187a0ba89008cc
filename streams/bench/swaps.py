"""The swap benchmark: workers under load, whose release is swapped again and again."""

import itertools
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from streams.bench.swaps_given import Given
from streams.bench.swaps_load import Load
from streams.bench.swaps_site import Stall, SwapSite
from streams.loop_stalls import WINDOW_S

Tell = Callable[[str], None]

IN_FORCE_MOST_S = 3.0
_FEW_RULES = 1_000
RULES = (_FEW_RULES, 10_000)
# A release of many rules may stall the loop for longer.
FEW_STALL_MOST_MS = 20.0
STALL_MOST_MS = 100.0
# After a swap, until the old release has certainly been freed.
_AFTER_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured.

    rules: of the releases, a row each.
    swaps: of one worker, and again of so many `workers`.
    per_s: events a second.
    quiet_s: before the first swap. What starting took is forgotten after one window; the next one
        is without a swap.
    """

    rules: Sequence[int]
    swaps: int = 20
    workers: int = 3
    per_s: float = 300.0
    quiet_s: float = 2 * WINDOW_S
    seed: int = 0

    @property
    def steps(self) -> int:
        """How many lines `run_swaps_bench` tells."""
        return len(self.rules) * (2 + 2 * self.swaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What swapping releases of so many rules cost.

    release_bytes: of one.
    sent: events meanwhile; all were decided.
    quiet: stalls of a single worker, over 15 s under the same load without a swap.
    swapping: likewise over all swaps.
    in_force_s: of each swap of three workers, from the acknowledged activation until all of them
        decided under it.
    """

    rules: int
    release_bytes: int
    sent: int
    quiet: Stall
    swapping: Stall
    in_force_s: Sequence[float]

    @property
    def stall_most_ms(self) -> float:
        return FEW_STALL_MOST_MS if self.rules <= _FEW_RULES else STALL_MOST_MS

    def missed(self) -> list[str]:
        """Every bar that was not reached, a sentence each."""
        found, longest_s = [], max(self.in_force_s)
        if self.swapping.own_ms > self.stall_most_ms:
            found.append(
                f"{self.rules} rules: the event loop stalled for {self.swapping.own_ms:.0f} ms, "
                f"and must not for more than {self.stall_most_ms:g} ms"
            )
        if longest_s > IN_FORCE_MOST_S:
            found.append(
                f"{self.rules} rules: in force in all workers after {longest_s:.1f} s, and must "
                f"be after {IN_FORCE_MOST_S:g} s"
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapsResults:
    """A whole benchmark."""

    rows: Sequence[Row]
    machine: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": [asdict(row) for row in self.rows],
            "missed": [sentence for row in self.rows for sentence in row.missed()],
            "machine": dict(self.machine),
        }


def run_swaps_bench(
    bootstrap: str, folder: Path, scale: Scale, *, command: str, tell: Tell
) -> SwapsResults:
    """Measure everything.

    Args:
        bootstrap: a Kafka with nothing else to do.
        folder: takes logs, keys and registries.
        scale: how much.
        command: how to do it again, for the report.
        tell: takes a line for each step.

    Raises:
        StreamsError: a worker ended, or did not come to an end.
    """
    rows = [_row(bootstrap, folder / str(rules), rules, scale, tell) for rules in scale.rules]
    machine = {
        "command": command,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}",
        "load": f"{scale.per_s:g} events/s; {scale.swaps} swaps of one worker for the stalls, as "
        f"many of {scale.workers} workers for the time until in force",
    }
    return SwapsResults(rows=rows, machine=machine)


def _row(bootstrap: str, folder: Path, rules: int, scale: Scale, tell: Tell) -> Row:
    given = Given.of(rules=rules, seed=scale.seed)
    tell(f"{rules} rules are drawn")
    with SwapSite(bootstrap, folder, given.domain, partitions=2 * scale.workers) as site:
        turns = itertools.cycle([site.add(content) for content in given.releases])
        site.activate(next(turns))
        site.start(1)
        with Load(site.cluster, site.events_topic, given.events(), per_s=scale.per_s) as load:
            time.sleep(scale.quiet_s)
            quiet = site.stall()
            tell(f"{rules} rules, no swap: {quiet.own_ms:.0f} ms")
            swaps = [_swap(site, next(turns), tell) for _ in range(scale.swaps)]
            swapping = Stall.longest(stall for _, stall in swaps)
            site.start(scale.workers - 1)
            swaps = [_swap(site, next(turns), tell) for _ in range(scale.swaps)]
        site.settle()
    return Row(
        rules=rules,
        release_bytes=len(given.releases[0]),
        sent=load.sent,
        quiet=quiet,
        swapping=swapping,
        in_force_s=[in_force_s for in_force_s, _ in swaps],
    )


def _swap(site: SwapSite, digest: str, tell: Tell) -> tuple[float, Stall]:
    """Seconds until a release is in force everywhere, and the longest stall of late."""
    site.activate(digest)
    started_s = time.monotonic()
    site.in_force(digest)
    in_force_s = time.monotonic() - started_s
    time.sleep(_AFTER_S)
    stall = site.stall()
    tell(f"in force after {in_force_s:.2f} s, stall {stall.own_ms:.0f} ms ({stall.any_ms:.0f})")
    return in_force_s, stall
