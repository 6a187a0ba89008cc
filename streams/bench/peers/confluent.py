"""A bare confluent-kafka loop: consume some thousand records, produce each."""

from typing import Any

from streams.bench.labelling import label
from streams.bench.meter import Meter
from streams.bench.plan import Plan

_CONSUME = 1000
_WIDE_CONSUME = 5000  # fewer flushes to wait for
_CONSUME_S = 0.2
_BEST_CONSUMER = {
    "enable.auto.commit": False,
    "session.timeout.ms": 10_000,
    # Its default stops fetching for a second whenever 100,000 records wait in front of us.
    "fetch.queue.backoff.ms": 10,
}
_BEST_PRODUCER = {
    "enable.idempotence": True,
    "linger.ms": 5,
    "batch.size": 256 * 1024,
    "queue.buffering.max.messages": 500_000,
}


def run(plan: Plan, meter: Meter) -> None:
    # Of the bench extra: nobody else needs it.
    from confluent_kafka import Consumer, Producer

    common = {"bootstrap.servers": plan.bootstrap}
    consumer = Consumer(
        common
        | {"group.id": plan.group, "auto.offset.reset": "earliest"}
        | (_BEST_CONSUMER if plan.best else {})
    )
    producer = Producer(common | {"acks": "all"} | (_BEST_PRODUCER if plan.best else {}))
    consumer.subscribe([plan.source])
    (_best if plan.best else _stock)(consumer, producer, plan, meter)
    consumer.close()


def _stock(consumer: Any, producer: Any, plan: Plan, meter: Meter) -> None:
    """Produces and goes on; the consumer commits by itself, delivered or not."""
    while not meter.over:
        messages = _consume(consumer, _CONSUME, meter)
        for message in messages:
            _produce(producer, plan.target, key=message.key(), value=label(message.value()))
        meter.add(len(messages))
        producer.poll(0)
    producer.flush()
    consumer.commit(asynchronous=False)
    meter.finish()


def _best(consumer: Any, producer: Any, plan: Plan, meter: Meter) -> None:
    """Commits each batch after all of it is delivered."""
    most = _WIDE_CONSUME if plan.wide else _CONSUME
    while not meter.over:
        messages = _consume(consumer, most, meter)
        for message in messages:
            _produce(
                producer,
                plan.target,
                key=message.key(),
                value=label(message.value()),
                partition=message.partition(),
                on_delivery=_refuse_failure,
            )
        if messages:
            producer.flush()
            consumer.commit(asynchronous=False)
            meter.add(len(messages))
    meter.finish()


def _consume(consumer: Any, most: int, meter: Meter) -> list[Any]:
    messages = []
    for message in consumer.consume(most, _CONSUME_S):
        if message.error():
            raise RuntimeError(f"consuming failed: {message.error()}")
        messages.append(message)
    if messages:
        meter.begin()
    return messages


def _produce(producer: Any, topic: str, **fields: Any) -> None:
    while True:
        try:
            producer.produce(topic, **fields)
        except BufferError:  # its queue is full: let it deliver
            producer.poll(0.05)
        else:
            return


def _refuse_failure(error: Any, _message: Any) -> None:
    if error is not None:
        raise RuntimeError(f"delivery failed: {error}")
