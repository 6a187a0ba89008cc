"""Frames overlapped: later ones are decided while the output of earlier ones is under way."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Abandonable(Protocol):
    """A frame, or what wraps one."""

    @property
    def abandoned(self) -> bool: ...


F = TypeVar("F", bound=Abandonable)
D = TypeVar("D")


async def overlap(
    frames: AsyncIterable[F],
    *,
    decide: Callable[[F], Coroutine[Any, Any, D]],
    send: Callable[[F, D], Coroutine[Any, Any, Awaitable[object]]],
    acknowledge: Callable[[F, D], object],
    at_once: int = 8,
) -> None:
    """Decide, send, await the broker's acknowledgement, acknowledge; several frames at a time.

    Frames are decided at the same time, sent in their own order, and acknowledged as their
    deliveries end. One that was abandoned, because its partition went to another worker, is
    neither begun nor sent: its records will be read again.

    Args:
        frames: as a stream gives them.
        decide: a frame's outputs.
        send: queues them; what it returns is done when the broker has acknowledged them all.
        acknowledge: called last.
        at_once: frames between being taken and being acknowledged.

    Raises:
        ExceptionGroup: something failed; nothing of its frame was acknowledged.
    """
    room = asyncio.Semaphore(at_once)
    steps = _Steps(decide, send, acknowledge)
    before = asyncio.Event()
    before.set()
    async with asyncio.TaskGroup() as group:
        await room.acquire()
        async for frame in frames:
            after = asyncio.Event()
            work = _work(frame, steps, before=before, after=after)
            group.create_task(work).add_done_callback(lambda _: room.release())
            before = after
            await room.acquire()


@dataclass(frozen=True, slots=True)
class _Steps(Generic[F, D]):
    """What is done with a frame, one after the other; see `overlap`."""

    decide: Callable[[F], Coroutine[Any, Any, D]]
    send: Callable[[F, D], Coroutine[Any, Any, Awaitable[object]]]
    acknowledge: Callable[[F, D], object]


async def _work(
    frame: F, steps: _Steps[F, D], *, before: asyncio.Event, after: asyncio.Event
) -> None:
    """Work one frame off.

    Args:
        frame: what to work on.
        steps: what to do with it.
        before: set when the frame before it was sent.
        after: set here when this one was, or never will be.
    """
    if frame.abandoned:
        await before.wait()
        after.set()
        return
    decided = await steps.decide(frame)
    await before.wait()
    if frame.abandoned:
        after.set()
        return
    delivery = await steps.send(frame, decided)
    after.set()
    await delivery
    steps.acknowledge(frame, decided)
