"""The loop of a worker: take records, decide, deliver, and only then acknowledge."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Protocol

from streams.health import Health
from streams.metrics import Metrics
from streams.records import Output, Record
from streams.role import Role

_log = logging.getLogger(__name__)

# A broker that takes this long to acknowledge is an outage an operator should see.
_SLOW_DELIVERY_S = 10.0


class Taken(Protocol):
    """A record taken from a transport, to be acknowledged once."""

    @property
    def record(self) -> Record: ...

    def ack(self) -> None: ...


Deliver = Callable[[Sequence[Output]], Coroutine[Any, Any, None]]


async def work_off(
    batches: AsyncIterator[Sequence[Taken]],
    role: Role,
    deliver: Deliver,
    *,
    health: Health,
    metrics: Metrics,
) -> None:
    """Work batches off in order; a batch is acknowledged when all its outputs are.

    When too many valid records fail in our own code, the decided ones are finished and no more
    are taken, for good: the process stays up, unready, and says why.

    Args:
        batches: from the transport; each in partition order.
        role: decides.
        deliver: returns when the broker has acknowledged every output, or raises.
        health: told when delivery stalls, and of a pause.
        metrics: counts records and times.

    Raises:
        KafkaError: an output was not acknowledged; nothing of its batch was.
    """
    async for batch in batches:
        metrics.in_flight.set(len(batch))
        started_s = time.perf_counter()
        decided = await role.decide([taken.record for taken in batch])
        decided_s = time.perf_counter()
        outputs = [output for outputs in decided for output in outputs]
        await _deliver_in_sight(deliver, outputs, health)
        metrics.decide_s.observe(decided_s - started_s)
        metrics.deliver_s.observe(time.perf_counter() - decided_s)
        for taken in batch[: len(decided)]:
            taken.ack()
        metrics.records.labels(outcome="acknowledged").inc(len(decided))
        metrics.in_flight.set(len(batch) - len(decided))
        if role.failures.too_many:
            await _pause(role, health, metrics)


async def _deliver_in_sight(deliver: Deliver, outputs: Sequence[Output], health: Health) -> None:
    """Deliver; while the broker keeps us waiting, `/ready` says so."""
    delivery = asyncio.ensure_future(deliver(outputs))
    try:
        done, _ = await asyncio.wait({delivery}, timeout=_SLOW_DELIVERY_S)
        if not done:
            health.block("delivery", f"no acknowledgement from Kafka for {_SLOW_DELIVERY_S:g} s")
        await delivery
        health.clear("delivery")
    finally:
        delivery.cancel()


async def _pause(role: Role, health: Health, metrics: Metrics) -> None:
    """Stay up and take no more: the fault is ours, and the records behind it are good."""
    why = (
        f"{role.failures.summary} failed in our own code: mend it, restart the worker, "
        "then `kdsl dead-letters redrive --reason failed`"
    )
    health.block("failures", why)
    metrics.paused.set(1)
    _log.error("paused: %s", why)
    await asyncio.Event().wait()
