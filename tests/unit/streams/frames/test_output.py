"""Outputs go out in batches, in order, each to the partition of its key."""

import asyncio
import gc
import random
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError, ProducerFenced
from aiokafka.partitioner import DefaultPartitioner

from streams.frames import OutputRecord, send_in_batches
from streams.frames.output import _hash_short

PARTITIONS = {2, 0, 1}


@dataclass
class FakeBatch:
    """Room for three records."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def append(self, **record: Any) -> object | None:
        if len(self.records) == 3:
            return None
        self.records.append(record)
        return object()


@dataclass
class FakeProducer:
    """Keeps the batches it is given; acknowledges when told to.

    refusals: what the next batches are met with, before one is taken.
    """

    sent: list[tuple[str, int, FakeBatch]] = field(default_factory=list)
    acknowledgements: list["asyncio.Future[object]"] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)

    @property
    def values(self) -> list[list[bytes]]:
        return [[record["value"] for record in batch.records] for _, _, batch in self.sent]

    async def partitions_for(self, topic: str) -> set[int]:
        return PARTITIONS

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]:
        await asyncio.sleep(0)
        if self.refusals:
            raise self.refusals.pop(0)
        self.sent.append((topic, partition, batch))
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]


def output(key: bytes | None, value: bytes, topic: str = "out") -> OutputRecord:
    return OutputRecord(topic=topic, key=key, value=value)


async def test_records_of_a_partition_share_a_batch_until_it_is_full_and_keep_their_order() -> None:
    producer = FakeProducer()
    await send_in_batches(producer, [output(b"k", str(n).encode()) for n in range(7)])
    assert producer.values == [[b"0", b"1", b"2"], [b"3", b"4", b"5"], [b"6"]]


async def test_each_key_goes_where_the_client_would_send_it() -> None:
    producer = FakeProducer()
    keys = [f"dialogue-{n}".encode() for n in range(50)] + [b"%d" % n * 128 for n in range(20)]
    await send_in_batches(producer, [output(key, b"v") for key in keys])
    chosen = {r["key"]: partition for _, partition, batch in producer.sent for r in batch.records}
    client = DefaultPartitioner()
    assert chosen == {key: client(key, sorted(PARTITIONS), sorted(PARTITIONS)) for key in keys}
    assert set(chosen.values()) == PARTITIONS


async def test_long_keys_are_not_kept_in_memory() -> None:
    """A key may be as long as a record: as many as are remembered would fill gigabytes."""
    _hash_short.cache_clear()
    producer = FakeProducer()
    await send_in_batches(producer, [output(b"k" * size, b"v") for size in (1, 128, 129, 16_384)])
    assert _hash_short.cache_info().currsize == 2


async def test_topics_are_kept_apart_and_headers_and_timestamps_are_carried() -> None:
    producer = FakeProducer()
    rich = OutputRecord(topic="a", key=b"k", value=None, headers=(("h", b"1"),), timestamp_ms=1234)
    await send_in_batches(producer, [rich, output(None, b"v", topic="b")])
    (first, _, batch), (second, partition, _) = producer.sent
    assert (first, second) == ("a", "b")
    assert partition in PARTITIONS
    assert batch.records == [
        {"key": b"k", "value": None, "timestamp": 1234, "headers": [("h", b"1")]}
    ]


async def test_delivery_is_done_when_every_batch_is_acknowledged() -> None:
    producer = FakeProducer()
    delivery = await send_in_batches(producer, [output(b"k", b"v") for _ in range(4)])
    first, second = producer.acknowledgements
    first.set_result(None)
    done, waiting = await asyncio.wait({asyncio.ensure_future(delivery)}, timeout=0)
    assert not done
    second.set_result(None)
    await waiting.pop()


async def test_one_batch_that_is_refused_fails_the_delivery() -> None:
    producer = FakeProducer()
    delivery = await send_in_batches(producer, [output(b"k", b"v") for _ in range(4)])
    for acknowledgement in producer.acknowledgements:
        acknowledgement.set_exception(ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        await delivery


async def test_records_of_one_call_without_a_key_go_to_one_partition() -> None:
    random.seed(4)
    producer = FakeProducer()
    for _ in range(20):
        already = len(producer.sent)
        await send_in_batches(producer, [output(None, b"%d" % n) for n in range(9)])
        assert len({partition for _, partition, _ in producer.sent[already:]}) == 1
        assert len(producer.sent) == already + 3
    assert {partition for _, partition, _ in producer.sent} == PARTITIONS


async def test_a_full_queue_is_waited_for_and_nothing_is_sent_twice() -> None:
    producer = FakeProducer(refusals=[KafkaTimeoutError(), KafkaTimeoutError()])
    delivery = await send_in_batches(producer, [output(b"k", b"%d" % n) for n in range(7)])
    assert producer.values == [[b"0", b"1", b"2"], [b"3", b"4", b"5"], [b"6"]]
    for acknowledgement in producer.acknowledgements:
        acknowledgement.set_result(None)
    await delivery


async def test_whoever_gives_up_waiting_for_a_full_queue_sends_no_more() -> None:
    producer = FakeProducer(refusals=[KafkaTimeoutError()] * 1000)
    sending = asyncio.create_task(send_in_batches(producer, [output(b"k", b"v")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert producer.sent == []
    assert producer.refusals


async def test_when_queueing_fails_midway_no_failure_of_what_was_queued_goes_unheard() -> None:
    """Asyncio would complain of futures whose exception nobody looked at."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    producer = FakeProducer()
    taken = producer.send_batch

    async def take_two(batch: Any, topic: str, *, partition: int) -> Awaitable[object]:
        if len(producer.sent) == 2:
            raise ProducerFenced
        return await taken(batch, topic, partition=partition)

    producer.send_batch = take_two  # type: ignore[method-assign]
    with pytest.raises(ProducerFenced):
        await send_in_batches(producer, [output(b"k", b"v") for _ in range(7)])
    for acknowledgement in producer.acknowledgements:
        acknowledgement.set_exception(ProducerFenced())
    await asyncio.sleep(0)
    producer.acknowledgements.clear()
    del acknowledgement
    gc.collect()
    assert complaints == []


async def test_nothing_to_send_is_delivered_at_once() -> None:
    await (await send_in_batches(FakeProducer(), []))
