"""Outputs go out in batches, in order, each to the partition of its key."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner

from streams.frames import OutputRecord, send_in_batches

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
    """Keeps the batches it is given; acknowledges when told to."""

    sent: list[tuple[str, int, FakeBatch]] = field(default_factory=list)
    acknowledgements: list["asyncio.Future[object]"] = field(default_factory=list)

    async def partitions_for(self, topic: str) -> set[int]:
        return PARTITIONS

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]:
        self.sent.append((topic, partition, batch))
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]


def output(key: bytes | None, value: bytes, topic: str = "out") -> OutputRecord:
    return OutputRecord(topic=topic, key=key, value=value)


async def test_records_of_a_partition_share_a_batch_until_it_is_full_and_keep_their_order() -> None:
    producer = FakeProducer()
    await send_in_batches(producer, [output(b"k", str(n).encode()) for n in range(7)])
    values = [[record["value"] for record in batch.records] for _, _, batch in producer.sent]
    assert values == [[b"0", b"1", b"2"], [b"3", b"4", b"5"], [b"6"]]


async def test_each_key_goes_where_the_client_would_send_it() -> None:
    producer = FakeProducer()
    keys = [f"dialogue-{n}".encode() for n in range(50)]
    await send_in_batches(producer, [output(key, b"v") for key in keys])
    chosen = {r["key"]: partition for _, partition, batch in producer.sent for r in batch.records}
    client = DefaultPartitioner()
    assert chosen == {key: client(key, sorted(PARTITIONS), sorted(PARTITIONS)) for key in keys}
    assert set(chosen.values()) == PARTITIONS


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


async def test_nothing_to_send_is_delivered_at_once() -> None:
    await (await send_in_batches(FakeProducer(), []))
