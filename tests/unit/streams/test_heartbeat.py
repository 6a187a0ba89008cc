"""A worker says how it is, regularly and at once when its release changes, and never dies of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.codec import decode_status
from streams.events import RefusedRelease, ReleaseInForce, WorkerStatus
from streams.failures import Failures
from streams.frames import DeliveryFailed, OutputRecord
from streams.health import Health
from streams.heartbeat import Heartbeat, Reporter
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.standing import Standing
from streams.tagger import Tagger
from tests import factories as make

IN_FORCE = ReleaseInForce(digest=make.RELEASE, sequence=3, since_ms=make.NOW_MS)
REFUSAL = RefusedRelease(digest=None, why="activation refused", at_ms=make.NOW_MS)


@dataclass
class FakeOutlet:
    """Takes what it is sent, unless it is told to fail.

    start_fails: how often the broker is away yet. send_fails: how often nobody acknowledges.
    """

    start_fails: int = 0
    send_fails: int = 0
    started: bool = False
    statuses: list[WorkerStatus] = field(default_factory=list)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        if self.start_fails:
            self.failed.set()
            self.start_fails -= 1
            raise KafkaConnectionError("nobody there")
        self.started = True

    async def send(self, records: Sequence[OutputRecord]) -> Awaitable[object]:
        assert self.started
        if self.send_fails:
            self.send_fails -= 1
            raise DeliveryFailed("not_acknowledged", within_s=5.0)
        (record,) = records
        status = decode_status(record.value or b"")
        assert record.key == status.worker.encode()
        self.statuses.append(status)
        self.taken.set()
        return asyncio.sleep(0)

    async def stop(self) -> None:
        self.started = False

    async def until(self, count: int) -> None:
        """Until so many were taken."""
        async with asyncio.timeout(20):
            while len(self.statuses) < count:
                self.taken.clear()
                await self.taken.wait()


@dataclass(kw_only=True)
class Worker:
    """A tagger's parts that a status is made of."""

    every_s: float = 3600.0
    outlet: FakeOutlet = field(default_factory=FakeOutlet)
    standing: Standing = field(default_factory=Standing)
    health: Health = field(default_factory=Health)
    metrics: Metrics = field(default_factory=lambda: Metrics("tagger"))

    def reporter(self) -> Reporter:
        domain = make.domain()
        role = Tagger(
            domain=domain,
            image_prefixes=(),
            early_answer=True,
            metrics=self.metrics,
            failures=Failures(),
            now_ms=lambda: make.NOW_MS,
        )
        return Reporter(
            worker="shop-tagger-0",
            domain=domain.name,
            labels_digest=domain.labels_digest,
            every_s=self.every_s,
            role=role,
            standing=self.standing,
            health=self.health,
            metrics=self.metrics,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Heartbeat]:
        heartbeat = Heartbeat(
            producer=self.outlet,
            topic="workers.status",
            report=self.reporter().status,
            changed=self.standing.changed,
            every_s=self.every_s,
            metrics=self.metrics,
        )
        await heartbeat.start()
        try:
            yield heartbeat
        finally:
            await heartbeat.stop()

    @property
    def failures(self) -> float:
        return float(self.metrics.status_failures._value.get())


def test_a_status_says_what_stands_between_the_worker_and_its_work() -> None:
    worker = Worker(every_s=5.0)
    worker.health.block("release", "no release is active")
    worker.health.block("kafka", "x" * (LIMITS.detail_chars + 1))
    status = worker.reporter().status()
    assert (status.worker, status.role, status.domain) == ("shop-tagger-0", "tagger", "shop")
    assert status.at_ms == make.NOW_MS
    assert status.interval_ms == 5000
    assert status.labels_digest == make.domain().labels_digest
    assert status.obstacles == ("no release is active", "x" * (LIMITS.detail_chars - 1) + "…")
    assert (status.in_force, status.refusal, status.bundle, status.lag) == (None,) * 4


def test_the_lag_is_that_of_all_partitions_held() -> None:
    worker = Worker()
    for partition, lag in (("0", 3), ("1", 4)):
        worker.metrics.commit_lag.labels(partition=partition).set(lag)
    assert worker.reporter().status().lag == 7
    worker.metrics.commit_lag.remove("0")
    assert worker.reporter().status().lag == 4
    worker.metrics.commit_lag.remove("1")
    assert worker.reporter().status().lag is None


async def test_it_speaks_at_its_start_and_again_after_every_interval() -> None:
    worker = Worker(every_s=0.01)
    async with worker.running():
        await worker.outlet.until(3)


async def test_a_release_and_a_refusal_are_said_at_once() -> None:
    worker = Worker()
    async with worker.running():
        await worker.outlet.until(1)
        worker.standing.take(IN_FORCE)
        await worker.outlet.until(2)
        worker.standing.refuse(REFUSAL)
        await worker.outlet.until(3)
    said = [(status.in_force, status.refusal) for status in worker.outlet.statuses]
    assert said[:3] == [(None, None), (IN_FORCE, None), (IN_FORCE, REFUSAL)]


async def test_its_last_word_is_that_it_stopped() -> None:
    worker = Worker()
    async with worker.running():
        await worker.outlet.until(1)
    assert [status.stopped for status in worker.outlet.statuses] == [False, True]
    assert not worker.outlet.started


async def test_a_broker_that_is_away_is_said_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker(every_s=0.01, outlet=FakeOutlet(start_fails=2, send_fails=2))
    with caplog.at_level(logging.INFO, logger="streams.side_outlet"):
        async with worker.running() as heartbeat:
            await worker.outlet.until(2)
            assert not heartbeat.crashed
    assert worker.failures == 4
    said = [
        record.message.partition(",")[0] for record in caplog.records if "status" in record.message
    ]
    assert said == ["the worker's status is not taken", "the worker's status is taken again"]


async def test_a_worker_that_nobody_hears_stops_without_a_last_word() -> None:
    worker = Worker(outlet=FakeOutlet(start_fails=10**6))
    async with worker.running():
        await worker.outlet.failed.wait()
    assert worker.outlet.statuses == []


async def test_a_defect_of_ours_in_making_the_status_does_not_end_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker(every_s=0.01)
    lag, fails = worker.metrics.lag, iter((True, True))

    def broken() -> int | None:
        if next(fails, False):
            raise RuntimeError("no lag today")
        return lag()

    monkeypatch.setattr(worker.metrics, "lag", broken)
    async with worker.running() as heartbeat:
        await worker.outlet.until(1)
        assert not heartbeat.crashed
    assert worker.failures == 2
