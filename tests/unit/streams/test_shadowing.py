"""A shadow gets the time that is left, and what comes of it is told; the worker never waits."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiokafka.errors import KafkaConnectionError

from streams import shadowing as shadowing_module
from streams.codec import decode_shadow, decode_tag, encode_event
from streams.failures import Failures
from streams.frames import OutputRecord
from streams.metrics import Metrics
from streams.shadow_records import ShadowCounts, ShadowDifference, ShadowRecord
from streams.shadowing import Shadowing
from streams.spare_time import loop_is_idle
from streams.tagger import Tagger
from tests import factories as make

DOMAIN = make.domain()
ACTIVE = make.active_release(DOMAIN)
OTHER = make.active_release(make.domain(rules={"intent": 'when last has "where" then other'}))
DIFFERING = make.record(encode_event(make.event(make.user("where"))))
OPEN = make.record(encode_event(make.event(make.user("refund"), dialogue_id="d2")))


@dataclass
class FakeProducer:
    """Takes what it is sent; away as often as it is told."""

    away: int = 0
    taken: list[OutputRecord] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    started: bool = False

    async def start(self) -> None:
        if self.away:
            self.away -= 1
            raise KafkaConnectionError("nobody there")
        self.started = True

    async def send(self, records: Sequence[OutputRecord]) -> Awaitable[object]:
        assert self.started
        self.taken += records
        self.came.set()
        return asyncio.sleep(0)

    async def stop(self) -> None:
        self.started = False

    @property
    def records(self) -> list[ShadowRecord]:
        return [decode_shadow(record.value or b"") for record in self.taken]

    async def until(self, count: int) -> None:
        """Until so many were taken."""
        async with asyncio.timeout(20):
            while len(self.taken) < count:
                self.came.clear()
                await self.came.wait()


@dataclass(kw_only=True)
class Worker:
    """A tagger with what a shadow needs of a worker."""

    producer: FakeProducer = field(default_factory=FakeProducer)
    counts_every_s: float = 0.05
    behind: bool = False
    metrics: Metrics = field(default_factory=lambda: Metrics("tagger"))

    def __post_init__(self) -> None:
        self.role = Tagger(
            domain=DOMAIN,
            image_prefixes=(),
            early_answer=True,
            metrics=self.metrics,
            failures=Failures(),
            now_ms=lambda: make.NOW_MS,
        )
        self.role.use(ACTIVE)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Shadowing]:
        service = Shadowing(
            role=self.role,
            producer=self.producer,
            topic="dialogue.shadow",
            domain="shop",
            worker="shop-tagger-0",
            counts_every_s=self.counts_every_s,
            behind=lambda: self.behind,
            metrics=self.metrics,
        )
        await service.start()
        try:
            yield service
            assert not service.crashed
        finally:
            await service.stop()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadowing_module, "_SEND_EVERY_S", 0.01)


def tallied(records: Sequence[ShadowRecord]) -> Counter[str]:
    """Outcome → number, over all counts."""
    counts: Counter[str] = Counter()
    for record in records:
        if isinstance(record, ShadowCounts):
            for tally in record.tallies:
                counts.update(
                    same=tally.same, differs=tally.differs, open=tally.open, skipped=tally.skipped
                )
    return +counts


async def test_differences_go_under_their_dialogue_and_counts_under_their_worker() -> None:
    worker = Worker()
    async with worker.running():
        worker.role.use_shadow(OTHER, against=ACTIVE.digest)
        await worker.role.decide([DIFFERING, OPEN])
        await worker.producer.until(3)
    by_key = {record.key for record in worker.producer.taken}
    assert by_key == {b"d1", b"d2", b"shop-tagger-0"}
    differences = [each for each in worker.producer.records if isinstance(each, ShadowDifference)]
    assert [(each.dialogue_id, each.open_reason) for each in differences] == [
        ("d1", None),
        ("d2", "no_rule"),
    ]
    assert tallied(worker.producer.records) == {"differs": 1, "open": 1}


async def test_counts_of_all_records_add_up_to_all_questions() -> None:
    worker = Worker()
    async with worker.running():
        worker.role.use_shadow(ACTIVE, against=ACTIVE.digest)
        for _ in range(5):
            await worker.role.decide([DIFFERING, OPEN])
            await asyncio.sleep(0.03)
    # Where no turn of the loop was idle, some are skipped at the end; none is forgotten.
    counts = tallied(worker.producer.records)
    assert counts["same"] + counts["skipped"] == counts.total() == 10


async def test_a_worker_that_stops_tells_what_it_counted_last() -> None:
    worker = Worker(counts_every_s=3600.0)
    async with worker.running():
        worker.role.use_shadow(ACTIVE, against=ACTIVE.digest)
        await worker.role.decide([DIFFERING] * 40)
    assert tallied(worker.producer.records).total() == 40


async def test_a_worker_that_is_behind_compares_nothing() -> None:
    worker = Worker(behind=True)
    async with worker.running():
        worker.role.use_shadow(OTHER, against=ACTIVE.digest)
        for _ in range(3):
            await worker.role.decide([DIFFERING])
            await asyncio.sleep(0.1)
    assert tallied(worker.producer.records) == {"skipped": 3}


async def test_the_outputs_of_a_role_are_the_same_with_and_without_a_shadow() -> None:
    alone, shadowed = Worker(), Worker()
    shadowed.role.use_shadow(OTHER, against=ACTIVE.digest)
    tags = [
        [
            replace(decode_tag(output.value), took_us=0)
            for outputs in await worker.role.decide([DIFFERING, OPEN])
            for output in outputs
        ]
        for worker in (alone, shadowed)
    ]
    assert [tag.label for tag in tags[0]] == ["track", "refund"]
    assert tags[0] == tags[1]


async def test_the_next_shadow_leaves_nothing_of_the_one_before_uncounted() -> None:
    worker = Worker()
    async with worker.running():
        worker.role.use_shadow(ACTIVE, against=ACTIVE.digest)
        await worker.role.decide([DIFFERING] * 50)
        worker.role.use_shadow(OTHER, against=ACTIVE.digest)
        await worker.role.decide([DIFFERING])
    counts = [each for each in worker.producer.records if isinstance(each, ShadowCounts)]
    of_first = [each for each in counts if each.shadow == ACTIVE.digest]
    assert tallied(of_first).total() == 50
    assert tallied(counts).total() == 51


async def test_without_a_shadow_nothing_is_sent_and_nobody_connects() -> None:
    worker = Worker(producer=FakeProducer(away=10**6))
    async with worker.running():
        await worker.role.decide([DIFFERING])
        await asyncio.sleep(0.1)
    assert worker.metrics.shadow_failures._value.get() == 0


async def test_a_broker_that_is_away_is_said_once_and_the_worker_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker(producer=FakeProducer(away=2))
    worker.role.use_shadow(OTHER, against=ACTIVE.digest)
    with caplog.at_level(logging.INFO, logger="streams.side_outlet"):
        async with worker.running():
            while worker.producer.away or not worker.producer.taken:
                await worker.role.decide([DIFFERING])
                await asyncio.sleep(0.02)
    said = [record.message.partition(",")[0] for record in caplog.records]
    assert said == [
        "what the shadow would say is not taken",
        "what the shadow would say is taken again",
    ]
    assert worker.metrics.shadow_failures._value.get() == 2


async def test_a_busy_loop_is_not_idle_and_a_quiet_one_is() -> None:
    async def work() -> None:
        while True:
            # Long beside the millisecond of an idle turn, whatever else runs on the machine.
            for _ in range(200_000):
                pass
            await asyncio.sleep(0)

    busy = asyncio.create_task(work())
    assert not await loop_is_idle()
    busy.cancel()
    await asyncio.sleep(0)
    # One turn can be held up by other processes; of many, one is not.
    assert any([await loop_is_idle() for _ in range(100)])
