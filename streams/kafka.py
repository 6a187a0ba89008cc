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

from streams.errors import BrokerUnreachable, TopicMissing
from streams.limits import LIMITS
from streams.records import Record, headers_of
from streams.topics import TOPICS, Kind, topic_name

_TOPIC_EXISTS = 36  # Kafka's error code TOPIC_ALREADY_EXISTS
# The largest record with its framing; a fetch always returns at least one whole record.
_LARGEST_BYTES = LIMITS.release_bytes + LIMITS.envelope_bytes + LIMITS.record_overhead_bytes


def producer_options(bootstrap: str) -> dict[str, Any]:
    """A producer that loses and reorders nothing: what it has taken waits out an outage.

    A batch must fit the smallest topic, as `max.message.bytes` bounds the whole batch and the
    client never splits one; a single larger record makes a batch of its own.
    """
    return {
        "bootstrap_servers": bootstrap,
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 2,
        "max_batch_size": LIMITS.tag_bytes,
        "max_request_size": _LARGEST_BYTES,
        "retry_backoff_ms": 500,
    }


def _unreachable(bootstrap: str) -> BrokerUnreachable:
    return BrokerUnreachable(
        f"no Kafka answers at {bootstrap}: start one with `kdsl broker`, "
        "or name yours with --bootstrap (KDSL_BOOTSTRAP)"
    )


@asynccontextmanager
async def open_producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer, stopped at the end.

    Raises:
        BrokerUnreachable: nobody answers.
    """
    producer = AIOKafkaProducer(**producer_options(bootstrap))
    try:
        await producer.start()
    except KafkaConnectionError as error:
        await producer.stop()
        raise _unreachable(bootstrap) from error
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def open_reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer of no group, which commits nothing and disturbs nobody.

    Raises:
        BrokerUnreachable: nobody answers.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
    except KafkaConnectionError as error:
        await consumer.stop()
        raise _unreachable(bootstrap) from error
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def open_admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client.

    Raises:
        BrokerUnreachable: nobody answers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
    except KafkaConnectionError as error:
        await admin.close()
        raise _unreachable(bootstrap) from error
    try:
        yield admin
    finally:
        await admin.close()


async def create_topics(
    bootstrap: str, *, prefix: str, partitions: int, replication: int = 1
) -> tuple[str, ...]:
    """Make the topics of `topics.py` that do not exist yet.

    Returns:
        The names of those made now.

    Raises:
        BrokerUnreachable: nobody answers.
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
    async with open_admin(bootstrap) as admin:
        answer = await admin.create_topics(wanted)
    made = []
    for name, code, *message in answer.topic_errors:
        if code == 0:
            made.append(name)
        elif code != _TOPIC_EXISTS:
            raise for_code(code)(f"topic {name}: {message[0] if message else ''}")
    return tuple(made)


async def topic_partitions(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """Topic → number of partitions, for those that exist."""
    async with open_admin(bootstrap) as admin:
        described = await admin.describe_topics(list(names))
    return {
        topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0
    }


async def check_topics(bootstrap: str, *, prefix: str, kinds: Sequence[Kind]) -> None:
    """Refuse to start on a cluster without our topics.

    Raises:
        BrokerUnreachable: nobody answers.
        TopicMissing: a topic does not exist.
    """
    names = [topic_name(kind, prefix=prefix) for kind in kinds]
    there = await topic_partitions(bootstrap, names)
    for kind, name in zip(kinds, names, strict=True):
        fixed = TOPICS[kind].partitions
        if fixed is not None and there.get(name, fixed) != fixed:
            raise TopicMissing(
                f"topic {name} at {bootstrap} has {there[name]} partitions and must have {fixed}: "
                "delete it and run `kdsl topics create`"
            )
    missing = [name for name in names if name not in there]
    if missing:
        with_prefix = f" --prefix {prefix}" if prefix else ""
        raise TopicMissing(
            f"no topic {', '.join(missing)} at {bootstrap}: "
            f"make them with `kdsl topics create --bootstrap {bootstrap}{with_prefix}`"
        )


async def read_topic(
    bootstrap: str, topic: str, *, from_ms: int | None = None
) -> AsyncGenerator[Record, None]:
    """Every record of a topic up to its end as it is now; the order holds in each partition.

    Args:
        bootstrap: the cluster.
        topic: its full name, prefix included.
        from_ms: start at the first record of this Kafka timestamp or later.
    """
    async with open_reader(bootstrap) as consumer:
        partitions = await assign_all(consumer, topic, bootstrap=bootstrap)
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
    bootstrap: str, topic: str, *, from_ms: int | None = None
) -> AsyncGenerator[Record, None]:
    """Every record that arrives from now on, or since a moment; never ends by itself.

    Args:
        bootstrap: the cluster.
        topic: its full name, prefix included.
        from_ms: start at the first record of this Kafka timestamp or later; None starts now.
    """
    async with open_reader(bootstrap) as consumer:
        partitions = await assign_all(consumer, topic, bootstrap=bootstrap)
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
    consumer: AIOKafkaConsumer, topic: str, *, bootstrap: str
) -> list[TopicPartition]:
    """Assign every partition of a topic to a consumer of no group.

    Raises:
        TopicMissing: it does not exist.
    """
    count = (await topic_partitions(bootstrap, [topic])).get(topic)
    if count is None:
        raise TopicMissing(f"no topic {topic} at {bootstrap}: run `kdsl topics create`")
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
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers=headers_of(record.headers),
    )


async def group_lag(bootstrap: str, group: str, topic: str) -> int:
    """How many records of a topic a consumer group has not committed."""
    async with open_admin(bootstrap) as admin, open_reader(bootstrap) as consumer:
        try:
            committed = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            committed = {}  # a cluster on which no group ever was has no coordinator yet
        partitions = await assign_all(consumer, topic, bootstrap=bootstrap)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    positions = {tp: committed[tp].offset for tp in partitions if tp in committed}
    return sum(ends[tp] - max(begins[tp], positions.get(tp, 0)) for tp in partitions)
