"""The transport without a broker: frames out, exact offsets back, ordinary topics untouched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import faust
import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.frames import Frame, FrameBounds, frame_topic
from streams.frames import compatibility as frames_compatibility
from streams.frames.compatibility import FaustChanged, check_faust
from streams.frames.transport import Consumer, _Piece

FRAMED, PLAIN = TP("framed", 0), TP("plain", 0)


@dataclass(frozen=True)
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


def fetched(*offsets: int, topic: str = "framed") -> list[Fetched]:
    return [Fetched(offset, topic=topic) for offset in offsets]


def make_app(**settings: Any) -> faust.App:
    return faust.App(
        "u",
        broker="framed://nowhere:1",
        env_prefix="U_",
        **{"stream_wait_empty": False, "topic_allow_declare": False, **settings},
    )


@dataclass
class Delivered:
    """A consumer whose messages end up here instead of in Faust's conductor."""

    consumer: Consumer
    messages: list[Any]

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
    consumer = Consumer(app.transport, callback, None, None)  # type: ignore[arg-type]
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


async def test_ordinary_topics_keep_faust_s_own_messages_and_bookkeeping(
    delivered: Delivered,
) -> None:
    records = delivered.consumer._cut(PLAIN, fetched(0, 1, topic="plain"))
    assert not any(isinstance(record, _Piece) for record in records)
    await delivered.deliver(PLAIN, records)
    for message in delivered.messages:
        assert message.value == b"v"
        assert delivered.consumer.ack(message)
    assert delivered.committable(PLAIN) == 2


def test_frames_need_their_own_address_and_no_waiting_in_rebalances() -> None:
    with pytest.raises(TypeError, match="framed://"):
        frame_topic(faust.App("u", broker="kafka://nowhere:1", stream_wait_empty=False), "t")
    with pytest.raises(TypeError, match="stream_wait_empty=False"):
        frame_topic(make_app(stream_wait_empty=True), "t")


def test_a_bounded_number_of_frames_waits_in_front_of_the_agent() -> None:
    topic = frame_topic(make_app(), "t", bounds=FrameBounds(max_waiting=2))
    assert topic.maxsize == 2


def test_the_installed_faust_is_the_one_the_transport_was_written_against() -> None:
    check_faust()


def test_a_faust_that_changed_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def _new_offset(self: object, tp: TP, surprise: int) -> int:
        return surprise

    monkeypatch.setattr(driver.Consumer, "_new_offset", _new_offset)
    with pytest.raises(FaustChanged, match="_new_offset"):
        check_faust()
    monkeypatch.delattr(driver.Consumer, "_new_offset")
    monkeypatch.setattr(frames_compatibility, "_OVERRIDDEN", ("no_such_method", "ack"))
    monkeypatch.setattr(Consumer, "no_such_method", _new_offset, raising=False)
    with pytest.raises(FaustChanged, match="no_such_method"):
        check_faust()
