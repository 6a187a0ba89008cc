"""The worker's loop: nothing is acknowledged before all of its outputs are."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from streams.active_release import ActiveRelease
from streams.batches import work_off
from streams.failures import Failures
from streams.health import Health
from streams.metrics import Metrics
from streams.records import Output, Record
from streams.role import Outputs, Role
from tests import factories as make


@dataclass
class Taken:
    """A record that keeps the order of what happens to it."""

    record: Record
    happened: list[str]

    def ack(self) -> None:
        self.happened.append(f"ack {self.record.offset}")


class Echo(Role):
    """Turns every record into one output, or into a failure of ours where the value says so."""

    name = "tagger"
    source = "events"

    def use(self, release: ActiveRelease) -> str | None:
        return None

    async def decide(self, records: Sequence[Record]) -> list[Outputs]:
        outputs: list[Outputs] = []
        for record in records:
            if self.failures.too_many:
                break
            self.failures.add(failed=record.value == b"fails")
            outputs.append((Output(kind="tags", key=None, value=str(record.offset).encode()),))
        return outputs


@dataclass
class Loop:
    """The loop over batches of one value a record, with a delivery that the test controls."""

    batches: list[list[bytes]]
    happened: list[str] = field(default_factory=list)
    deliverable: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    health: Health = field(default_factory=Health)
    metrics: Metrics = field(default_factory=lambda: Metrics("tagger"))

    async def run(self) -> None:
        role = Echo(
            metrics=self.metrics,
            failures=Failures(window=10, at_least=4, share=0.2),
            now_ms=lambda: make.NOW_MS,
        )
        await work_off(self._taken(), role, self._deliver, health=self.health, metrics=self.metrics)

    async def _taken(self) -> AsyncIterator[list[Taken]]:
        offset = 0
        for values in self.batches:
            batch = []
            for value in values:
                batch.append(Taken(make.record(value, offset=offset), self.happened))
                offset += 1
            yield batch

    async def _deliver(self, outputs: Sequence[Output]) -> None:
        self.happened.append("deliver " + b" ".join(each.value for each in outputs).decode())
        await self.deliverable.wait()
        if self.broken:
            raise ConnectionError("not acknowledged")
        self.happened.append("delivered")


async def test_a_batch_is_acknowledged_after_its_delivery_and_before_the_next_is_taken() -> None:
    loop = Loop(batches=[[b"a", b"b"], [b"c"]])
    loop.deliverable.set()
    await loop.run()
    assert loop.happened == [
        "deliver 0 1",
        "delivered",
        "ack 0",
        "ack 1",
        "deliver 2",
        "delivered",
        "ack 2",
    ]


async def test_nothing_is_acknowledged_while_delivery_waits() -> None:
    loop = Loop(batches=[[b"a"]])
    running = asyncio.create_task(loop.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert loop.happened == ["deliver 0"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert loop.happened == ["deliver 0"]


async def test_a_failed_delivery_ends_the_loop_and_acknowledges_nothing() -> None:
    loop = Loop(batches=[[b"a"], [b"b"]], broken=True)
    loop.deliverable.set()
    with pytest.raises(ConnectionError):
        await loop.run()
    assert loop.happened == ["deliver 0"]


async def test_when_too_many_fail_the_decided_ones_are_finished_and_no_more_are_taken() -> None:
    loop = Loop(batches=[[b"fails", b"a", b"b", b"c", b"d"], [b"e"]])
    loop.deliverable.set()
    running = asyncio.create_task(loop.run())
    for _ in range(20):
        await asyncio.sleep(0)
    # One of four is more than a fifth: the fifth record is left to the next worker.
    assert loop.happened == ["deliver 0 1 2 3", "delivered", "ack 0", "ack 1", "ack 2", "ack 3"]
    assert "1 of the last 4 valid records" in loop.health.obstacles["failures"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
