"""A Faust agent that takes up to 500 records at a time."""

import asyncio
from typing import Any

import faust
import mode

from streams.bench.labelling import label
from streams.bench.meter import Meter
from streams.bench.peers.aiokafka_clients import best_producer
from streams.bench.peers.faust_app import bytes_topic, commit_and_finish, run_row
from streams.bench.plan import Plan

_TAKE = 500
_WITHIN_S = 0.05


def run(plan: Plan, meter: Meter) -> None:
    run_row(plan, meter, stock=_add_stock, best=_add_best)


def _add_stock(app: faust.App, plan: Plan, meter: Meter) -> None:
    """Faust acknowledges the batch when the next one is asked for, even after an exception."""
    target = bytes_topic(app, plan.target)
    endings: list[asyncio.Task[None]] = []

    async def work(stream: Any) -> None:
        async for events in stream.take_events(_TAKE, within=_WITHIN_S):
            meter.begin()
            for event in events:
                await target.send(key=event.key, value=label(event.value))
            meter.add(len(events))
            if meter.over and not endings:
                endings.append(asyncio.create_task(commit_and_finish(app, meter)))

    app.agent(bytes_topic(app, plan.source))(work)


def _add_best(app: faust.App, plan: Plan, meter: Meter) -> None:
    """Acknowledges the batch when the broker has acknowledged all of it."""

    async def work(stream: Any) -> None:
        # Faust's own producer cannot be made idempotent outside transactions.
        producer = best_producer(plan, linger_ms=0)
        await producer.start()
        async for events in stream.noack_take(_TAKE, within=_WITHIN_S):
            meter.begin()
            deliveries = [
                await producer.send(
                    plan.target,
                    key=event.key,
                    value=label(event.value),
                    partition=event.message.partition,
                )
                for event in events
            ]
            await asyncio.gather(*deliveries)
            for event in events:
                event.ack()
            meter.add(len(events))
            if meter.over:
                await commit_and_finish(app, meter)

    app.agent(
        bytes_topic(app, plan.source), concurrency=1, supervisor_strategy=mode.CrashingSupervisor
    )(work)
