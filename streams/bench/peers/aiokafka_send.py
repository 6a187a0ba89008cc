"""A bare aiokafka loop: getmany, then send record by record."""

import asyncio

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


def run(plan: Plan, meter: Meter) -> None:
    asyncio.run(_best(plan, meter) if plan.best else _stock(plan, meter))


async def _stock(plan: Plan, meter: Meter) -> None:
    """Sends and goes on; the consumer commits by itself, delivered or not."""
    async with stock_producer(plan) as producer, stock_consumer(plan) as consumer:
        while not meter.over:
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                meter.begin()
                for record in records:
                    await producer.send(plan.target, key=record.key, value=label(record.value))
                meter.add(len(records))
        await producer.flush()
        await consumer.commit()
        meter.finish()


async def _best(plan: Plan, meter: Meter) -> None:
    """Commits each poll after all of it is acknowledged."""
    async with best_producer(plan, linger_ms=5) as producer, best_consumer(plan) as consumer:
        while not meter.over:
            deliveries = []
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
            for partition, records in polled.items():
                meter.begin()
                for record in records:
                    delivery = await producer.send(
                        plan.target,
                        key=record.key,
                        value=label(record.value),
                        partition=partition.partition,
                    )
                    deliveries.append(delivery)
            if deliveries:
                await asyncio.gather(*deliveries)
                await consumer.commit()
                meter.add(len(deliveries))
        meter.finish()
