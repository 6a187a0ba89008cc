"""Records to be sent, a batch a partition: what makes producing as cheap as framed consuming."""

import asyncio
import random
from collections.abc import Awaitable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import murmur2


class OutputRecord(NamedTuple):
    """A record to be sent; key and value may not both be None.

    timestamp_ms: None takes the present time.

    A tuple, since one is made for every record and a frozen dataclass takes twice as long. A plain
    one of the same five does as well, and takes a quarter.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None


# An `OutputRecord`, or the plain tuple that it is.
RecordTuple: TypeAlias = tuple[
    str, bytes | None, bytes | None, Sequence[tuple[str, bytes]], int | None
]


class BatchProducer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    async def partitions_for(self, topic: str) -> set[int]: ...

    def create_batch(self) -> Any: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]: ...


async def send_in_batches(
    producer: BatchProducer, records: Iterable[RecordTuple]
) -> Awaitable[object]:
    """Queue records in order, one batch after the other for each partition.

    The partition of a record is that of its key, as the Java client and aiokafka choose it;
    records without a key go to any. A record larger than a batch makes a batch of its own, and
    what is larger than the topic allows fails its delivery. While the queue of a partition is
    full, this waits.

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
    sent: list[Awaitable[object]] = []
    try:
        await _queue_all(producer, records, sent)
    except BaseException:
        # What is queued goes out all the same, and nobody is left to ask what became of it.
        asyncio.gather(*sent, return_exceptions=True)
        raise
    return asyncio.gather(*sent)


async def _queue_all(
    producer: BatchProducer, records: Iterable[RecordTuple], sent: list[Awaitable[object]]
) -> None:
    """Queue all records; `sent` takes what becomes of each batch."""
    topics: dict[str, _Open] = {}
    # Half of a worker's time beside its decisions goes by here, record by record: hence no calls
    # that can be spared.
    for topic, key, value, headers, timestamp_ms in records:
        known = topics.get(topic)
        if known is None:
            known = topics[topic] = _Open(await producer.partitions_for(topic))
        listed = list(headers) if headers else None
        if key is None:
            place = known.any
        else:
            place = (_hash_short if len(key) <= _SHORT_KEY_BYTES else _hash)(key) % known.count
        batch = known.batches[place]
        if batch is not None:
            # None says that the batch is full.
            if batch.append(timestamp=timestamp_ms, key=key, value=value, headers=listed):
                continue
            sent.append(await _queue(producer, batch, topic, known.partitions[place]))
        known.batches[place] = batch = producer.create_batch()
        batch.append(timestamp=timestamp_ms, key=key, value=value, headers=listed)
    for topic, known in topics.items():
        for partition, batch in zip(known.partitions, known.batches, strict=True):
            if batch is not None:
                sent.append(await _queue(producer, batch, topic, partition))


async def _queue(
    producer: BatchProducer, batch: Any, topic: str, partition: int
) -> Awaitable[object]:
    """Queue a batch, however long earlier ones are in the way; the caller bounds the time.

    Giving up here and starting over would send what is queued of these records again.
    """
    while True:
        try:
            return await producer.send_batch(batch, topic, partition=partition)
        except KafkaTimeoutError:  # the client's own patience; ours is the caller's
            continue


class _Open:
    """A topic while one sequence of records is being sent: its partitions, an open batch in each.

    any: position of the partition for all that have no key; they make one batch, not one in every
        partition.
    """

    __slots__ = ("any", "batches", "count", "partitions")

    def __init__(self, partitions: Iterable[int]) -> None:
        self.partitions = sorted(partitions)
        self.count = len(self.partitions)
        self.batches: list[Any] = [None] * self.count
        self.any = random.randrange(self.count)  # noqa: S311  spreads load, keeps no secret


def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


# Aiokafka's murmur2 is plain Python and dear; keys come again and again. At most about 12 MB: an
# entry takes some 200 bytes beside its key.
_SHORT_KEY_BYTES = 128
_hash_short = lru_cache(maxsize=32_768)(_hash)
