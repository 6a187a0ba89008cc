"""Dead letters: read them back, and send their originals in again."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiokafka import AIOKafkaProducer

from streams.cluster import Cluster
from streams.codec import decode_dead_letter
from streams.errors import InvalidRecord
from streams.events import DeadLetter
from streams.kafka import read_topic
from streams.records import ATTEMPTS_HEADER, REDRIVEN_HEADER
from streams.topics import Kind, topic_name

# Whoever may write dead letters shall not be able to have releases or tags written for them.
_SOURCES: tuple[Kind, ...] = ("events", "deferred", "tags")


async def read_dead_letters(
    cluster: Cluster, *, prefix: str, reason: str | None, from_ms: int | None
) -> AsyncGenerator[tuple[int, int, DeadLetter], None]:
    """(partition, offset, letter) of the dead letters up to now; foreign records are passed over.

    Args:
        cluster: how to reach it.
        prefix: of the topics.
        reason: only those of this reason.
        from_ms: only those dead-lettered at this Kafka timestamp or later.
    """
    topic = topic_name("dead_letters", prefix=prefix)
    async with aclosing(read_topic(cluster, topic, from_ms=from_ms)) as records:
        async for record in records:
            try:
                letter = decode_dead_letter(record.value or b"")
            except InvalidRecord:
                continue  # written by something that is not a worker of ours
            if reason is None or letter.reason == reason:
                yield record.partition, record.offset, letter


async def redrive(letter: DeadLetter, producer: AIOKafkaProducer, *, prefix: str) -> None:
    """Send the original back to the topic it came from, one attempt older.

    Raises:
        InvalidRecord: the dead letter holds the original only in part, or names a topic that no
            worker reads from.
    """
    if letter.topic not in {topic_name(kind, prefix=prefix) for kind in _SOURCES}:
        raise InvalidRecord("its origin is no topic of ours that a worker reads")
    if letter.cut:
        raise InvalidRecord(
            f"the original of {letter.record_length} bytes was cut; send it again at its source"
        )
    if letter.key is None and letter.record is None:
        raise InvalidRecord("the original had neither key nor value; there is nothing to send")
    await producer.send_and_wait(
        letter.topic,
        key=letter.key,
        value=letter.record,
        headers=[
            (ATTEMPTS_HEADER, str(letter.attempts).encode()),
            (REDRIVEN_HEADER, b"1"),
        ],
    )
