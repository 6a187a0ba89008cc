"""The watchdog: how far commits lag, and when a worker that looks alive is none."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import mode
import pytest

from streams.health import Health
from streams.log_ends import LogSpan, Partition
from streams.metrics import Metrics
from streams.progress import Progress
from streams.watchdog import Stalled, Watchdog
from tests.fakes import FakeHoldings

PATIENCE_S = 30.0
P0, P1 = ("events", 0), ("events", 1)


@dataclass
class Told:
    """Logs that end where the test says; without an answer when it says so.

    hollow: partitions whose last offsets hold no record.
    """

    ends: dict[Partition, LogSpan] = field(default_factory=dict)
    answers: bool = True
    hollow: set[Partition] = field(default_factory=set)
    asked: int = 0
    closed: bool = False
    on_ask: Callable[[], object] = lambda: None

    async def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, LogSpan] | None:
        self.asked += 1
        spans = {partition: self.ends[partition] for partition in partitions}
        self.on_ask()
        return spans if self.answers else None

    async def holds_records(self, partition: Partition, *, start: int, end: int) -> bool:
        assert start < end
        return partition not in self.hollow

    async def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """A watchdog whose looks and whose time the test takes."""

    exit_on_stall: bool = False
    patience_s: float = PATIENCE_S
    now_s: float = 0.0
    held: FakeHoldings = field(default_factory=FakeHoldings)
    logs: Told = field(default_factory=Told)
    health: Health = field(default_factory=Health)
    metrics: Metrics = field(default_factory=lambda: Metrics("tagger"))
    progress: Progress = field(init=False)
    watchdog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(clock=lambda: self.now_s)
        self.watchdog = Watchdog(
            holdings=self.held,
            logs=self.logs,
            progress=self.progress,
            health=self.health,
            metrics=self.metrics,
            patience_s=self.patience_s,
            exit_on_stall=self.exit_on_stall,
            clock=lambda: self.now_s,
        )

    def give(self, partition: Partition, *, committed: int | None, begin: int, end: int) -> None:
        self.held.commits[partition] = committed
        self.logs.ends[partition] = LogSpan(begin=begin, end=end)

    async def look(self, *, at_s: float) -> None:
        self.now_s = at_s
        await self.watchdog.look()

    @property
    def stalled(self) -> bool:
        both = ("stall" in self.health.obstacles, self.value("kdsl_stalled") == 1)
        assert both in ((True, True), (False, False))
        return both[0]

    def lag(self, number: int) -> float | None:
        return self.value("kdsl_commit_lag_records", partition=str(number))

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


async def test_in_reserve_it_asks_nobody_and_sees_no_stall() -> None:
    bench = Bench()
    bench.held.flying = 1
    await bench.look(at_s=0.0)
    await bench.look(at_s=1000.0)
    assert bench.logs.asked == 0
    assert not bench.stalled


@pytest.mark.parametrize(
    ("committed", "begin", "end", "lag"),
    [
        (7, 0, 10, 3),
        (10, 0, 10, 0),
        (None, 4, 10, 6),  # nothing committed: from the beginning
        (2, 4, 10, 6),  # what was committed is gone by now
        (2, 10, 10, 0),  # and so is the rest
        (12, 0, 10, 0),  # the commit is newer than the answer
    ],
)
async def test_the_lag_of_a_partition_is_what_lies_between_its_commit_and_its_end(
    committed: int | None, begin: int, end: int, lag: int
) -> None:
    bench = Bench()
    bench.give(P0, committed=committed, begin=begin, end=end)
    await bench.look(at_s=0.0)
    assert bench.lag(0) == lag


async def test_lag_without_progress_makes_it_unready_and_a_commit_ready_again() -> None:
    bench = Bench()
    bench.give(P0, committed=7, begin=0, end=10)
    bench.give(P1, committed=5, begin=0, end=5)
    await bench.look(at_s=0.0)
    await bench.look(at_s=PATIENCE_S)
    assert not bench.stalled
    await bench.look(at_s=PATIENCE_S + 1)
    assert bench.stalled
    why = bench.health.obstacles["stall"]
    assert "for 31 s, with 0 records in flight and 3 not committed" in why
    assert "restart the worker" in why
    bench.held.commits[P0] = 8
    await bench.look(at_s=PATIENCE_S + 2)
    assert not bench.stalled
    assert bench.lag(0) == 2


async def test_decisions_and_acknowledgements_alone_keep_it_ready() -> None:
    bench = Bench()
    bench.give(P0, committed=0, begin=0, end=300)
    bench.held.flying = 300
    for second in range(0, 200, 20):
        await bench.look(at_s=float(second))
        assert not bench.stalled
        bench.progress.mark()


async def test_records_in_flight_that_nothing_comes_of_are_a_stall_without_lag_too() -> None:
    bench = Bench()
    bench.give(P0, committed=10, begin=0, end=10)
    bench.held.flying = 2
    await bench.look(at_s=0.0)
    await bench.look(at_s=PATIENCE_S + 1)
    assert bench.stalled


async def test_an_idle_worker_never_stalls_and_has_the_whole_time_when_work_comes() -> None:
    bench = Bench()
    bench.give(P0, committed=10, begin=0, end=10)
    await bench.look(at_s=0.0)
    await bench.look(at_s=5000.0)
    bench.logs.ends[P0] = LogSpan(begin=0, end=11)
    await bench.look(at_s=5002.0)
    await bench.look(at_s=5002.0 + PATIENCE_S)
    assert not bench.stalled
    await bench.look(at_s=5003.0 + PATIENCE_S)
    assert bench.stalled


@pytest.mark.parametrize("obstacle", ["failures", "kafka", "delivery"])
async def test_what_another_obstacle_answers_for_is_not_judged_twice(obstacle: str) -> None:
    bench = Bench()
    bench.give(P0, committed=7, begin=0, end=10)
    bench.health.block(obstacle, "mend it")
    await bench.look(at_s=0.0)
    await bench.look(at_s=1000.0)
    assert not bench.stalled
    bench.health.clear(obstacle)
    await bench.look(at_s=1002.0)
    await bench.look(at_s=1002.0 + PATIENCE_S)
    assert not bench.stalled
    await bench.look(at_s=1003.0 + PATIENCE_S)
    assert bench.stalled


async def test_partitions_that_are_not_assigned_are_a_stall_until_they_are() -> None:
    bench = Bench()
    bench.health.block("partitions", "waiting for Kafka to assign partitions")
    await bench.look(at_s=0.0)
    await bench.look(at_s=PATIENCE_S)
    assert not bench.stalled
    await bench.look(at_s=PATIENCE_S + 1)
    assert bench.stalled
    why = bench.health.obstacles["stall"]
    assert "no partitions were assigned for 31 s although Kafka answers: restart" in why
    bench.health.clear("partitions")
    await bench.look(at_s=PATIENCE_S + 3)
    assert not bench.stalled


@pytest.mark.parametrize("obstacle", ["release", "kafka"])
async def test_the_wait_for_partitions_begins_when_nothing_else_is_in_its_way(
    obstacle: str,
) -> None:
    bench = Bench()
    bench.health.block("partitions", "waiting for Kafka to assign partitions")
    bench.health.block(obstacle, "mend it")
    await bench.look(at_s=0.0)
    await bench.look(at_s=1000.0)
    bench.health.clear(obstacle)
    await bench.look(at_s=1002.0)
    await bench.look(at_s=1002.0 + PATIENCE_S)
    assert not bench.stalled
    await bench.look(at_s=1003.0 + PATIENCE_S)
    assert bench.stalled


async def test_a_rebalance_gives_its_own_wait_and_the_records_after_it_the_whole_time() -> None:
    bench = Bench()
    bench.give(P0, committed=7, begin=0, end=10)
    await bench.look(at_s=0.0)
    bench.health.block("partitions", "Kafka is moving partitions between workers")
    await bench.look(at_s=20.0)
    await bench.look(at_s=20.0 + PATIENCE_S)
    assert not bench.stalled
    bench.health.clear("partitions")
    await bench.look(at_s=21.0 + PATIENCE_S)
    await bench.look(at_s=21.0 + 2 * PATIENCE_S)
    assert not bench.stalled
    await bench.look(at_s=22.0 + 2 * PATIENCE_S)
    assert bench.stalled
    assert "3 not committed" in bench.health.obstacles["stall"]


async def test_short_decisions_leave_a_rebalance_the_time_that_it_takes() -> None:
    bench = Bench(patience_s=2.0)
    bench.health.block("partitions", "waiting for Kafka to assign partitions")
    await bench.look(at_s=0.0)
    await bench.look(at_s=30.0)
    assert not bench.stalled
    await bench.look(at_s=31.0)
    assert bench.stalled


async def test_while_the_broker_does_not_answer_the_last_known_end_counts() -> None:
    bench = Bench()
    bench.give(P0, committed=7, begin=0, end=10)
    await bench.look(at_s=0.0)
    bench.logs.answers = False
    bench.logs.ends[P0] = LogSpan(begin=0, end=500)
    bench.held.commits[P0] = 8
    await bench.look(at_s=2.0)
    assert bench.lag(0) == 2
    bench.held.commits[P0] = 10
    await bench.look(at_s=4.0)
    assert bench.lag(0) == 0
    await bench.look(at_s=1000.0)
    assert not bench.stalled


async def test_a_partition_taken_away_leaves_no_gauge_and_no_stall_behind() -> None:
    bench = Bench()
    bench.give(P0, committed=10, begin=0, end=10)
    bench.give(P1, committed=7, begin=0, end=10)
    await bench.look(at_s=0.0)
    await bench.look(at_s=PATIENCE_S + 1)
    assert bench.stalled
    del bench.held.commits[P1]
    await bench.look(at_s=PATIENCE_S + 3)
    assert not bench.stalled
    assert (bench.lag(0), bench.lag(1)) == (0, None)


async def test_a_partition_taken_away_while_it_asks_is_let_go_at_once() -> None:
    bench = Bench()
    bench.give(P0, committed=0, begin=0, end=10)
    bench.logs.on_ask = bench.held.commits.clear
    await bench.look(at_s=0.0)
    assert bench.lag(0) is None


async def test_a_commit_found_at_an_assignment_is_no_progress() -> None:
    bench = Bench()
    bench.give(P0, committed=7, begin=0, end=10)
    await bench.look(at_s=0.0)
    bench.give(P1, committed=99, begin=0, end=99)
    await bench.look(at_s=20.0)
    await bench.look(at_s=PATIENCE_S + 1)
    assert bench.stalled


async def test_offsets_without_records_at_the_end_of_a_log_are_no_work() -> None:
    bench = Bench()
    bench.give(P0, committed=9, begin=0, end=10)
    bench.logs.hollow = {P0}
    for second in (0.0, PATIENCE_S + 1, 1000.0):
        await bench.look(at_s=second)
        assert not bench.stalled
    assert bench.lag(0) == 0
    bench.logs.ends[P0] = LogSpan(begin=0, end=12)
    bench.logs.hollow = set()
    await bench.look(at_s=1002.0)
    assert bench.lag(0) == 3
    await bench.look(at_s=1003.0 + PATIENCE_S)
    assert bench.stalled


async def test_a_record_right_behind_such_an_end_has_the_whole_time() -> None:
    bench = Bench()
    bench.give(P0, committed=9, begin=0, end=10)
    bench.logs.hollow = {P0}
    await bench.look(at_s=0.0)
    await bench.look(at_s=PATIENCE_S + 1)
    bench.logs.ends[P0] = LogSpan(begin=0, end=12)
    bench.logs.hollow = set()
    await bench.look(at_s=PATIENCE_S + 3)
    assert not bench.stalled
    await bench.look(at_s=2 * PATIENCE_S + 4)
    assert bench.stalled


async def test_it_is_also_a_stall_when_only_one_of_several_ends_holds_records() -> None:
    bench = Bench()
    bench.give(P0, committed=9, begin=0, end=10)
    bench.give(P1, committed=9, begin=0, end=10)
    bench.logs.hollow = {P0}
    await bench.look(at_s=0.0)
    await bench.look(at_s=PATIENCE_S + 1)
    assert bench.stalled


async def test_told_to_end_on_a_stall_it_takes_the_whole_worker_down() -> None:
    bench = Bench(exit_on_stall=True)
    bench.give(P0, committed=7, begin=0, end=10)
    await bench.look(at_s=0.0)
    bench.now_s = PATIENCE_S + 1
    worker = mode.Service()
    worker.add_dependency(bench.watchdog)
    await worker.start()
    async with asyncio.timeout(10):
        await worker.wait_for_stopped(asyncio.Event().wait())
    assert isinstance(worker.crash_reason, Stalled)
    assert not bench.logs.closed
    await worker.stop()
    assert bench.logs.closed
    assert bench.stalled
