"""The clock inside a worker."""

import gc
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a worker did between its first record and its last commit.

    cpu_s: of all threads of its process.
    """

    records: int
    wall_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.records / self.wall_s

    @property
    def per_cpu_s(self) -> float:
        return self.records / self.cpu_s

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What a worker wrote, or None as long as it has not."""
        try:
            fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(**fields)


class Meter:
    """Counts records and time from the first record until all are done or the time is over.

    Args:
        records: how many there are; 0 never ends.
        seconds: how long to go on at most.
        report: file that takes the measure.
        tuned: whether the garbage collector may pass over what was loaded before the start.
        wall_s, cpu_s: the clocks.
    """

    def __init__(
        self,
        *,
        records: int,
        seconds: float,
        report: Path,
        tuned: bool = False,
        wall_s: Callable[[], float] = time.perf_counter,
        cpu_s: Callable[[], float] = time.process_time,
    ) -> None:
        self._records = records
        self._seconds = seconds
        self._report = report
        self._tuned = tuned
        self._wall_s = wall_s
        self._cpu_s = cpu_s
        self._began: tuple[float, float] | None = None
        self._done = 0
        self._counted = False
        self._finished = False

    def begin(self) -> None:
        """A record was received; only the first starts the clock."""
        if self._began is None:
            if self._tuned:
                gc.collect()
                gc.freeze()
            self._began = (self._wall_s(), self._cpu_s())

    def add(self, records: int) -> None:
        """So many more records are through; what comes after it was over is not counted.

        A worker may go on while the last commit is under way, which then does not cover it all.
        """
        if not self._counted:
            self._done += records
            self._counted = self.over

    @property
    def over(self) -> bool:
        """Whether to commit and finish: all are through, or the time is over."""
        if not self._records or self._began is None:
            return False
        return self._done >= self._records or self._wall_s() - self._began[0] >= self._seconds

    def finish(self) -> None:
        """Stop the clock: all that was counted is committed. Only the first call counts."""
        if self._finished or self._began is None:
            return
        self._finished = True
        wall_s, cpu_s = self._wall_s() - self._began[0], self._cpu_s() - self._began[1]
        measure = Measure(records=self._done, wall_s=wall_s, cpu_s=cpu_s)
        beside = self._report.with_suffix(".part")
        beside.write_text(json.dumps(asdict(measure)) + "\n", encoding="utf-8")
        beside.rename(self._report)  # whoever waits for the file finds it whole
