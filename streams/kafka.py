"""Kafka from the outside: is it there, its topics, reading a topic from end to end."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    for_code,
)

from streams.cluster import Cluster
from streams.connecting import why_unreachable
from streams.errors import TopicMissing
from streams.limits import LIMITS
from streams.records import Record, headers_of
from streams.topics import TOPICS, topic_name

_LINGER_MS = 2  # records come singly here
_TOPIC_EXISTS = 36  # Kafka's error code TOPIC_ALREADY_EXISTS
# The largest record with its framing; a fetch always returns at least one whole record.
_LARGEST_BYTES = LIMITS.release_bytes + LIMITS.envelope_bytes + LIMITS.record_overhead_bytes


def producer_options(cluster: Cluster) -> dict[str, Any]:
    """What our topics ask of a producer, beside the guarantees of `PRODUCER_OPTIONS`.

    A batch must fit the smallest topic, as `max.message.bytes` bounds the whole batch and the
    client never splits one; a single larger record makes a batch of its own.
    """
    return {
        **cluster.client_options(),
        "max_batch_size": LIMITS.tag_bytes,
        "max_request_size": _LARGEST_BYTES,
    }


@asynccontextmanager
async def open_producer(cluster: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer, stopped at the end.

    Raises:
        BrokerUnreachable, AuthenticationFailed: nobody answers, or not to us.
    """
    # Here, since it takes Faust along, and most commands read only.
    from streams.frames import PRODUCER_OPTIONS

    options = {**PRODUCER_OPTIONS, **producer_options(cluster), "linger_ms": _LINGER_MS}
    producer = AIOKafkaProducer(**options)
    try:
        await producer.start()
    except KafkaConnectionError as error:
        await producer.stop()
        raise await why_unreachable(cluster) from error
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def open_reader(cluster: Cluster) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer of no group, which commits nothing and disturbs nobody.

    Raises:
        BrokerUnreachable, AuthenticationFailed: nobody answers, or not to us.
    """
    consumer = AIOKafkaConsumer(
        **cluster.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
    except KafkaConnectionError as error:
        await consumer.stop()
        raise await why_unreachable(cluster) from error
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def open_admin(cluster: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client.

    Raises:
        BrokerUnreachable, AuthenticationFailed: nobody answers, or not to us.
    """
    admin = AIOKafkaAdminClient(**cluster.client_options())
    try:
        await admin.start()
    except KafkaConnectionError as error:
        await admin.close()
        raise await why_unreachable(cluster) from error
    try:
        yield admin
    finally:
        await admin.close()


async def create_topics(
    cluster: Cluster, *, prefix: str, partitions: int, replication: int = 1
) -> tuple[str, ...]:
    """Make the topics of `topics.py` that do not exist yet.

    Returns:
        The names of those made now.

    Raises:
        BrokerUnreachable, AuthenticationFailed: nobody answers, or not to us.
        KafkaError: the cluster refuses one, by name.
    """
    wanted = [
        NewTopic(
            name=topic_name(kind, prefix=prefix),
            num_partitions=topic.partitions or partitions,
            replication_factor=replication,
            topic_configs=dict(topic.config),
        )
        for kind, topic in TOPICS.items()
    ]
    async with open_admin(cluster) as admin:
        answer = await admin.create_topics(wanted)
    made = []
    for name, code, *message in answer.topic_errors:
        if code == 0:
            made.append(name)
        elif code != _TOPIC_EXISTS:
            raise for_code(code)(f"topic {name}: {message[0] if message else ''}")
    return tuple(made)


async def topic_partitions(cluster: Cluster, names: Iterable[str]) -> dict[str, int]:
    """Topic → number of partitions, for those that exist."""
    async with open_admin(cluster) as admin:
        described = await admin.describe_topics(list(names))
    return {
        topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0
    }


async def read_topic(
    cluster: Cluster, topic: str, *, from_ms: int | None = None
) -> AsyncGenerator[Record, None]:
    """Every record of a topic up to its end as it is now; the order holds in each partition.

    Args:
        cluster: how to reach it.
        topic: its full name, prefix included.
        from_ms: start at the first record of this Kafka timestamp or later.
    """
    async with open_reader(cluster) as consumer:
        partitions = await assign_all(consumer, topic, cluster=cluster)
        ends = await consumer.end_offsets(partitions)
        await _seek(consumer, partitions, from_ms)
        left = {tp for tp in partitions if await consumer.position(tp) < ends[tp]}
        while left:
            batches = await consumer.getmany(timeout_ms=500)
            for tp, records in batches.items():
                for record in records:
                    if record.offset < ends[tp]:
                        yield to_record(record)
            # Positions, not counts: compaction and transactions leave holes.
            left = {tp for tp in left if await consumer.position(tp) < ends[tp]}


async def follow_topic(
    cluster: Cluster, topic: str, *, from_ms: int | None = None
) -> AsyncGenerator[Record, None]:
    """Every record that arrives from now on, or since a moment; never ends by itself.

    Args:
        cluster: how to reach it.
        topic: its full name, prefix included.
        from_ms: start at the first record of this Kafka timestamp or later; None starts now.
    """
    async with open_reader(cluster) as consumer:
        partitions = await assign_all(consumer, topic, cluster=cluster)
        if from_ms is None:
            await consumer.seek_to_end(*partitions)
        else:
            await _seek(consumer, partitions, from_ms)
        while True:
            batches = await consumer.getmany(timeout_ms=500)
            for records in batches.values():
                for record in records:
                    yield to_record(record)


async def assign_all(
    consumer: AIOKafkaConsumer, topic: str, *, cluster: Cluster
) -> list[TopicPartition]:
    """Assign every partition of a topic to a consumer of no group.

    Raises:
        TopicMissing: it does not exist.
    """
    count = (await topic_partitions(cluster, [topic])).get(topic)
    if count is None:
        raise TopicMissing(f"no topic {topic} at {cluster.bootstrap}: run `kdsl topics create`")
    partitions = [TopicPartition(topic, number) for number in range(count)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    return partitions


async def _seek(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], from_ms: int | None
) -> None:
    if from_ms is None:
        return
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, from_ms))
    ends = await consumer.end_offsets(partitions)
    for tp in partitions:
        first = found.get(tp)
        consumer.seek(tp, first.offset if first is not None else ends[tp])


def to_record(record: ConsumerRecord[bytes | None, bytes | None]) -> Record:
    """Aiokafka's record as ours."""
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=max(0, record.timestamp or 0),
        key=record.key,
        value=record.value,
        headers=headers_of(record.headers),
    )


async def group_lag(cluster: Cluster, group: str, topic: str) -> int:
    """How many records of a topic a consumer group has not committed."""
    async with open_admin(cluster) as admin, open_reader(cluster) as consumer:
        try:
            committed = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            committed = {}  # a cluster on which no group ever was has no coordinator yet
        partitions = await assign_all(consumer, topic, cluster=cluster)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    positions = {tp: committed[tp].offset for tp in partitions if tp in committed}
    return sum(ends[tp] - max(begins[tp], positions.get(tp, 0)) for tp in partitions)
