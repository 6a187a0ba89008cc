"""The loop of a worker: take records, decide, deliver, and only then acknowledge."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from streams.health import Health
from streams.metrics import Metrics
from streams.records import Output, Record
from streams.role import Role

_log = logging.getLogger(__name__)

# A broker that takes this long to acknowledge is an outage an operator should see.
_SLOW_DELIVERY_S = 10.0

Send = Callable[[Sequence[Output]], Coroutine[Any, Any, Awaitable[object]]]


class Batch(Protocol):
    """Records of one partition, in order, each to be acknowledged once."""

    @property
    def records(self) -> Sequence[Record]: ...

    def ack(self, position: int) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Works batches off, several at a time, with the outputs in the order of the batches.

    role: decides. send: queues outputs and returns what to await for their acknowledgement.
    at_once: batches between being taken and being acknowledged.
    health: told when delivery stalls, and of a pause. metrics: counts records and times.
    """

    role: Role
    send: Send
    at_once: int
    health: Health
    metrics: Metrics

    async def run(self, batches: AsyncIterator[Batch]) -> None:
        """Decide, deliver, acknowledge; a batch is acknowledged when all its outputs are.

        When too many valid records fail in our own code, what is decided is finished and no more
        is taken, for good: the process stays up, unready, and says why.

        Raises:
            ExceptionGroup: an output was not acknowledged, and so nothing of its batch was.
        """
        room = asyncio.Semaphore(self.at_once)
        earlier_sent = asyncio.Event()
        earlier_sent.set()
        async with asyncio.TaskGroup() as group:
            await room.acquire()
            async for batch in batches:
                sent = asyncio.Event()
                work = group.create_task(self._work(batch, earlier_sent, sent))
                work.add_done_callback(lambda _: room.release())
                earlier_sent = sent
                await room.acquire()
                if self.role.failures.too_many:
                    await asyncio.Event().wait()

    async def _work(self, batch: Batch, earlier_sent: asyncio.Event, sent: asyncio.Event) -> None:
        self.metrics.in_flight.inc(len(batch.records))
        started_s = time.perf_counter()
        decided = await self.role.decide(batch.records)
        decided_s = time.perf_counter()
        if self.role.failures.too_many:
            self._say_paused()
        await earlier_sent.wait()
        delivery = await self.send([output for outputs in decided for output in outputs])
        sent.set()
        await self._in_sight(delivery)
        self.metrics.decide_s.observe(decided_s - started_s)
        self.metrics.deliver_s.observe(time.perf_counter() - decided_s)
        for position in range(len(decided)):
            batch.ack(position)
        self.metrics.records.labels(outcome="acknowledged").inc(len(decided))
        self.metrics.in_flight.dec(len(decided))

    async def _in_sight(self, delivery: Awaitable[object]) -> None:
        """Await a delivery; while the broker keeps us waiting, `/ready` says so."""
        waiting = asyncio.ensure_future(delivery)
        try:
            done, _ = await asyncio.wait({waiting}, timeout=_SLOW_DELIVERY_S)
            if not done:
                why = f"no acknowledgement from Kafka for {_SLOW_DELIVERY_S:g} s"
                self.health.block("delivery", why)
            await waiting
            self.health.clear("delivery")
        finally:
            waiting.cancel()

    def _say_paused(self) -> None:
        """The fault is ours, and the records behind are good: no more of them are decided."""
        why = (
            f"{self.role.failures.summary} failed in our own code: mend it, restart the worker, "
            "then `kdsl dead-letters redrive --reason failed`"
        )
        if "failures" not in self.health.obstacles:
            _log.error("paused: %s", why)
        self.health.block("failures", why)
        self.metrics.paused.set(1)
