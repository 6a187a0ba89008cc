"""Kafka's client as Faust's consumer knows it, beside a log that it reads."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import faust
from faust.types import TP

from streams.frames import FrameBounds, frame_topic
from streams.frames.consumer import Consumer

RECORDS_A_FETCH = 9


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record as the client returns it."""

    offset: int
    topic: str = "framed"
    partition: int = 0
    timestamp: int = 1000
    timestamp_type: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    checksum: int | None = None
    serialized_key_size: int = 1
    serialized_value_size: int = 1


async def at_once() -> None:
    """A client that never keeps anybody waiting."""


@dataclass
class FakeThread:
    """The client in its thread, which goes on with what its caller awaits no more.

    log: partition → its offsets. position: of what is assigned, where the next fetch begins.
    pause: awaited around each step of the client. takes_commit: asked before each commit, which
    is refused without an error otherwise.
    """

    log: dict[TP, list[int]]
    position: dict[TP, int] = field(default_factory=dict)
    committed: dict[TP, int] = field(default_factory=dict)
    pause: Callable[[], Awaitable[object]] = at_once
    takes_commit: Callable[[Mapping[TP, int]], bool] = lambda _: True
    generation: int = 0
    crashed: bool = False
    crash_reason: BaseException | None = None
    at_work: set["asyncio.Task[None]"] = field(default_factory=set)
    _consumer: Any = None  # aiokafka's

    @property
    def thread_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def assign(self, *partitions: TP) -> None:
        """Read on where it was committed, or from the beginning."""
        self.generation += 1
        self.position = {tp: self.committed.get(tp, 0) for tp in partitions}

    async def getmany(self, active: set[TP], timeout: float) -> Any:  # noqa: ASYNC109
        return await self._call(self._fetch(active))

    async def seek_to_committed(self) -> Any:
        return await self._call(self._seek_all())

    async def commit(self, offsets: Mapping[TP, int]) -> Any:
        return await self._call(self._commit(offsets))

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        await self._call(self._seek(partitions))

    def assignment(self) -> set[TP]:
        return set(self.position)

    def highwater(self, tp: TP) -> int:
        return (self.log[tp][-1] + 1) if self.log[tp] else 0

    async def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        promise = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_serve(promise, work))
        self.at_work.add(task)
        task.add_done_callback(self.at_work.discard)
        return await promise

    async def _fetch(self, active: set[TP]) -> dict[TP, list[Fetched]]:
        await self.pause()
        fetched = {}
        for tp in sorted(active & self.position.keys()):
            new = [offset for offset in self.log[tp] if offset >= self.position[tp]]
            if new := new[:RECORDS_A_FETCH]:
                self.position[tp] = new[-1] + 1
                fetched[tp] = [Fetched(offset, tp.topic, tp.partition) for offset in new]
        await self.pause()
        return fetched

    async def _seek_all(self) -> dict[TP, int | None]:
        found = {}
        for tp in sorted(self.position):
            await self.pause()
            if tp in self.position:
                found[tp] = offset = self.committed.get(tp)
                if offset:
                    self.position[tp] = offset
        await self.pause()
        return found

    async def _seek(self, partitions: Mapping[TP, int]) -> None:
        await self.pause()
        for tp, offset in partitions.items():
            if tp in self.position:
                self.position[tp] = offset

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        generation = self.generation
        await self.pause()
        taken = generation == self.generation and self.takes_commit(offsets)
        if taken:
            self.committed.update(offsets)
        await self.pause()
        return taken


async def _serve(promise: "asyncio.Future[Any]", work: Coroutine[Any, Any, Any]) -> None:
    try:
        outcome = await work
    except Exception as error:  # noqa: BLE001 - its caller's
        if not promise.done():
            promise.set_exception(error)
    else:
        if not promise.done():
            promise.set_result(outcome)


def make_app(**settings: Any) -> faust.App:
    return faust.App(
        "u",
        broker="framed://nowhere:1",
        env_prefix="U_",
        **{"topic_allow_declare": False, **settings},
    )


def make_consumer(
    thread: FakeThread, conductor: Callable[[Any], Awaitable[None]], *, max_records: int = 3
) -> Consumer:
    """A consumer of the topic `framed` whose client is the fake one; revoked, its flow stops."""
    app = make_app()
    frame_topic(app, "framed", bounds=FrameBounds(max_records=max_records))

    async def revoked(_: object) -> None:
        consumer.stop_flow()

    async def assigned(*_: object) -> None:
        """Whoever rebalances resumes the flow."""

    consumer = Consumer(app.transport, conductor, revoked, assigned)
    consumer._thread = thread  # type: ignore[assignment]
    return consumer
