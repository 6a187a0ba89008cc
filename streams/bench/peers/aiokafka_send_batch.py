"""A bare aiokafka loop: getmany, then a batch or more for each partition."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.bench.labelling import label
from streams.bench.meter import Meter
from streams.bench.peers.aiokafka_clients import (
    best_consumer,
    best_producer,
    stock_consumer,
    stock_producer,
)
from streams.bench.plan import Plan

_POLL_MS = 1000
_POLL_RECORDS = 2000  # as ours
_WIDE_POLL_RECORDS = 8000


def run(plan: Plan, meter: Meter) -> None:
    asyncio.run(_best(plan, meter) if plan.best else _stock(plan, meter))


async def _stock(plan: Plan, meter: Meter) -> None:
    """Sends and goes on; the consumer commits by itself, delivered or not."""
    async with stock_producer(plan) as producer, stock_consumer(plan) as consumer:
        while not meter.over:
            polled = await consumer.getmany(timeout_ms=_POLL_MS)
            for partition, records in polled.items():
                meter.begin()
                await _send(producer, plan.target, partition.partition, records)
                meter.add(len(records))
        await producer.flush()
        await consumer.commit()
        meter.finish()


async def _best(plan: Plan, meter: Meter) -> None:
    """Commits each poll after all of it is acknowledged."""
    most = _WIDE_POLL_RECORDS if plan.wide else _POLL_RECORDS
    async with best_producer(plan, linger_ms=0) as producer, best_consumer(plan) as consumer:
        while not meter.over:
            deliveries: list[Awaitable[object]] = []
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=most)
            for partition, records in polled.items():
                meter.begin()
                deliveries += await _send(producer, plan.target, partition.partition, records)
            if deliveries:
                await asyncio.gather(*deliveries)
                await consumer.commit()
                meter.add(sum(map(len, polled.values())))
        meter.finish()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Any]
) -> list[Awaitable[object]]:
    """The key's partition is the record's own: both topics have as many, filled alike."""
    deliveries: list[Awaitable[object]] = []
    batch = producer.create_batch()
    for record in records:
        value = label(record.value)
        if batch.append(key=record.key, value=value, timestamp=None) is None:
            deliveries.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=record.key, value=value, timestamp=None)
    deliveries.append(await producer.send_batch(batch, topic, partition=partition))
    return deliveries
