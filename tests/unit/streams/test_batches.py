"""The worker's loop: nothing is acknowledged before all of its outputs are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from streams import batches as batches_module
from streams.active_release import ActiveRelease
from streams.batches import Loop
from streams.codec import decode_dead_letter
from streams.failures import Failures
from streams.health import Health
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.progress import Progress
from streams.records import Output, Record
from streams.role import Outputs, Role, never
from streams.tracing import Tracing, Untraced
from tests import factories as make


@dataclass
class Taken:
    """A batch that notes its acknowledgements."""

    records: list[Record]
    happened: list[str]
    abandoned: bool = False

    @property
    def size_bytes(self) -> int:
        return sum(len(record.value or b"") for record in self.records)

    def ack(self, position: int) -> None:
        self.happened.append(f"ack {self.records[position].offset}")

    def ack_all(self) -> None:
        for position in range(len(self.records)):
            self.ack(position)


class Echo(Role):
    """Turns every record into one output, its offset; the value says where it does otherwise.

    `fails` counts as a failure of ours, `slow` waits, `full` and `large` fill the topic's limit
    and exceed it by one byte.
    """

    name = "tagger"
    source = "events"
    slow: asyncio.Event | None = None

    def use(self, release: ActiveRelease) -> str | None:
        return None

    async def decide(
        self, records: Sequence[Record], *, abandoned: Callable[[], bool] = never
    ) -> list[Outputs]:
        outputs: list[Outputs] = []
        for record in records:
            if self.failures.too_many or abandoned():
                break
            if record.value == b"slow" and self.slow is not None:
                await self.slow.wait()
            self.failures.add(failed=record.value == b"fails")
            value = str(record.offset).encode()
            size_bytes = {b"full": LIMITS.tag_bytes, b"large": LIMITS.tag_bytes + 1}
            value = value.ljust(size_bytes.get(record.value or b"", 0))
            outputs.append((Output(kind="tags", key=None, value=value),))
        return outputs


@dataclass
class Bench:
    """The loop over batches of one value a record, with deliveries that the test controls."""

    batches: list[list[bytes]]
    at_once: int = 1
    happened: list[str] = field(default_factory=list)
    deliverable: dict[str, asyncio.Event] = field(default_factory=dict)
    room: asyncio.Event | None = None
    broken: bool = False
    health: Health = field(default_factory=Health)
    tracing: Tracing = field(default_factory=Untraced)
    taken: list[Taken] = field(default_factory=list)
    sent: list[Output] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.metrics = metrics = Metrics("tagger")
        failures = Failures(window=10, at_least=4, share=0.2)
        self.role = Echo(metrics=metrics, failures=failures, now_ms=lambda: make.NOW_MS)
        self.loop = Loop(
            role=self.role,
            send=self._send,
            at_once=self.at_once,
            health=self.health,
            metrics=metrics,
            tracing=self.tracing,
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
            self.taken.append(Taken(records, self.happened))
            yield self.taken[-1]

    async def _send(self, outputs: Sequence[Output]) -> Awaitable[object]:
        self.sent += outputs
        if self.room is not None:
            await self.room.wait()
        what = b" ".join(each.value.strip()[:9] for each in outputs).decode(errors="replace")
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
    await go_on()
    return running


async def go_on() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


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
    await go_on()
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


async def test_a_batch_abandoned_while_it_is_decided_is_neither_sent_nor_acknowledged() -> None:
    bench = Bench(batches=[[b"slow"], [b"b"]], at_once=2)
    bench.role.slow = asyncio.Event()
    running = await let_run(bench)
    bench.taken[0].abandoned = True
    bench.role.slow.set()
    await running
    assert bench.happened == ["take 0", "take 1", "send 1", "delivered 1", "ack 1"]


async def test_of_a_batch_abandoned_in_the_middle_the_rest_is_not_begun_and_nothing_pauses() -> (
    None
):
    bench = Bench(batches=[[b"a", b"slow", b"b"], [b"c"]])
    bench.role.slow = asyncio.Event()
    running = await let_run(bench)
    bench.taken[0].abandoned = True
    bench.role.slow.set()
    await running
    assert bench.role.failures.summary == "0 of the last 3 valid records"  # offsets 0, 1 and 3
    assert bench.happened == ["take 0", "take 3", "send 3", "delivered 3", "ack 3"]
    assert bench.health.ready


async def test_an_output_larger_than_its_topic_takes_is_a_dead_letter_in_its_place() -> None:
    bench = Bench(batches=[[b"full", b"large", b"c"]])
    await bench.run()
    assert [output.kind for output in bench.sent] == ["tags", "dead_letters", "tags"]
    letter = decode_dead_letter(bench.sent[1].value)
    assert (letter.reason, letter.record) == ("output_too_large", b"large")
    assert bench.happened[-3:] == ["ack 0", "ack 1", "ack 2"]
    assert bench.role.failures.summary == "0 of the last 3 valid records"


class Signed:
    """Signs every output with the record that led to it, and checks the time it took."""

    def carry(
        self, record: Record, outputs: Sequence[Output], *, started_ns: int, ended_ns: int
    ) -> tuple[Output, ...]:
        assert started_ns <= ended_ns
        header = ("of", str(record.offset).encode())
        return tuple(replace(output, headers=(header,)) for output in outputs)


async def test_a_record_s_trace_is_carried_on_to_its_outputs_and_to_its_dead_letter() -> None:
    bench = Bench(batches=[[b"a", b"large"], [b"c"]], tracing=Signed())
    await bench.run()
    assert [dict(output.headers)["of"] for output in bench.sent] == [b"0", b"1", b"2"]


async def test_a_failed_delivery_ends_the_loop_and_acknowledges_nothing() -> None:
    bench = Bench(batches=[[b"a"], [b"b"]], broken=True)
    with pytest.raises(ExceptionGroup) as caught:
        await bench.run()
    assert isinstance(caught.value.exceptions[0], ConnectionError)
    assert not any(what.startswith("ack") for what in bench.happened)


async def test_a_delivery_that_takes_long_makes_the_worker_unready_until_it_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches_module, "_SLOW_DELIVERY_S", 0)
    bench = Bench(batches=[[b"a"]], deliverable={"0": asyncio.Event()})
    running = await let_run(bench)
    assert "no acknowledgement from Kafka" in bench.health.obstacles["delivery"]
    bench.deliverable["0"].set()
    await running
    assert bench.health.ready


async def test_waiting_for_room_to_send_makes_the_worker_unready_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches_module, "_SLOW_DELIVERY_S", 0)
    room = asyncio.Event()
    bench = Bench(batches=[[b"a"]], room=room, deliverable={"0": asyncio.Event()})
    running = await let_run(bench)
    assert bench.happened == ["take 0"]
    assert "no acknowledgement from Kafka" in bench.health.obstacles["delivery"]
    room.set()
    await go_on()
    assert bench.happened == ["take 0", "send 0"]
    assert "delivery" in bench.health.obstacles
    bench.deliverable["0"].set()
    await running
    assert bench.health.ready


async def test_a_delivery_that_fails_keeps_nobody_waiting_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches_module, "_SLOW_DELIVERY_S", 0)
    bench = Bench(batches=[[b"a"]], deliverable={"0": asyncio.Event()}, broken=True)
    running = await let_run(bench)
    assert "delivery" in bench.health.obstacles
    bench.deliverable["0"].set()
    with pytest.raises(ExceptionGroup):
        await running
    assert bench.health.ready


async def test_a_delivery_in_time_leaves_the_worker_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_module, "_SLOW_DELIVERY_S", 0.01)
    bench = Bench(batches=[[b"a"]])
    await bench.run()
    await asyncio.sleep(0.02)
    assert bench.health.ready


async def test_an_acknowledgement_is_progress() -> None:
    now_s = [0.0]
    bench = Bench(batches=[[b"a"]], deliverable={"0": asyncio.Event()})
    bench.role.progress = Progress(clock=lambda: now_s[0])
    bench.role.progress.expect(work=True)
    running = await let_run(bench)
    now_s[0] = 100.0
    assert bench.role.progress.stalled(now_s[0], patience_s=30.0) == 100.0
    bench.deliverable["0"].set()
    await running
    assert bench.role.progress.stalled(now_s[0], patience_s=30.0) is None


async def test_records_and_bytes_are_counted_as_they_come_and_go() -> None:
    bench = Bench(batches=[[b"abc", b"de"], [b"f"]], deliverable={"2": asyncio.Event()})
    running = await let_run(bench)

    def counted(name: str, **labels: str) -> float | None:
        return bench.metrics.registry.get_sample_value(f"kdsl_{name}", labels)

    assert counted("frames_total") == 2
    assert counted("records_total", outcome="taken") == 3
    assert counted("records_total", outcome="acknowledged") == 2
    assert counted("bytes_total", direction="taken") == 6
    assert counted("bytes_total", direction="sent") == 3  # "0", "1" and "2"
    assert counted("decide_seconds_count") == 2
    assert counted("deliver_seconds_count") == 1
    bench.deliverable["2"].set()
    await running
    assert counted("records_total", outcome="acknowledged") == 3
    assert counted("deliver_seconds_count") == 2


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


async def test_nothing_is_finished_behind_a_batch_of_which_records_are_left() -> None:
    bench = Bench(
        batches=[[b"a", b"slow", b"b"], [b"fails", b"fails", b"c", b"d"], [b"e"], [b"f"]],
        at_once=3,
    )
    bench.role.slow = asyncio.Event()
    running = await let_run(bench)
    # Two of four: the second batch ends before its last record, and then, at two of five, the
    # first before its own.
    assert "2 of the last 4 valid records" in bench.health.obstacles["failures"]
    bench.role.slow.set()
    await go_on()
    assert bench.happened == [
        "take 0",
        "take 3",
        "take 7",
        "send 0 1",
        "delivered 0 1",
        "ack 0",
        "ack 1",
    ]
    await end(running)


async def test_a_pause_is_for_good_although_fewer_fail_of_those_still_under_way() -> None:
    bench = Bench(
        batches=[[b"slow", b"a", b"b", b"c"], [b"fails", b"d", b"e", b"f", b"g"], [b"h"]],
        at_once=2,
    )
    bench.role.slow = asyncio.Event()
    running = await let_run(bench)
    assert "1 of the last 4 valid records" in bench.health.obstacles["failures"]
    bench.role.slow.set()
    await go_on()
    assert not bench.role.failures.too_many  # one of eight
    happened = [what for what in bench.happened if what.startswith(("take", "send"))]
    assert happened == ["take 0", "take 4", "send 0 1 2 3", "send 4 5 6 7"]
    assert "failures" in bench.health.obstacles
    await end(running)
