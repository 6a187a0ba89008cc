"""The loop of a worker: take records, decide, deliver, and only then acknowledge."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.errors import OutputTooLarge
from streams.frames import overlap
from streams.health import Health
from streams.metrics import Metrics
from streams.records import Output, Record
from streams.role import Outputs, Role
from streams.topics import TOPICS
from streams.tracing import Tracing

_log = logging.getLogger(__name__)

# A broker that takes this long to acknowledge is an outage an operator should see.
_SLOW_DELIVERY_S = 10.0

Send = Callable[[Sequence[Output]], Coroutine[Any, Any, Awaitable[object]]]


class Batch(Protocol):
    """Records of one partition, in order, each to be acknowledged once.

    abandoned: its partition went to another worker, which reads the records again.
    """

    @property
    def records(self) -> Sequence[Record]: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def abandoned(self) -> bool: ...

    def ack(self, position: int) -> object: ...

    def ack_all(self) -> object: ...


@dataclass(frozen=True, slots=True)
class _Decided:
    """What became of a batch, or of its first records when the role stopped deciding."""

    outputs: Sequence[Outputs]
    at_s: float


@dataclass(slots=True, kw_only=True)
class Loop:
    """Works batches off, several at a time, with the outputs in the order of the batches.

    role: decides. send: queues outputs and returns what to await for their acknowledgement.
    at_once: batches between being taken and being acknowledged.
    health: told when delivery stalls, and of a pause. metrics: counts records and times.
    tracing: carries trace contexts from records to outputs.
    """

    role: Role
    send: Send
    at_once: int
    health: Health
    metrics: Metrics
    tracing: Tracing
    _slow: set[object] = field(default_factory=set, init=False)  # deliveries that keep us waiting
    _paused: bool = field(default=False, init=False)
    _cut_short: bool = field(default=False, init=False)

    async def run(self, batches: AsyncIterator[Batch]) -> None:
        """Decide, deliver, acknowledge; a batch is acknowledged when all its outputs are.

        When too many valid records fail in our own code, what is decided is finished and no more
        is taken, for good: the process stays up, unready, and says why. Behind a batch of which
        records are left, nothing is finished: those are decided first, by the next worker.

        Raises:
            ExceptionGroup: an output was not acknowledged, and so nothing of its batch was.
        """
        await overlap(
            self._until_paused(batches),
            decide=self._decide,
            send=self._send,
            acknowledge=self._acknowledge,
            at_once=self.at_once,
        )

    async def _until_paused(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        async for batch in batches:
            self.metrics.frames.inc()
            self.metrics.records.labels(outcome="taken").inc(len(batch.records))
            self.metrics.bytes.labels(direction="taken").inc(batch.size_bytes)
            yield batch
            if self._paused:
                await asyncio.Event().wait()

    async def _decide(self, batch: Batch) -> _Decided:
        started_s, started_ns = time.perf_counter(), time.time_ns()
        decided = await self.role.decide(batch.records, abandoned=lambda: batch.abandoned)
        ended_ns = time.time_ns()
        outputs = [
            self.tracing.carry(
                record, self._bounded(record, made), started_ns=started_ns, ended_ns=ended_ns
            )
            for record, made in zip(batch.records, decided, strict=False)
        ]
        # A batch under way can still bring the share of failures down: it has been too high.
        left = len(outputs) < len(batch.records) and not batch.abandoned
        if left or self.role.failures.too_many:
            self._pause()
        ended_s = time.perf_counter()
        self.metrics.decide_s.observe(ended_s - started_s)
        return _Decided(outputs, ended_s)

    def _bounded(self, record: Record, outputs: Outputs) -> Outputs:
        """The outputs; or a dead letter, when one of them is larger than its topic takes."""
        for output in outputs:
            bound = TOPICS[output.kind].record_bytes
            if len(output.value) > bound:
                error = OutputTooLarge(output.kind, length=len(output.value), bound=bound)
                return self.role.dead_letter(record, error)
        return outputs

    async def _send(self, batch: Batch, decided: _Decided) -> Awaitable[object]:
        if self._cut_short:
            # An answer now would stand before those to the records left of an earlier batch.
            return asyncio.Event().wait()
        self._cut_short = len(decided.outputs) < len(batch.records)
        outputs = [output for outputs in decided.outputs for output in outputs]
        self.metrics.bytes.labels(direction="sent").inc(sum(len(each.value) for each in outputs))
        with ExitStack() as waiting:
            waiting.enter_context(self._in_sight())
            return _delivered(await self.send(outputs), waiting.pop_all())

    @contextmanager
    def _in_sight(self) -> Iterator[None]:
        """While the broker keeps us waiting, also for room to send, `/ready` says so."""
        me = object()
        timer = asyncio.get_running_loop().call_later(_SLOW_DELIVERY_S, self._say_slow, me)
        try:
            yield
        finally:
            timer.cancel()
            self._slow.discard(me)
            if not self._slow:
                self.health.clear("delivery")

    def _say_slow(self, delivery: object) -> None:
        self._slow.add(delivery)
        self.health.block("delivery", f"no acknowledgement from Kafka for {_SLOW_DELIVERY_S:g} s")

    def _acknowledge(self, batch: Batch, decided: _Decided) -> None:
        self.metrics.deliver_s.observe(time.perf_counter() - decided.at_s)
        if len(decided.outputs) == len(batch.records):
            batch.ack_all()
        else:
            for position in range(len(decided.outputs)):
                batch.ack(position)
        self.metrics.records.labels(outcome="acknowledged").inc(len(decided.outputs))
        self.role.progress.mark()

    def _pause(self) -> None:
        """The fault is ours, and the records behind are good: no more of them are decided."""
        if self._paused:
            return
        self._paused = True
        why = (
            f"{self.role.failures.summary} failed in our own code: mend it, restart the worker, "
            "then `kdsl dead-letters redrive --reason failed`"
        )
        _log.error("paused: %s", why)
        self.health.block("failures", why)
        self.metrics.paused.set(1)


async def _delivered(delivery: Awaitable[object], waiting: ExitStack) -> None:
    with waiting:
        await delivery
