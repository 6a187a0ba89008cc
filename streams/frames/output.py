"""Records to be sent, a batch a partition: what makes producing as cheap as framed consuming."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from aiokafka.partitioner import DefaultPartitioner, murmur2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRecord:
    """A record to be sent; key and value may not both be None.

    timestamp_ms: None takes the present time.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None


class BatchProducer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    async def partitions_for(self, topic: str) -> set[int]: ...

    def create_batch(self) -> Any: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]: ...


async def send_in_batches(
    producer: BatchProducer, records: Sequence[OutputRecord]
) -> Awaitable[object]:
    """Queue records in order, one batch after the other for each partition.

    The partition of a record is that of its key, as the Java client and aiokafka choose it;
    records without a key go to any. A record larger than a batch makes a batch of its own, and
    what is larger than the topic allows fails its delivery.

    Args:
        producer: started; idempotent, so that a retry neither doubles nor reorders.
        records: the order of one key is kept.

    Returns:
        To be awaited: done when the broker has acknowledged every record. Queueing the next
        records need not wait for it.

    Raises:
        KafkaError: from queueing or, later, from what is returned; some records may then stand in
            the topic all the same.
    """
    batches: dict[tuple[str, int], Any] = {}
    sent: list[Awaitable[object]] = []
    for record in records:
        place = (record.topic, await _partition(producer, record))
        batch = batches.get(place)
        if batch is None or not _append(batch, record):
            if batch is not None:
                sent.append(await producer.send_batch(batch, place[0], partition=place[1]))
            batches[place] = batch = producer.create_batch()
            _append(batch, record)
    for (topic, partition), batch in batches.items():
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    return asyncio.gather(*sent)


def _append(batch: Any, record: OutputRecord) -> bool:
    """Whether the batch had room for the record; an empty one always has."""
    appended = batch.append(
        key=record.key,
        value=record.value,
        timestamp=record.timestamp_ms,
        headers=list(record.headers),
    )
    return appended is not None


_choose_any = DefaultPartitioner()


async def _partition(producer: BatchProducer, record: OutputRecord) -> int:
    partitions = sorted(await producer.partitions_for(record.topic))
    if record.key is None:
        chosen: int = _choose_any(None, partitions, partitions)
        return chosen
    return partitions[_hash(record.key) % len(partitions)]


@lru_cache(maxsize=100_000)
def _hash(key: bytes) -> int:
    """Aiokafka's murmur2 is plain Python and dear; keys come again and again."""
    return int(murmur2(key)) & 0x7FFFFFFF
