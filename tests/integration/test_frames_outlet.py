"""Deliveries to a real Kafka end: acknowledged once each, or failed by name within their bound."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from streams.frames import DeliveryFailed, FailureKind, Outlet, OutputRecord
from streams.local_broker import LocalBroker
from tests.secure_broker import SecureBroker

pytestmark = pytest.mark.kafka

# Bounds of the outlets that are to fail, and of those that are to live through an outage.
SHORT_S, LONG_S = 2.0, 120.0


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A real Kafka of our own, to be killed."""
    with LocalBroker(tmp_path_factory.mktemp("frail-kafka")) as broker:
        yield broker


@asynccontextmanager
async def admin(options: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**options)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def make_topic(options: Mapping[str, Any], **config: str) -> str:
    """A new topic of one partition."""
    name = f"t{uuid.uuid4().hex[:8]}"
    configs = {key.replace("_", "."): value for key, value in config.items()}
    async with admin(options) as client:
        answer = await client.create_topics([NewTopic(name, 1, 1, topic_configs=configs)])
    assert answer.topic_errors[0][1] == 0, for_code(answer.topic_errors[0][1])
    return name


def reached(broker: LocalBroker) -> dict[str, Any]:
    return {"bootstrap_servers": broker.bootstrap}


@asynccontextmanager
async def opened(options: Mapping[str, Any], *, within_s: float) -> AsyncIterator[Outlet]:
    outlet = Outlet(within_s=within_s, **options)
    await outlet.start()
    try:
        yield outlet
    finally:
        await outlet.stop()


def records(topic: str, *values: bytes) -> list[OutputRecord]:
    return [OutputRecord(topic=topic, key=b"k", value=value) for value in values]


async def deliver(outlet: Outlet, topic: str, *values: bytes) -> None:
    await (await outlet.send(records(topic, *values)))


async def failure(outlet: Outlet, topic: str, *values: bytes) -> FailureKind:
    """The name of what becomes of values that cannot be delivered; silence fails the test."""
    with pytest.raises(DeliveryFailed) as caught:
        await asyncio.wait_for(deliver(outlet, topic, *(values or (b"v",))), timeout=60)
    return caught.value.kind


async def read(options: Mapping[str, Any], topic: str) -> Sequence[bytes]:
    """Every value in the topic's only partition."""
    tp = TopicPartition(topic, 0)
    found: list[bytes] = []
    async with AIOKafkaConsumer(**options, enable_auto_commit=False) as consumer:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            batches = await consumer.getmany(tp, timeout_ms=500)
            found += [record.value for record in batches.get(tp, [])]
    return found


async def test_a_broker_that_is_gone_is_named_whether_its_topics_are_known_or_not(
    frail: LocalBroker,
) -> None:
    options = reached(frail)
    known, unknown = await make_topic(options), await make_topic(options)
    async with opened(options, within_s=SHORT_S) as outlet:
        await deliver(outlet, known, b"before")
        assert await outlet.answers(within_s=10)
        await asyncio.to_thread(frail.kill)
        try:
            one, other = await asyncio.gather(failure(outlet, known), failure(outlet, unknown))
            assert one == other == "broker_gone"
            assert not await outlet.answers(within_s=SHORT_S)
        finally:
            await asyncio.to_thread(frail.start)
    assert (await read(options, known))[:1] == [b"before"]


async def test_an_outlet_stops_although_its_broker_is_gone(frail: LocalBroker) -> None:
    topic = await make_topic(reached(frail))
    async with opened(reached(frail), within_s=LONG_S) as outlet:
        await deliver(outlet, topic, b"before")
        await asyncio.to_thread(frail.kill)
        try:
            waiting = asyncio.ensure_future(await outlet.send(records(topic, b"v")))
            await asyncio.wait_for(outlet.stop(), timeout=60)
            waiting.cancel()
        finally:
            await asyncio.to_thread(frail.start)


async def test_what_a_broker_s_outage_delays_stands_in_the_topic_once_and_in_order(
    frail: LocalBroker,
) -> None:
    options = reached(frail)
    topic = await make_topic(options)
    values = [b"%d" % number for number in range(20_000)]
    async with opened(options, within_s=LONG_S) as outlet:
        deliveries: list[asyncio.Future[None]] = []
        acknowledged = asyncio.Event()

        async def send_all() -> None:
            for start in range(0, len(values), 10):
                sent = await outlet.send(records(topic, *values[start : start + 10]))
                deliveries.append(asyncio.ensure_future(sent))
                deliveries[-1].add_done_callback(lambda _: acknowledged.set())

        sending = asyncio.create_task(send_all())
        await acknowledged.wait()
        await asyncio.to_thread(frail.kill)
        assert not sending.done(), "the outage struck nothing"
        assert not await outlet.answers(within_s=1)
        await asyncio.to_thread(frail.start)
        await sending
        await asyncio.gather(*deliveries)
    assert await read(options, topic) == values


