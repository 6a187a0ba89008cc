"""A Faust agent that takes one record at a time."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import faust
import mode

from streams.bench.labelling import label
from streams.bench.meter import Meter
from streams.bench.peers.aiokafka_clients import best_producer
from streams.bench.peers.faust_app import bytes_topic, commit_and_finish, run_row
from streams.bench.plan import Plan

_IN_FLIGHT = 2000


def run(plan: Plan, meter: Meter) -> None:
    run_row(plan, meter, stock=_add_stock, best=_add_best)


def _add_stock(app: faust.App, plan: Plan, meter: Meter) -> None:
    """As in Faust's documentation: the record is acknowledged when the next one is asked for."""
    target = bytes_topic(app, plan.target)
    endings: list[asyncio.Task[None]] = []

    async def work(stream: Any) -> None:
        async for event in stream.events():
            meter.begin()
            await target.send(key=event.key, value=label(event.value))
            meter.add(1)
            if meter.over and not endings:
                endings.append(asyncio.create_task(commit_and_finish(app, meter)))

    app.agent(bytes_topic(app, plan.source))(work)


def _add_best(app: faust.App, plan: Plan, meter: Meter) -> None:
    """Acknowledges, in order, what the broker has acknowledged; any error ends the process."""

    async def work(stream: Any) -> None:
        # Faust's own producer cannot be made idempotent outside transactions.
        producer = best_producer(plan, linger_ms=5)
        await producer.start()
        sent: asyncio.Queue[tuple[Any, Awaitable[object]]] = asyncio.Queue(_IN_FLIGHT)
        acknowledging = asyncio.create_task(_acknowledge(app, sent, meter))
        async for event in stream.noack().events():
            meter.begin()
            delivery = await producer.send(
                plan.target,
                key=event.key,
                value=label(event.value),
                partition=event.message.partition,
            )
            await sent.put((event, delivery))
        acknowledging.cancel()

    app.agent(
        bytes_topic(app, plan.source), concurrency=1, supervisor_strategy=mode.CrashingSupervisor
    )(work)


async def _acknowledge(
    app: faust.App, sent: "asyncio.Queue[tuple[Any, Awaitable[object]]]", meter: Meter
) -> None:
    try:
        while True:
            event, delivery = await sent.get()
            await delivery
            event.ack()
            meter.add(1)
            if meter.over:
                await commit_and_finish(app, meter)
    except Exception as error:  # noqa: BLE001  whatever it was, nothing more may be acknowledged
        await app.crash(error)
