"""Records sent in batches stand in a real topic as any client would have put them there."""

import random
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import confluent_kafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.frames import OutputRecord, send_in_batches
from streams.local_broker import LocalBroker

pytestmark = pytest.mark.kafka

PARTITIONS = 7


@pytest.fixture
async def topic(kafka: LocalBroker) -> str:
    name = f"out-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    finally:
        await admin.close()
    assert answer.topic_errors[0][1] == 0
    return name


@pytest.fixture
async def producer(kafka: LocalBroker) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, enable_idempotence=True
    ) as producer:
        yield producer


async def read(bootstrap: str, topic: str) -> list[ConsumerRecord[Any, Any]]:
    """Everything that stands in the topic, partition by partition."""
    found: list[ConsumerRecord[Any, Any]] = []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        tps = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        for tp, end in (await consumer.end_offsets(tps)).items():
            while await consumer.position(tp) < end:
                found += (await consumer.getmany(tp, timeout_ms=500)).get(tp, [])
    return found


async def send(producer: AIOKafkaProducer, records: Sequence[OutputRecord]) -> None:
    await (await send_in_batches(producer, records))


async def test_headers_timestamps_and_tombstones_arrive_as_they_were_given(
    kafka: LocalBroker, producer: AIOKafkaProducer, topic: str
) -> None:
    headers = (("trace", b"\x00\xff"), ("trace", b"again"), ("empty", b""))
    given = [
        OutputRecord(topic=topic, key=b"k", value=b"1", headers=headers, timestamp_ms=1_000),
        OutputRecord(topic=topic, key=b"k", value=None, timestamp_ms=999),
        OutputRecord(topic=topic, key=b"k", value=b"", headers=(("last", b"1"),), timestamp_ms=0),
    ]
    await send(producer, given)
    found = await read(kafka.bootstrap, topic)
    assert [
        OutputRecord(
            topic=record.topic,
            key=record.key,
            value=record.value,
            headers=record.headers,
            timestamp_ms=record.timestamp,
        )
        for record in found
    ] == given


async def test_a_record_without_a_timestamp_takes_the_present_time(
    kafka: LocalBroker, producer: AIOKafkaProducer, topic: str
) -> None:
    before_ms = int(time.time() * 1000)
    await send(producer, [OutputRecord(topic=topic, key=b"k", value=b"1")])
    after_ms = int(time.time() * 1000)
    (record,) = await read(kafka.bootstrap, topic)
    assert before_ms <= record.timestamp <= after_ms


async def test_records_without_a_key_all_arrive_on_whatever_partition(
    kafka: LocalBroker, producer: AIOKafkaProducer, topic: str
) -> None:
    values = [b"%d" % number for number in range(100)]
    await send(producer, [OutputRecord(topic=topic, key=None, value=value) for value in values])
    found = await read(kafka.bootstrap, topic)
    assert {record.key for record in found} == {None}
    assert sorted(record.value for record in found) == sorted(values)


async def test_a_key_s_partition_is_the_one_that_aiokafka_and_librdkafka_choose(
    kafka: LocalBroker, producer: AIOKafkaProducer, topic: str
) -> None:
    dice = random.Random(4)
    keys = [dice.randbytes(length) for length in range(1, 201)]
    await send(producer, [OutputRecord(topic=topic, key=key, value=b"ours") for key in keys])
    for key in keys:
        await producer.send(topic, key=key, value=b"aiokafka")
    await producer.flush()
    other = confluent_kafka.Producer(
        {"bootstrap.servers": kafka.bootstrap, "partitioner": "murmur2_random"}
    )
    for key in keys:
        other.produce(topic, key=key, value=b"librdkafka")
    assert other.flush(30) == 0
    chosen: dict[bytes, dict[bytes, int]] = {b"ours": {}, b"aiokafka": {}, b"librdkafka": {}}
    for record in await read(kafka.bootstrap, topic):
        chosen[record.value][record.key] = record.partition
    assert len(chosen[b"ours"]) == len(keys)
    assert chosen[b"ours"] == chosen[b"aiokafka"] == chosen[b"librdkafka"]