async def test_a_record_larger_than_its_topic_takes_is_named_and_so_is_what_comes_after_it(
    kafka: LocalBroker,
) -> None:
    """The client counts the refused record, the broker does not: the producer is of no more use."""
    options = reached(kafka)
    topic = await make_topic(options, max_message_bytes="2000")
    async with opened(options, within_s=SHORT_S) as outlet:
        await deliver(outlet, topic, b"before")
        assert await failure(outlet, topic, bytes(5000)) == "message_too_large"
        assert await failure(outlet, topic, b"after") == "fenced"
        assert await failure(outlet, topic, b"after") == "fenced"
    async with opened(options, within_s=LONG_S) as outlet:
        await deliver(outlet, topic, b"by the next producer")
    assert await read(options, topic) == [b"before", b"by the next producer"]


async def test_a_batch_that_is_larger_than_its_topic_takes_leaves_other_topics_alone(
    kafka: LocalBroker,
) -> None:
    options = reached(kafka)
    small, other = await make_topic(options, max_message_bytes="2000"), await make_topic(options)
    async with opened(options, within_s=LONG_S) as outlet:
        ends = await asyncio.gather(
            deliver(outlet, other, b"1"),
            failure(outlet, small, bytes(5000)),
            deliver(outlet, other, b"2"),
        )
        assert ends[1] == "message_too_large"
        await deliver(outlet, other, b"3")
    assert await read(options, other) == [b"1", b"2", b"3"]


async def test_a_right_that_is_withdrawn_is_named_at_once(secure_kafka: SecureBroker) -> None:
    topic = await make_topic(secure_kafka.cluster("admin").client_options())
    secure_kafka.allow("worker", topic=topic, operation="write")
    async with opened(secure_kafka.cluster("worker").client_options(), within_s=LONG_S) as outlet:
        await deliver(outlet, topic, b"before")
        await asyncio.to_thread(secure_kafka.withdraw, "worker", topic=topic, operation="write")
        assert await failure(outlet, topic) == "unauthorized"
        assert await failure(outlet, topic) == "unauthorized"
    found = await read(secure_kafka.cluster("admin").client_options(), topic)
    assert found == [b"before"]


async def test_a_right_that_was_never_given_is_named_at_once(secure_kafka: SecureBroker) -> None:
    options = secure_kafka.cluster("admin").client_options()
    may, may_not = await make_topic(options), await make_topic(options)
    secure_kafka.allow("worker", topic=may, operation="write")
    async with opened(secure_kafka.cluster("worker").client_options(), within_s=LONG_S) as outlet:
        assert await failure(outlet, may_not) == "unauthorized"
        await deliver(outlet, may, b"v")


async def test_a_topic_that_is_deleted_or_never_was_is_named(kafka: LocalBroker) -> None:
    options = reached(kafka)
    topic = await make_topic(options)
    async with opened(options, within_s=SHORT_S) as outlet:
        await deliver(outlet, topic, b"before")
        async with admin(options) as client:
            await client.delete_topics([topic])
        one, other = await asyncio.gather(
            failure(outlet, topic), failure(outlet, f"never-{uuid.uuid4().hex[:8]}")
        )
        assert one == other == "stale_metadata"


async def test_a_deleted_topic_is_named_also_when_the_client_gives_up_first(
    kafka: LocalBroker,
) -> None:
    """It then speaks of a partition without a leader."""
    topic = await make_topic(reached(kafka))
    impatient = reached(kafka) | {"request_timeout_ms": 2000}
    async with opened(impatient, within_s=LONG_S) as outlet:
        await deliver(outlet, topic, b"before")
        async with admin(reached(kafka)) as client:
            await client.delete_topics([topic])
        with pytest.raises(DeliveryFailed, match=rf"is it there\? \(topic {topic}\)") as caught:
            await deliver(outlet, topic, b"after")
        assert caught.value.kind == "stale_metadata"


async def test_a_topic_that_is_made_while_it_is_waited_for_gets_its_records(
    kafka: LocalBroker,
) -> None:
    options = reached(kafka)
    topic = f"late-{uuid.uuid4().hex[:8]}"
    async with opened(options, within_s=LONG_S) as outlet:
        delivery = asyncio.create_task(deliver(outlet, topic, b"1", b"2"))
        await asyncio.wait({delivery}, timeout=1)
        async with admin(options) as client:
            await client.create_topics([NewTopic(topic, 1, 1)])
        await delivery
    assert await read(options, topic) == [b"1", b"2"]
