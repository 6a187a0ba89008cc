"""Deliveries end within their bound, by name; the producer is a fake that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from streams.frames import DeliveryFailed, Outlet, OutputRecord
from streams.frames import outlet as outlet_module

RECORD = OutputRecord(topic="out", key=b"k", value=b"v")


class FakeBatch:
    """Takes everything."""

    def append(self, **_: Any) -> object:
        return object()


@dataclass
class FakeClient:
    """What is asked of a client: metadata, of which it is its own cache.

    topics: topic → the partitions that have a leader, and those that have none.
    """

    answering: bool = True
    topics: dict[str, tuple[set[int], set[int]]] = field(
        default_factory=lambda: {"out": ({0, 1}, set())}
    )
    unauthorized_topics: set[str] = field(default_factory=set)
    closed: bool = False

    @property
    def cluster(self) -> "FakeClient":
        return self

    async def force_metadata_update(self) -> bool:
        return self.answering

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set.union(*self.topics[topic]) if topic in self.topics else None

    def available_partitions_for_topic(self, topic: str) -> set[int] | None:
        return self.topics[topic][0] if topic in self.topics else None

    async def close(self) -> None:
        self.closed = True


class FakeProducer:
    """Queues what it gets; how it ends is `outcome`, and None leaves it open.

    unknown, full: what asking for partitions, and queueing, are met with before they succeed.
    """

    def __init__(self) -> None:
        self.client = FakeClient()
        self.options: dict[str, Any] = {}
        self.outcome: Exception | str | None = "acknowledged"
        self.unknown: Iterator[Exception] = iter([])
        self.full: Iterator[Exception] = iter([])
        self.refuses_start: Exception | None = None
        self.hangs = False
        self.queued = 0
        self.stopped = False

    async def start(self) -> None:
        if self.refuses_start is not None:
            raise self.refuses_start
        if self.hangs:
            await asyncio.Event().wait()

    async def stop(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self.stopped = True

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def partitions_for(self, topic: str) -> set[int]:
        await asyncio.sleep(0)
        for error in self.unknown:
            raise error
        return {0, 1}

    async def send_batch(self, batch: object, topic: str, *, partition: int) -> Awaitable[object]:
        await asyncio.sleep(0)
        for error in self.full:
            raise error
        self.queued += 1
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if isinstance(self.outcome, Exception):
            done.set_exception(self.outcome)
        elif self.outcome is not None:
            done.set_result(self.outcome)
        return done


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()

    def make(**options: Any) -> FakeProducer:
        fake.options = options
        return fake

    monkeypatch.setattr(outlet_module, "AIOKafkaProducer", make)
    monkeypatch.setattr(outlet_module, "_STOP_WITHIN_S", 0.05)
    return fake


@pytest.fixture
async def outlet(producer: FakeProducer) -> AsyncIterator[Outlet]:
    outlet = Outlet(within_s=0.05, bootstrap_servers="nowhere:1")
    await outlet.start()
    yield outlet
    await outlet.stop()


async def failure(outlet: Outlet) -> DeliveryFailed:
    """How a delivery fails, while queueing or after."""
    with pytest.raises(DeliveryFailed) as caught:
        await (await outlet.send([RECORD]))
    return caught.value


async def test_the_producer_is_idempotent_unless_told_otherwise(producer: FakeProducer) -> None:
    await Outlet(bootstrap_servers="a:1", linger_ms=7).start()
    assert producer.options["enable_idempotence"]
    assert (producer.options["acks"], producer.options["linger_ms"]) == ("all", 7)
    assert producer.options["bootstrap_servers"] == "a:1"


async def test_a_delivery_is_done_when_everything_is_acknowledged(
    outlet: Outlet, producer: FakeProducer
) -> None:
    await (await outlet.send([RECORD, RECORD]))
    assert producer.queued == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MessageSizeTooLargeError(), "message_too_large"),
        (ProducerFenced(), "fenced"),
        (TopicAuthorizationFailedError("out"), "unauthorized"),
    ],
)
async def test_what_cannot_pass_fails_at_once_and_by_name(
    outlet: Outlet, producer: FakeProducer, error: Exception, kind: str
) -> None:
    producer.outcome = error
    failed = await failure(outlet)
    assert (failed.kind, failed.within_s) == (kind, None)
    assert failed.__cause__ is error
    producer.full = iter([error])
    assert (await failure(outlet)).kind == kind


async def test_what_a_client_gives_up_on_too_early_is_waited_for(
    outlet: Outlet, producer: FakeProducer
) -> None:
    """It calls a topic unknown, or a queue full, also while no broker answers."""
    producer.unknown = iter([UnknownTopicOrPartitionError(), UnknownTopicOrPartitionError()])
    producer.full = iter([UnknownTopicOrPartitionError(), KafkaTimeoutError()])
    await (await outlet.send([RECORD]))
    assert producer.queued == 1


async def test_a_topic_that_is_gone_is_named_although_the_client_speaks_of_its_leader(
    outlet: Outlet, producer: FakeProducer
) -> None:
    producer.outcome = NotLeaderForPartitionError()
    assert (await failure(outlet)).kind == "leader_change"  # nothing else is seen
    producer.client.topics = {}
    failed = await failure(outlet)
    assert failed.kind == "stale_metadata"
    assert str(failed).endswith("(topic out)")


async def test_no_acknowledgement_in_time_is_put_down_to_what_stands_in_the_way(
    outlet: Outlet, producer: FakeProducer
) -> None:
    producer.outcome = None
    failed = await failure(outlet)
    assert (failed.kind, failed.within_s) == ("not_acknowledged", 0.05)

    producer.client.topics = {"out": ({0}, {1})}
    failed = await failure(outlet)
    assert failed.kind == "leader_change"
    assert str(failed).endswith("(topic out, partition 1)")
    producer.client.topics = {}
    failed = await failure(outlet)
    assert failed.kind == "stale_metadata"
    assert str(failed).endswith("is it there? (topic out)")
    producer.client.unauthorized_topics = {"out"}
    assert (await failure(outlet)).kind == "unauthorized"
    producer.client.answering = False
    assert (await failure(outlet)).kind == "broker_gone"


@pytest.mark.parametrize(
    ("topics", "answering", "kind"),
    [
        ({"out": ({0, 1}, set())}, True, "buffer_full"),
        ({}, True, "stale_metadata"),
        ({}, False, "broker_gone"),
    ],
)
async def test_no_room_in_time_is_put_down_to_what_stands_in_the_way(
    outlet: Outlet,
    producer: FakeProducer,
    topics: dict[str, tuple[set[int], set[int]]],
    answering: bool,
    kind: str,
) -> None:
    producer.full = repeat(KafkaTimeoutError())
    producer.client.topics, producer.client.answering = topics, answering
    failed = await failure(outlet)
    assert (failed.kind, failed.within_s) == (kind, 0.05)
    assert producer.queued == 0


async def test_a_topic_that_nobody_knows_is_not_asked_for_without_end(
    outlet: Outlet, producer: FakeProducer
) -> None:
    producer.unknown = repeat(UnknownTopicOrPartitionError())
    producer.client.topics = {}
    assert (await failure(outlet)).kind == "stale_metadata"


async def test_whether_a_broker_answers(outlet: Outlet, producer: FakeProducer) -> None:
    assert await outlet.answers(within_s=1.0)
    producer.client.answering = False
    assert not await outlet.answers(within_s=1.0)


async def test_a_client_that_cannot_stop_is_closed_over_what_it_holds(
    outlet: Outlet, producer: FakeProducer
) -> None:
    producer.hangs = True
    await outlet.stop()
    assert not producer.stopped
    assert producer.client.closed


async def test_a_start_that_fails_says_why_even_if_the_client_cannot_stop(
    producer: FakeProducer,
) -> None:
    producer.refuses_start = KafkaConnectionError("refused")
    producer.hangs = True
    with pytest.raises(KafkaConnectionError, match="refused"):
        await Outlet(bootstrap_servers="nowhere:1").start()


async def test_a_start_that_takes_too_long_fails_by_name(producer: FakeProducer) -> None:
    producer.hangs = True
    with pytest.raises(DeliveryFailed) as caught:
        await Outlet(within_s=0.05, bootstrap_servers="nowhere:1").start()
    assert (caught.value.kind, caught.value.within_s) == ("broker_gone", 0.05)
    assert producer.client.closed


async def test_an_outlet_that_has_not_started_sends_nothing() -> None:
    outlet = Outlet(bootstrap_servers="nowhere:1")
    with pytest.raises(RuntimeError, match="has not started"):
        await outlet.send([RECORD])
    await outlet.stop()
