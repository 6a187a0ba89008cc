"""The transport without a broker: frames out, exact offsets back, ordinary topics untouched."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import faust
import pytest
from faust.types import TP

from streams.frames import Frame, FrameBounds, frame_consumer, frame_topic
from streams.frames.consumer import Consumer
from streams.frames.piece import Piece
from tests.unit.streams.frames.fake_client import Fetched, make_app

FRAMED, PLAIN = TP("framed", 0), TP("plain", 0)


def fetched(*offsets: int, topic: str = "framed") -> list[Fetched]:
    return [Fetched(offset, topic=topic) for offset in offsets]


@dataclass
class Delivered:
    """A consumer whose messages end up here instead of in Faust's conductor."""

    consumer: Consumer
    messages: list[Any]

    @property
    def frames(self) -> list[Frame]:
        return [message.value for message in self.messages]

    def bound(self, buffer_bytes: int) -> None:
        self.consumer.transport.buffer_bytes = buffer_bytes  # type: ignore[attr-defined]

    async def deliver(self, tp: TP, pieces: list[Any]) -> None:
        for piece in pieces:
            await self.consumer._deliver(self.consumer._to_message(tp, piece))

    def committable(self, tp: TP = FRAMED) -> int | None:
        return self.consumer._filter_committable_offsets(
            list(self.consumer._filter_tps_with_pending_acks())
        ).get(tp)


@pytest.fixture
def delivered() -> Delivered:
    app = make_app()
    frame_topic(app, "framed", bounds=FrameBounds(max_records=3))
    app.topics.acking_topics.add("plain")
    messages: list[Any] = []

    async def conductor(message: Any) -> None:
        messages.append(message)

    callback: Callable[[Any], Awaitable[None]] = conductor
    consumer = Consumer(app.transport, callback, None, None)
    return Delivered(consumer, messages)


async def test_what_a_fetch_returned_arrives_as_frames_of_bounded_length(
    delivered: Delivered,
) -> None:
    pieces = delivered.consumer._cut(FRAMED, fetched(5, 6, 7, 8))
    await delivered.deliver(FRAMED, pieces)
    frames = [message.value for message in delivered.messages]
    assert all(isinstance(frame, Frame) for frame in frames)
    assert [[record.offset for record in frame] for frame in frames] == [[5, 6, 7], [8]]
    assert [message.offset for message in delivered.messages] == [7, 8]


async def test_only_the_acknowledged_prefix_is_committed_in_the_middle_of_a_frame_too(
    delivered: Delivered,
) -> None:
    await delivered.deliver(FRAMED, delivered.consumer._cut(FRAMED, fetched(5, 6, 9, 10)))
    first, second = (message.value for message in delivered.messages)
    second.ack_all()
    assert delivered.committable() is None
    first.ack(1)
    assert delivered.committable() is None
    first.ack(0)
    assert delivered.committable() == 7
    first.ack(2)
    assert delivered.committable() == 11


async def test_a_frame_that_faust_skips_in_a_rebalance_stays_in_the_way_of_the_commit(
    delivered: Delivered,
) -> None:
    await delivered.deliver(FRAMED, delivered.consumer._cut(FRAMED, fetched(5)))
    assert delivered.consumer.ack(delivered.messages[0]) is False
    assert delivered.committable() is None


async def test_after_a_seek_old_frames_are_stale_and_their_records_may_come_again(
    delivered: Delivered,
) -> None:
    await delivered.deliver(FRAMED, delivered.consumer._cut(FRAMED, fetched(5, 6)))
    delivered.consumer._forget(None)
    delivered.messages[0].value.ack_all()
    assert delivered.committable() is None
    await delivered.deliver(FRAMED, delivered.consumer._cut(FRAMED, fetched(5, 6)))
    delivered.messages[1].value.ack(0)
    assert delivered.committable() == 6


async def test_a_dropped_frame_is_noticed_before_anything_is_committed_past_it(
    delivered: Delivered,
) -> None:
    first, _, third = delivered.consumer._cut(FRAMED, fetched(*range(9)))
    await delivered.deliver(FRAMED, [first])
    with pytest.raises(RuntimeError, match="a frame before offset 6 was dropped"):
        await delivered.deliver(FRAMED, [third])


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def weighing(*sizes_bytes: int, first: int = 0) -> list[Fetched]:
    """Records of these sizes, at the offsets from `first` on."""
    return [
        Fetched(first + place, key=None, value=bytes(size))
        for place, size in enumerate(sizes_bytes)
    ]


