"""The secured Kafka of the tests lets its users do what was granted, and only that."""

import uuid

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAuthorizationFailedError

from streams.cluster import Cluster
from tests.secure_broker import SecureBroker

pytestmark = pytest.mark.kafka


@pytest.fixture
async def topic(secure_kafka: SecureBroker) -> str:
    name = f"t{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(**secure_kafka.cluster("admin").client_options())
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name, 1, 1)])
        assert [error[1] for error in answer.topic_errors] == [0]
    finally:
        await admin.close()
    return name


async def write(cluster: Cluster, topic: str) -> int:
    """Write one record; its offset."""
    producer = AIOKafkaProducer(**cluster.client_options())
    try:
        await producer.start()
        return int((await producer.send_and_wait(topic, b"value")).offset)
    finally:
        await producer.stop()


async def test_a_right_holds_from_when_it_is_granted_until_it_is_withdrawn(
    secure_kafka: SecureBroker, topic: str
) -> None:
    worker = secure_kafka.cluster("worker")
    with pytest.raises(TopicAuthorizationFailedError):
        await write(worker, topic)
    for name in (topic, f"{topic[:4]}*"):
        secure_kafka.allow("worker", topic=name, operation="write")
        await write(worker, topic)
        secure_kafka.withdraw("worker", topic=name, operation="write")
        with pytest.raises(TopicAuthorizationFailedError):
            await write(worker, topic)


def test_withdrawing_what_was_never_granted_is_a_mistake_in_the_test(
    secure_kafka: SecureBroker,
) -> None:
    with pytest.raises(AssertionError, match="never allowed"):
        secure_kafka.withdraw("worker", group="unheard of", operation="read")
