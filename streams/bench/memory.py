"""How much memory ours takes while records wait and the decision is slow."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.bench.rows import ROWS
from streams.bench.site import Site, Work

LOOK_EVERY_S = 5.0
_STARTS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a worker held while records waited.

    waiting: records in the source at the start. committed: of these, at the end.
    mib: resident memory at each look, from the first commit on; one every five seconds.
    """

    waiting: int
    committed: int
    mib: tuple[float, ...]

    @property
    def settled_mib(self) -> float:
        """After the first fifth of the time: what was loaded and fetched by then stays."""
        return self.mib[len(self.mib) // 5]

    @property
    def growth(self) -> float:
        """The largest figure after that, of the settled one."""
        return max(self.mib[len(self.mib) // 5 :]) / self.settled_mib

    @property
    def sentence(self) -> str:
        return (
            f"{self.waiting:,} records waiting, {self.committed:,} committed in the end: "
            f"{self.settled_mib:.0f} MiB resident when settled, {max(self.mib):.0f} at most, "
            f"{self.mib[-1]:.0f} in the end (growth {self.growth:.2f})"
        )


def measure_memory(
    site: Site, *, waiting: int, value_bytes: int, seconds: float, frame_s: float
) -> Iterator[float | Memory]:
    """Let ours work slowly at many waiting records, and look at its memory.

    Args:
        site: where.
        waiting: records in the source.
        value_bytes: of each, about.
        seconds: how long to look.
        frame_s: what deciding a frame takes.

    Yields:
        MiB at every look, and at last everything.

    Raises:
        RuntimeError: the worker ended, or began nothing.
    """
    (ours,) = (row for row in ROWS if row.ours)
    with (
        site.source(waiting, value_bytes) as source,
        site.work(ours, source=source, frame_s=frame_s) as work,
    ):
        pid = work.start()
        _await_first_commit(site, work)
        looks = []
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            if (death := work.death()) is not None:
                raise RuntimeError(death)
            looks.append(_resident_mib(pid))
            yield looks[-1]
            time.sleep(LOOK_EVERY_S)
        committed = site.outside.committed(work.plan.group, source)
        yield Memory(waiting=waiting, committed=committed, mib=tuple(looks))


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _await_first_commit(site: Site, work: Work) -> None:
    until_s = time.monotonic() + _STARTS_WITHIN_S
    while not site.outside.committed(work.plan.group, work.plan.source):
        if (death := work.death()) is not None:
            raise RuntimeError(death)
        if time.monotonic() > until_s:
            raise RuntimeError(f"nothing was committed in {_STARTS_WITHIN_S:g} s")
        time.sleep(1.0)