async def test_a_frame_is_handed_out_when_enough_of_the_others_is_acknowledged(
    delivered: Delivered,
) -> None:
    delivered.bound(100)
    first, second, third = delivered.consumer._cut(FRAMED, weighing(*[10, 20, 30] * 2, 0, 30, 1))
    await delivered.deliver(FRAMED, [first])
    waiting = asyncio.create_task(delivered.deliver(FRAMED, [second, third]))
    await settle()
    assert [frame.size_bytes for frame in delivered.frames] == [60]
    delivered.frames[0].ack(0)
    delivered.frames[0].ack(2)
    await settle()
    assert len(delivered.frames) == 1  # 60 bytes stay in memory until the whole frame is done
    delivered.frames[0].ack(1)
    await waiting  # for both: 60 + 31 fit into 100 once the first frame is gone
    assert [frame.size_bytes for frame in delivered.frames] == [60, 60, 31]
    assert delivered.consumer.ledger.held_bytes == 91


async def test_a_frame_larger_than_the_bound_passes_alone(delivered: Delivered) -> None:
    delivered.bound(100)
    small, large, last = delivered.consumer._cut(FRAMED, weighing(0, 0, 1, 0, 0, 500, 1))
    waiting = asyncio.create_task(delivered.deliver(FRAMED, [small, large, last]))
    await settle()
    assert [frame.size_bytes for frame in delivered.frames] == [1]
    delivered.frames[0].ack_all()
    await settle()
    assert [frame.size_bytes for frame in delivered.frames] == [1, 500]
    delivered.frames[1].ack_all()
    await waiting
    assert [frame.size_bytes for frame in delivered.frames] == [1, 500, 1]


async def test_what_is_taken_away_makes_room_too(delivered: Delivered) -> None:
    delivered.bound(100)
    other = TP("framed", 1)
    await delivered.deliver(other, delivered.consumer._cut(other, weighing(90)))
    pieces = delivered.consumer._cut(FRAMED, weighing(90))
    waiting = asyncio.create_task(delivered.deliver(FRAMED, pieces))
    await settle()
    assert len(delivered.frames) == 1
    delivered.consumer._forget([other])
    await waiting
    assert [frame.abandoned for frame in delivered.frames] == [True, False]
    assert delivered.consumer.ledger.held_bytes == 90


async def test_a_first_frame_given_up_before_it_was_handed_out_is_noticed_too(
    delivered: Delivered,
) -> None:
    _, second = delivered.consumer._cut(FRAMED, fetched(*range(6)))
    with pytest.raises(RuntimeError, match="a frame before offset 3 was dropped"):
        await delivered.deliver(FRAMED, [second])


async def test_what_was_fetched_before_its_partition_was_taken_away_is_dropped(
    delivered: Delivered,
) -> None:
    first, second = delivered.consumer._cut(FRAMED, fetched(*range(6)))
    await delivered.deliver(FRAMED, [first])
    delivered.consumer._forget([FRAMED])
    await delivered.deliver(FRAMED, [second])
    assert len(delivered.frames) == 1


async def test_a_frame_given_up_while_it_waits_for_room_was_never_handed_out(
    delivered: Delivered,
) -> None:
    """So Faust ends the wait when the flow is suspended for a rebalance."""
    delivered.bound(100)
    first, second = delivered.consumer._cut(FRAMED, weighing(90, 0, 0, 90))
    await delivered.deliver(FRAMED, [first])
    waiting = asyncio.create_task(delivered.deliver(FRAMED, [second]))
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (delivered.consumer.ledger.held_bytes, delivered.consumer.ledger.in_flight()) == (90, 3)
    assert len(delivered.frames) == 1
    delivered.frames[0].ack_all()
    assert delivered.committable() == 3
    delivered.consumer._forget([FRAMED])
    await delivered.deliver(FRAMED, delivered.consumer._cut(FRAMED, weighing(90, first=3)))
    delivered.frames[1].ack_all()
    assert delivered.committable() == 4


async def test_before_the_start_nothing_is_assigned_and_nothing_committed() -> None:
    app = make_app()
    frame_topic(app, "framed")
    assert frame_consumer(app).assigned("framed") == set()
    assert frame_consumer(app).committed_to(FRAMED) is None
    assert frame_consumer(app).ledger.held_bytes == 0


def test_no_interval_between_fetches_is_too_long() -> None:
    app = make_app(broker_max_poll_interval=5.0)
    frame_consumer(app)
    assert app.conf.broker_max_poll_interval > 86_400 * 365


async def test_ordinary_topics_keep_faust_s_own_messages_and_bookkeeping(
    delivered: Delivered,
) -> None:
    records = delivered.consumer._cut(PLAIN, fetched(0, 1, topic="plain"))
    assert not any(isinstance(record, Piece) for record in records)
    await delivered.deliver(PLAIN, records)
    for message in delivered.messages:
        assert message.value == b"v"
        assert delivered.consumer.ack(message)
    assert delivered.committable(PLAIN) == 2


def test_frames_need_their_own_address() -> None:
    with pytest.raises(TypeError, match="framed://"):
        frame_topic(faust.App("u", broker="kafka://nowhere:1"), "t")


def test_a_bounded_number_of_frames_waits_in_front_of_the_agent() -> None:
    topic = frame_topic(make_app(), "t", bounds=FrameBounds(max_waiting=2))
    assert topic.maxsize == 2
