"""Events → `dialogue.events`, at a steady rate if one is asked for."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

from aiokafka import AIOKafkaProducer

from streams.codec import decode_event, encode_event
from streams.datasets import Example
from streams.errors import DatasetError, InvalidRecord
from streams.topics import topic_name


async def send_events(
    examples: Iterable[Example],
    producer: AIOKafkaProducer,
    *,
    prefix: str,
    rate: float | None,
) -> AsyncIterator[Example]:
    """Send each example's event and yield it when the broker has acknowledged it.

    Args:
        examples: in sending order.
        producer: started; its owner stops it.
        prefix: of the topics.
        rate: events a second; None sends as fast as each is acknowledged.

    Raises:
        DatasetError: an event beyond the limits, which would only come back as a dead letter.
    """
    topic = topic_name("events", prefix=prefix)
    started_s = time.monotonic()
    for position, example in enumerate(examples):
        if rate is not None:
            await asyncio.sleep(max(0.0, started_s + position / rate - time.monotonic()))
        value = encode_event(example.event)
        try:
            decode_event(value)
        except InvalidRecord as error:
            raise DatasetError(
                f"{example.place}: no worker would take it ({error.detail}); "
                "leave out the oldest turns and images"
            ) from error
        await producer.send_and_wait(topic, key=example.event.dialogue_id.encode(), value=value)
        yield example
