"""The worker's loop: nothing is acknowledged before all of its outputs are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field

import pytest

from streams.active_release import ActiveRelease
from streams.batches import Loop
from streams.failures import Failures
from streams.health import Health
from streams.metrics import Metrics
from streams.records import Output, Record
from streams.role import Outputs, Role
from tests import factories as make


@dataclass
class Taken:
    """A batch that notes its acknowledgements."""

    records: list[Record]
    happened: list[str]

    def ack(self, position: int) -> None:
        self.happened.append(f"ack {self.records[position].offset}")


class Echo(Role):
    """Turns every record into one output, or into a failure of ours where the value says so."""

    name = "tagger"
    source = "events"
    slow: asyncio.Event | None = None

    def use(self, release: ActiveRelease) -> str | None:
        return None

    async def decide(self, records: Sequence[Record]) -> list[Outputs]:
        if records[0].value == b"slow" and self.slow is not None:
            await self.slow.wait()
        outputs: list[Outputs] = []
        for record in records:
            if self.failures.too_many:
                break
            self.failures.add(failed=record.value == b"fails")
            outputs.append((Output(kind="tags", key=None, value=str(record.offset).encode()),))
        return outputs


@dataclass
class Bench:
    """The loop over batches of one value a record, with deliveries that the test controls."""

    batches: list[list[bytes]]
    at_once: int = 1
    happened: list[str] = field(default_factory=list)
    deliverable: dict[str, asyncio.Event] = field(default_factory=dict)
    broken: bool = False
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        metrics = Metrics("tagger")
        failures = Failures(window=10, at_least=4, share=0.2)
        self.role = Echo(metrics=metrics, failures=failures, now_ms=lambda: make.NOW_MS)
        self.loop = Loop(
            role=self.role,
            send=self._send,
            at_once=self.at_once,
            health=self.health,
            metrics=metrics,
        )

    async def run(self) -> None:
        await self.loop.run(self._taken())

    async def _taken(self) -> AsyncIterator[Taken]:
        offset = 0
        for values in self.batches:
            records = []
            for value in values:
                records.append(make.record(value, offset=offset))
                offset += 1
            self.happened.append(f"take {records[0].offset}")
            yield Taken(records, self.happened)

    async def _send(self, outputs: Sequence[Output]) -> Awaitable[object]:
        what = b" ".join(each.value for each in outputs).decode()
        self.happened.append(f"send {what}")
        return self._deliver(what)

    async def _deliver(self, what: str) -> None:
        if what in self.deliverable:
            await self.deliverable[what].wait()
        if self.broken:
            raise ConnectionError("not acknowledged")
        self.happened.append(f"delivered {what}")


async def let_run(bench: Bench) -> "asyncio.Task[None]":
    running = asyncio.create_task(bench.run())
    for _ in range(50):
        await asyncio.sleep(0)
    return running


async def end(running: "asyncio.Task[None]") -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_batch_is_acknowledged_after_its_delivery_and_before_the_next_is_taken() -> None:
    bench = Bench(batches=[[b"a", b"b"], [b"c"]])
    await bench.run()
    assert bench.happened == [
        "take 0",
        "send 0 1",
        "delivered 0 1",
        "ack 0",
        "ack 1",
        "take 2",
        "send 2",
        "delivered 2",
        "ack 2",
    ]


async def test_later_batches_are_worked_on_while_earlier_ones_wait_but_only_so_many() -> None:
    bench = Bench(batches=[[b"a"], [b"b"], [b"c"]], at_once=2, deliverable={"0": asyncio.Event()})
    bench.deliverable["1"] = asyncio.Event()
    running = await let_run(bench)
    assert bench.happened == ["take 0", "take 1", "send 0", "send 1"]
    bench.deliverable["1"].set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert bench.happened[4:] == [
        "delivered 1",
        "ack 1",
        "take 2",
        "send 2",
        "delivered 2",
        "ack 2",
    ]
    bench.deliverable["0"].set()
    await running
    assert bench.happened[-2:] == ["delivered 0", "ack 0"]


async def test_outputs_keep_the_order_of_the_batches_whichever_is_decided_first() -> None:
    bench = Bench(batches=[[b"slow"], [b"b"], [b"c"]], at_once=3)
    bench.role.slow = asyncio.Event()
    running = await let_run(bench)
    assert not any(what.startswith("send") for what in bench.happened)
    bench.role.slow.set()
    await running
    sent = [what for what in bench.happened if what.startswith("send")]
    assert sent == ["send 0", "send 1", "send 2"]


async def test_nothing_is_acknowledged_while_delivery_waits() -> None:
    bench = Bench(batches=[[b"a"]], deliverable={"0": asyncio.Event()})
    running = await let_run(bench)
    assert bench.happened == ["take 0", "send 0"]
    await end(running)
    assert bench.happened == ["take 0", "send 0"]


async def test_a_failed_delivery_ends_the_loop_and_acknowledges_nothing() -> None:
    bench = Bench(batches=[[b"a"], [b"b"]], broken=True)
    with pytest.raises(ExceptionGroup) as caught:
        await bench.run()
    assert isinstance(caught.value.exceptions[0], ConnectionError)
    assert not any(what.startswith("ack") for what in bench.happened)


async def test_when_too_many_fail_the_decided_ones_are_finished_and_no_more_are_decided() -> None:
    bench = Bench(batches=[[b"fails", b"a", b"b", b"c", b"d"], [b"e"], [b"f"]])
    running = await let_run(bench)
    # One of four is more than a fifth: the fifth record is left to the next worker.
    assert "1 of the last 4 valid records" in bench.health.obstacles["failures"]
    assert bench.happened == [
        "take 0",
        "send 0 1 2 3",
        "delivered 0 1 2 3",
        "ack 0",
        "ack 1",
        "ack 2",
        "ack 3",
    ]
    await end(running)
