"""Where a benchmark takes place: one cluster, one folder, names of its own."""

import itertools
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.bench.load import preload
from streams.bench.meter import Measure
from streams.bench.outside import Outside
from streams.bench.plan import Plan
from streams.bench.rows import Row
from streams.child import Child

_LOG_LINES = 12


class Work:
    """One row at work: its plan, its topics, the worker process of the moment."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self._folder = folder
        self._child: Child | None = None

    def start(self) -> int:
        """Start a worker, only one at a time; its process id."""
        argv = [sys.executable, "-m", "streams.bench.worker", self.plan.to_json()]
        self._child = Child(argv, log=self._folder / "worker.log", cwd=self._folder)
        return self._child.pid

    def kill(self) -> None:
        """SIGKILL it, as a crash would."""
        if self._child is not None:
            self._child.kill()

    def measure(self) -> Measure | None:
        """What it reported, once it has."""
        return Measure.read(Path(self.plan.report))

    def death(self) -> str | None:
        """How it ended without being asked to, with its last words; None while it runs."""
        status = self._child.poll() if self._child is not None else None
        return None if status is None else f"ended with status {status}: {self.last_words()}"

    def last_words(self) -> str:
        return "" if self._child is None else self._child.log_tail(_LOG_LINES)


class Site:
    """Makes topics, fills them, puts rows to work on them, and clears up.

    Args:
        outside: the cluster.
        folder: takes logs and reports.
        partitions: of every topic.

    `prefix` begins the name of every topic and group.
    """

    def __init__(self, outside: Outside, folder: Path, *, partitions: int) -> None:
        self.outside = outside
        self.partitions = partitions
        self._folder = folder
        self.prefix = f"kdsl-bench-{uuid.uuid4().hex[:8]}-"
        self._numbers = itertools.count(1)

    @contextmanager
    def source(self, count: int, value_bytes: int) -> Iterator[str]:
        """A topic of so many records, deleted afterwards."""
        name = f"{self.prefix}{next(self._numbers)}-source"
        self.outside.create(name, self.partitions)
        try:
            preload(self.outside, name, count, value_bytes)
            yield name
        finally:
            self.outside.delete(name)

    @contextmanager
    def work(
        self,
        row: Row,
        *,
        source: str,
        records: int = 0,
        seconds: float = 0.0,
        frame_s: float = 0.0,
    ) -> Iterator[Work]:
        """A row with a group and an output topic of its own, not started yet; all ends with it."""
        name = f"{self.prefix}{next(self._numbers)}-{row.key}"
        folder = self._folder / name
        folder.mkdir(parents=True)
        plan = Plan(
            peer=row.peer,
            flavour=row.flavour,
            bootstrap=self.outside.bootstrap,
            source=source,
            target=f"{name}-labelled",
            group=name,
            records=records,
            seconds=seconds,
            frame_s=frame_s,
            partitions=self.partitions,
            report=str(folder / "measure.json"),
        )
        self.outside.create(plan.target, self.partitions)
        work = Work(plan, folder)
        try:
            yield work
        finally:
            work.kill()
            self.outside.delete(name)
            self.outside.forget_group(name)
