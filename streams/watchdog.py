"""Watches that a worker's records move; a consumer can stop silently and look alive."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import mode

from streams.errors import StreamsError
from streams.health import Health
from streams.log_ends import LogSpan, Partition
from streams.metrics import Metrics
from streams.progress import Progress

_log = logging.getLogger(__name__)

# Whoever set these obstacles answers for the standstill: a worker paused on purpose or without a
# release, a topic or a broker that is away, and one that does not acknowledge, which ends the
# worker by its own name. The time runs anew when they are gone.
_ANSWERED_FOR = frozenset({"failures", "release", "topic", "kafka", "delivery"})
# However short decisions are, a rebalance waits for those that do not let go, and begins again
# when one of them is lost.
_ASSIGNED_WITHIN_S = 30.0


class Stalled(StreamsError):
    """A worker has work and nothing of it moves, or is given none; the next one replays."""


class Holdings(Protocol):
    """What a worker holds of its source topic."""

    def assigned(self) -> Collection[Partition]:
        """Its partitions; none before the first assignment."""
        ...

    def committed(self, partition: Partition) -> int | None:
        """The offset it last committed, or found committed; None when there is none."""
        ...

    def in_flight(self) -> int:
        """Records taken and not yet acknowledged."""
        ...


class Logs(Protocol):
    """What the broker says of the logs; see `LogEnds`."""

    async def spans(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, LogSpan] | None: ...

    async def holds_records(self, partition: Partition, *, start: int, end: int) -> bool: ...

    async def close(self) -> None: ...


class Watchdog(mode.Service):
    """Measures the commit lag, and makes a worker that stalls unready or ends it.

    holdings: what the worker holds. logs: where its logs end; the watchdog closes it.
    progress: marked by whoever decides and acknowledges; a commit marks it here.
    patience_s: the longest permitted decision; with work and still for longer is a stall, and so
        is waiting for partitions that nobody assigns. In reserve, assigned none, it waits for none.
    exit_on_stall: end the process, for a restarter to start the next one.
    """

    def __init__(
        self,
        *,
        holdings: Holdings,
        logs: Logs,
        progress: Progress,
        health: Health,
        metrics: Metrics,
        patience_s: float,
        every_s: float = 2.0,
        exit_on_stall: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._holdings = holdings
        self._logs = logs
        self._progress = progress
        self._health = health
        self._metrics = metrics
        self._patience_s = patience_s
        self._every_s = every_s
        self._exit_on_stall = exit_on_stall
        self._clock = clock
        self._answered = True
        self._waits = False  # for partitions
        self._spans: dict[Partition, LogSpan] = {}
        self._committed: dict[Partition, int | None] = {}
        # Where the commit and the end of the log stand apart with no record between them.
        self._hollow: dict[Partition, tuple[int, int]] = {}

    async def on_shutdown(self) -> None:
        """After the task has ended: closing the client under it would make it fail."""
        await self._logs.close()

    @mode.Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.look()
            await self.sleep(self._every_s)

    async def look(self) -> None:
        """Take one look: lag, progress, and whether it is a stall.

        Raises:
            Stalled: it is one, and the worker is told to end on it.
        """
        await self._ask()
        self._keep_assigned()
        self._note_commits()
        lags = self._lags()
        for partition, lag in lags.items():
            self._metrics.commit_lag.labels(partition=str(partition[1])).set(lag)
        self._expect(lags)
        still_s = self._progress.stalled(self._clock(), patience_s=self._patience())
        if still_s is not None and not self._waits and await self._is_hollow(lags):
            self._progress.expect(work=False)
            still_s = None
        if still_s is None:
            self._say_moving()
        else:
            self._say_stalled(still_s, lags)

    # What is known

    async def _ask(self) -> None:
        """Ask where the logs end; unanswered, the last known ends stay."""
        partitions = set(self._holdings.assigned())
        if not partitions:
            return
        spans = await self._logs.spans(partitions)
        if spans is not None:
            self._spans.update(spans)
        elif self._answered:
            _log.warning("the broker does not say where the logs end: the lag is the last known")
        self._answered = spans is not None

    def _keep_assigned(self) -> None:
        """Forget what was taken away, also while we asked."""
        for gone in self._spans.keys() - set(self._holdings.assigned()):
            del self._spans[gone]
            self._hollow.pop(gone, None)
            self._metrics.commit_lag.remove(str(gone[1]))

    def _note_commits(self) -> None:
        """A commit that has moved is progress; one found at an assignment is not."""
        committed = {partition: self._holdings.committed(partition) for partition in self._spans}
        known = self._committed.keys() & committed.keys()
        if any(committed[partition] != self._committed[partition] for partition in known):
            self._progress.mark()
        self._committed = committed

    def _lags(self) -> dict[Partition, int]:
        """Offsets not committed, by partition; an end of a log without records counts as none."""
        lags = {}
        for partition, span in self._spans.items():
            committed = self._committed[partition]
            at = (span.next_after(committed), span.end)
            lags[partition] = 0 if self._hollow.get(partition) == at else span.lag(committed)
        return lags

    # What follows

    def _expect(self, lags: Mapping[Partition, int]) -> None:
        """Records shall move, or partitions come; where one gives way to the other, time begins."""
        obstacles = self._health.obstacles.keys()
        waited, self._waits = self._waits, "partitions" in obstacles
        if waited is not self._waits:
            self._progress.expect(work=False)
        expected = self._waits or self._has_work(lags)
        self._progress.expect(work=expected and not _ANSWERED_FOR & obstacles)

    def _has_work(self, lags: Mapping[Partition, int]) -> bool:
        if not self._holdings.assigned():
            return False
        return self._holdings.in_flight() > 0 or any(lags.values())

    def _patience(self) -> float:
        return max(self._patience_s, _ASSIGNED_WITHIN_S) if self._waits else self._patience_s

    async def _is_hollow(self, lags: Mapping[Partition, int]) -> bool:
        """Whether there only seemed to be work: offsets without records at the ends of logs."""
        if self._holdings.in_flight():
            return False
        for partition, lag in lags.items():
            if lag == 0:
                continue
            span = self._spans[partition]
            start = span.next_after(self._committed[partition])
            if await self._logs.holds_records(partition, start=start, end=span.end):
                return False
            self._hollow[partition] = (start, span.end)
            self._metrics.commit_lag.labels(partition=str(partition[1])).set(0)
        return True

    def _say_moving(self) -> None:
        if "stall" in self._health.obstacles:
            _log.warning("the stall is over: records move again, or none are left to this worker")
        self._health.clear("stall")
        self._metrics.stalled.set(0)

    def _say_stalled(self, still_s: float, lags: Mapping[Partition, int]) -> None:
        what = (
            f"no partitions were assigned for {still_s:.0f} s although Kafka answers"
            if self._waits
            else f"nothing was decided, acknowledged or committed for {still_s:.0f} s, with "
            f"{self._holdings.in_flight()} records in flight and {sum(lags.values())} not committed"
        )
        why = f"{what}: restart the worker, which resumes at the last commit and loses nothing"
        first = "stall" not in self._health.obstacles
        self._health.block("stall", why)
        self._metrics.stalled.set(1)
        if self._exit_on_stall:
            _log.error("stalled, so ending for a restart: %s", why)
            raise Stalled(why)
        if first:
            _log.error("stalled: %s", why)
