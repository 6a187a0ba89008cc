"""The laws of the consumer, whatever its fetches, seeks, commits and rebalances meet half-way."""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from faust.transport.consumer import Fetcher
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.frames import Frame
from streams.frames.consumer import Consumer
from tests.unit.streams.frames.fake_client import FakeThread, make_consumer

PARTITIONS = tuple(TP("framed", number) for number in range(3))
STEPS = 5_000
BUFFER_BYTES = 20  # ten records: whoever is slow is waited for


@dataclass
class World:
    """Faust's fetch loop around our consumer, a client that takes its time, and an oracle.

    acknowledged: (partition, offset) at any time, by us or whoever had the partition meanwhile.
    frames: handed out, with the positions not acknowledged yet. delivered: how many there were.
    wrong: what contradicts the laws.
    """

    draw: random.Random
    acknowledged: set[tuple[TP, int]] = field(default_factory=set)
    frames: list[tuple[Frame, set[int]]] = field(default_factory=list)
    delivered: int = 0
    wrong: list[str] = field(default_factory=list)
    at_work: set["asyncio.Task[Any]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.thread = FakeThread(
            log={tp: [] for tp in PARTITIONS}, pause=self.take_time, takes_commit=self.takes
        )
        self.consumer: Consumer = make_consumer(self.thread, self.conduct)
        self.consumer.sleep = self.pass_time  # type: ignore[method-assign]
        self.app = self.consumer.app
        self.consumer.transport.buffer_bytes = BUFFER_BYTES  # type: ignore[attr-defined]
        self.fetching: asyncio.Task[Any] | None = None
        self.rebalancing: asyncio.Task[Any] | None = None
        self.recovering: asyncio.Task[Any] | None = None

    async def pause(self, longest: int = 20) -> None:
        for _ in range(self.draw.choice([0, 1, 2, longest // 4, longest])):
            await asyncio.sleep(0)

    async def take_time(self) -> None:
        """Now and then a client is slower than a whole rebalance."""
        await self.pause(longest=400 if self.draw.random() < 0.05 else 4)

    async def pass_time(self, n: Any) -> None:
        """Faust sleeps while it has no partitions; here, time is what others do meanwhile."""
        await self.pause()

    async def conduct(self, message: Any) -> None:
        """Take a frame, as the agent's queue does."""
        await self.pause()
        self.delivered += 1
        self.frames.append((message.value, set(range(len(message.value)))))

    def takes(self, offsets: Mapping[TP, int]) -> bool:
        """What the broker is asked to commit must be acknowledged up to there."""
        if self.draw.random() < 0.2:
            return False
        for tp, offset in offsets.items():
            before = self.thread.committed.get(tp, 0)
            for passed in self.thread.log[tp]:
                if before <= passed < offset and (tp, passed) not in self.acknowledged:
                    self.wrong.append(f"{tp}: {passed} is committed and was not acknowledged")
        return True

    # What happens

    def produce(self) -> None:
        log = self.thread.log[self.draw.choice(PARTITIONS)]
        for _ in range(self.draw.randint(1, 12)):
            log.append((log[-1] + 1 if log else 0) + self.draw.choice([0, 0, 0, 1, 7]))

    def acknowledge(self) -> None:
        if self.frames:
            frame, left = self.draw.choice(self.frames)
            position = self.draw.choice(sorted(left))
            frame.ack(position)
            self.note(frame, left, {position})

    def acknowledge_all(self) -> None:
        if self.frames:
            frame, left = self.draw.choice(self.frames)
            frame.ack_all()
            self.note(frame, left, set(left))

    def note(self, frame: Frame, left: set[int], positions: set[int]) -> None:
        left -= positions
        if not frame.abandoned:
            tp = TP(frame[0].topic, frame[0].partition)
            self.acknowledged |= {(tp, frame[position].offset) for position in positions}
        self.frames = [held for held in self.frames if held[1]]

    def commit(self) -> None:
        self.begin(self.consumer.commit())

    def seek(self) -> None:
        """As after Faust has recovered tables, its fetch loop running."""
        if not self.app.rebalancing:
            self.begin(self.consumer.perform_seek())

    def rebalance(self) -> None:
        if self.rebalancing is None or self.rebalancing.done():
            assigned = self.draw.sample(PARTITIONS, self.draw.randint(1, len(PARTITIONS)))
            self.rebalancing = self.begin(self.reassign(assigned))

    async def reassign(self, assigned: list[TP]) -> None:
        self.app.rebalancing = True
        await self.consumer.on_partitions_revoked(self.thread.assignment())
        if self.recovering is not None:
            self.recovering.cancel()
        if self.draw.random() < 0.3:
            await self.stop_fetching()
        for tp in PARTITIONS:
            if tp not in assigned and self.draw.random() < 0.5:
                self.others_work(tp)
        await self.pause()
        self.thread.assign(*assigned)
        self.app.consumer_generation_id = self.thread.generation
        await self.consumer.on_partitions_assigned(set(assigned), self.thread.generation)
        self.recovering = self.begin(self.recover(set(assigned)))

    def others_work(self, tp: TP) -> None:
        """Who has the partition now gets on with it."""
        if done := [offset for offset in self.thread.log[tp] if self.draw.random() < 0.5]:
            self.acknowledged |= {(tp, o) for o in self.thread.log[tp] if o <= done[-1]}
            self.thread.committed[tp] = max(done[-1] + 1, self.thread.committed.get(tp, 0))

    async def recover(self, assigned: set[TP]) -> None:
        await self.pause()
        self.consumer.resume_partitions(assigned)
        await self.consumer.perform_seek()
        self.consumer.resume_flow()
        self.app.rebalancing = False
        self.fetch()

    # Faust's fetch loop, ours but for the end of the process when it fails

    def fetch(self) -> None:
        if self.fetching is None or self.fetching.done():
            loop = driver.Consumer._drain_messages(self.consumer, Fetcher(self.app))
            self.fetching = self.begin(loop)

    async def stop_fetching(self) -> None:
        if self.fetching is not None:
            self.fetching.cancel()
            await asyncio.wait({self.fetching})

    def begin(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self.at_work.add(task)
        task.add_done_callback(self.end)
        return task

    def end(self, task: "asyncio.Task[Any]") -> None:
        self.at_work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.wrong.append(repr(task.exception()))

    async def finish(self) -> None:
        """Everything is ours again, and worked off."""
        if self.rebalancing is not None:
            await asyncio.wait({self.rebalancing})
        await self.reassign(list(PARTITIONS))
        ends = {tp: log[-1] + 1 for tp, log in self.thread.log.items() if log}
        for _ in range(20_000):
            self.acknowledge_all()
            self.commit()
            await asyncio.sleep(0)
            if self.thread.committed == ends or self.wrong:
                break
        assert self.wrong == []
        assert self.thread.committed == ends
        assert {(tp, o) for tp, log in self.thread.log.items() for o in log} <= self.acknowledged

    async def close(self) -> None:
        for task in self.at_work:
            task.cancel()
        while tasks := self.at_work | self.thread.at_work:
            await asyncio.wait(tasks)


ACTIONS: dict[str, float] = {
    "produce": 2,
    "acknowledge": 20,
    "acknowledge_all": 2,
    "commit": 3,
    "seek": 0.3,
    "rebalance": 0.5,
}


@pytest.mark.parametrize("seed", range(6))
async def test_random_interleavings_lose_nothing_and_commit_nothing_unacknowledged(
    seed: int,
) -> None:
    world = World(random.Random(seed))
    await world.reassign(list(PARTITIONS))
    for action in world.draw.choices(list(ACTIONS), weights=list(ACTIONS.values()), k=STEPS):
        getattr(world, action)()
        await world.pause()
        assert world.wrong == []
    await world.finish()
    assert world.delivered > STEPS / 10
    await world.close()
