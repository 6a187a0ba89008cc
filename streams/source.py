"""A worker's source topic as frames: the batches its loop takes, and what it holds of them."""

from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, cast

import faust
import mode
from faust.types import TP, StreamT

from streams.frames import Frame, FrameBounds, Transport, frame_consumer, frame_topic, frames
from streams.health import Health
from streams.kafka import to_record
from streams.log_ends import Partition
from streams.metrics import Metrics
from streams.records import Record


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """A frame as the loop sees it."""

    frame: Frame
    records: tuple[Record, ...]

    @property
    def size_bytes(self) -> int:
        return self.frame.size_bytes

    @property
    def abandoned(self) -> bool:
        return self.frame.abandoned

    def ack(self, position: int) -> None:
        self.frame.ack(position)

    def ack_all(self) -> None:
        self.frame.ack_all()


class Run(Protocol):
    """What works the batches off."""

    def __call__(self, batches: AsyncIterator[FrameBatch]) -> Coroutine[Any, Any, None]: ...


class Source:
    """The one topic that a worker reads, by one agent.

    topic: its full name. bounds: of its frames. buffer_bytes: of all frames held together.
    crash_within_s: how long the worker may take to stop when reading failed for good.
    """

    def __init__(
        self,
        app: faust.App,
        topic: str,
        *,
        bounds: FrameBounds,
        buffer_bytes: int,
        crash_within_s: float,
    ) -> None:
        self._app = app
        self._name = topic
        self._topic = frame_topic(app, topic, bounds=bounds)
        transport = cast("Transport", app.transport)
        transport.buffer_bytes = buffer_bytes
        transport.crash_within_s = crash_within_s

    def work(self, run: Run, *, name: str) -> None:
        """Give the batches to `run`, in an agent of this name.

        A crash ends the process; a supervisor outside starts the next one, which takes over at
        the last commit. Faust's own restart would run past what was in flight.
        """

        async def agent(stream: StreamT[Any]) -> None:
            await run(_batches(stream))

        self._app.agent(
            self._topic,
            name=name,
            concurrency=1,
            supervisor_strategy=mode.CrashingSupervisor,
        )(agent)

    def watch(self, health: Health, metrics: Metrics) -> None:
        """Keep readiness and figures in step with what is held.

        Ready between an assignment and the next revocation; a worker in reserve is ready too.
        """
        health.block("partitions", "waiting for Kafka to assign partitions")
        metrics.in_flight.set_function(self.in_flight)
        metrics.buffered_bytes.set_function(lambda: frame_consumer(self._app).ledger.held_bytes)

        async def assigned(*_: Any, **__: Any) -> None:
            health.clear("partitions")

        async def revoked(*_: Any, **__: Any) -> None:
            health.block("partitions", "Kafka is moving partitions between workers")

        self._app.on_partitions_assigned.connect(assigned, weak=False)
        self._app.on_partitions_revoked.connect(revoked, weak=False)

    # What is held, for the watchdog

    def assigned(self) -> Collection[Partition]:
        """Its partitions; none before the first assignment."""
        return frame_consumer(self._app).assigned(self._name)

    def committed(self, partition: Partition) -> int | None:
        """The offset last committed, or found committed; None when there is none."""
        return frame_consumer(self._app).committed_to(TP(*partition))

    def in_flight(self) -> int:
        """Records taken and not yet acknowledged."""
        return frame_consumer(self._app).ledger.in_flight()


async def _batches(stream: StreamT[Any]) -> AsyncIterator[FrameBatch]:
    async for frame in frames(stream):
        yield FrameBatch(frame, tuple(map(to_record, frame)))
