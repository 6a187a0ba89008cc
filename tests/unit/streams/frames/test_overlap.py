"""Frames overlapped: sent in their own order, acknowledged last, abandoned ones left alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from streams.frames import overlap


@dataclass(eq=False)
class Numbered:
    """A frame with nothing in it."""

    number: int
    abandoned: bool = False


@dataclass
class Course:
    """What happens to numbered frames, step by step; steps named in `gates` wait there.

    failing: steps that raise. delivered: the delivery's own step comes after `send`.
    """

    frames: list[Numbered]
    at_once: int = 3
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    happened: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, count: int, *, wait: str = "", fail: str = "", at_once: int = 3) -> "Course":
        return cls(
            frames=[Numbered(number) for number in range(count)],
            at_once=at_once,
            gates={step: asyncio.Event() for step in wait.split(", ") if step},
            failing={step for step in fail.split(", ") if step},
        )

    async def run(self) -> None:
        await overlap(
            self._take(),
            decide=self._decide,
            send=self._send,
            acknowledge=self._acknowledge,
            at_once=self.at_once,
        )

    async def _take(self) -> AsyncIterator[Numbered]:
        for frame in self.frames:
            await self._step("take", frame)
            yield frame

    async def _decide(self, frame: Numbered) -> str:
        await self._step("decide", frame)
        return f"what was decided of {frame.number}"

    async def _send(self, frame: Numbered, decided: str) -> Awaitable[None]:
        assert decided == f"what was decided of {frame.number}"
        await self._step("send", frame)
        return self._step("deliver", frame)

    def _acknowledge(self, frame: Numbered, decided: str) -> None:
        assert decided == f"what was decided of {frame.number}"
        self.happened.append(f"acknowledge {frame.number}")

    async def _step(self, name: str, frame: Numbered) -> None:
        step = f"{name} {frame.number}"
        if step in self.gates:
            await self.gates[step].wait()
        if step in self.failing:
            raise ConnectionError(step)
        self.happened.append(step)

    def all(self, name: str) -> list[int]:
        return [int(step.split()[1]) for step in self.happened if step.startswith(name)]


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_frame_is_decided_sent_delivered_and_then_acknowledged() -> None:
    course = Course.of(2, at_once=1)
    await course.run()
    steps = ("take", "decide", "send", "deliver", "acknowledge")
    assert course.happened == [f"{step} {number}" for number in range(2) for step in steps]


async def test_later_frames_are_decided_and_sent_while_an_earlier_delivery_is_under_way() -> None:
    course = Course.of(3, wait="deliver 0")
    running = asyncio.create_task(course.run())
    await settle()
    assert course.all("acknowledge") == [1, 2]
    course.gates["deliver 0"].set()
    await running
    assert course.all("acknowledge") == [1, 2, 0]


async def test_no_more_frames_are_taken_than_may_be_under_way() -> None:
    course = Course.of(5, wait="deliver 0, deliver 1", at_once=2)
    running = asyncio.create_task(course.run())
    await settle()
    assert course.all("take") == [0, 1]
    course.gates["deliver 1"].set()
    await settle()
    assert course.all("take") == [0, 1, 2, 3, 4]
    assert course.all("acknowledge") == [1, 2, 3, 4]
    course.gates["deliver 0"].set()
    await running


async def test_frames_are_sent_in_their_own_order_whichever_is_decided_first() -> None:
    course = Course.of(3, wait="decide 0, send 1")
    running = asyncio.create_task(course.run())
    await settle()
    assert course.all("decide") == [1, 2]
    assert course.all("send") == []
    course.gates["decide 0"].set()
    await settle()
    assert course.all("send") == [0]
    course.gates["send 1"].set()
    await running
    assert course.all("send") == [0, 1, 2]


async def test_a_frame_abandoned_before_its_turn_is_neither_begun_nor_sent() -> None:
    course = Course.of(3, wait="decide 0")
    course.frames[1].abandoned = True
    running = asyncio.create_task(course.run())
    await settle()
    assert course.all("decide") == [2]
    course.gates["decide 0"].set()
    await running
    assert course.all("send") == course.all("deliver") == course.all("acknowledge") == [0, 2]


async def test_a_frame_abandoned_while_it_is_decided_is_not_sent_and_holds_up_nobody() -> None:
    course = Course.of(3, wait="decide 1")
    running = asyncio.create_task(course.run())
    await settle()
    course.frames[1].abandoned = True
    course.gates["decide 1"].set()
    await running
    assert course.all("decide") == [0, 2, 1]
    assert course.all("send") == course.all("deliver") == course.all("acknowledge") == [0, 2]


async def test_abandoned_frames_make_room_for_later_ones() -> None:
    course = Course.of(9, at_once=2)
    for frame in course.frames[:8]:
        frame.abandoned = True
    await course.run()
    assert course.all("acknowledge") == [8]


@pytest.mark.parametrize("step", ["decide 1", "send 1", "deliver 1"])
async def test_a_failure_ends_all_of_it_and_its_frame_is_not_acknowledged(step: str) -> None:
    course = Course.of(9, fail=step)
    with pytest.raises(ExceptionGroup) as caught:
        await course.run()
    assert [str(error) for error in caught.value.exceptions] == [step]
    assert 1 not in course.all("acknowledge")
    assert 8 not in course.all("take")


@pytest.mark.parametrize("step", ["decide 0", "send 0"])
async def test_nothing_is_sent_after_a_frame_that_could_not_be(step: str) -> None:
    course = Course.of(3, wait=step, fail=step)
    running = asyncio.create_task(course.run())
    await settle()
    assert course.all("decide") == [each for each in (0, 1, 2) if f"decide {each}" != step]
    course.gates[step].set()
    with pytest.raises(ExceptionGroup):
        await running
    assert course.all("send") == course.all("acknowledge") == []


async def test_frames_under_way_end_with_whoever_is_cancelled_and_are_not_acknowledged() -> None:
    course = Course.of(3, wait="decide 0, deliver 1")
    running = asyncio.create_task(course.run())
    await settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert course.all("acknowledge") == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_several_failures_at_once_are_all_heard() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    course = Course.of(3, wait="deliver 0, deliver 1, deliver 2", fail="deliver 0, deliver 1")
    running = asyncio.create_task(course.run())
    await settle()
    for gate in course.gates.values():
        gate.set()
    with pytest.raises(ExceptionGroup) as caught:
        await running
    assert {str(error) for error in caught.value.exceptions} == {"deliver 0", "deliver 1"}
    assert course.all("acknowledge") == [2]
    assert complaints == []
