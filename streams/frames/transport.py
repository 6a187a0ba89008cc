"""A Faust transport driver that hands agents frames instead of single messages.

Faust's cost is per message: fetching makes two tasks for each, then come the conductor, the
stream iterator and the acknowledgement. So here a *frame* of records is one message. What Faust
keeps of acknowledgements is replaced, for framed topics, by a ledger that knows single records.

Written against faust-streaming 0.15.3; `compatibility` checks at start what is overridden.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from streams.frames.frame import Frame, cut
from streams.frames.ledger import Ledger

_log = logging.getLogger(__name__)

Records = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBounds:
    """How much of a topic is handed out together, and how much may wait.

    max_records, max_bytes: of one frame; a larger record makes a frame of its own.
    max_waiting: frames in front of the agent; when they are full, nothing more is fetched.
    """

    max_records: int = 256
    max_bytes: int = 1024 * 1024
    max_waiting: int = 4


class FrameSchema(faust.Schema):  # type: ignore[type-arg]  # not generic when it runs
    """Hands frames through as they are: decoding is the agent's, a frame at a time."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:
        return None if isinstance(message.value, Frame) else message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
        return message.value


def frame_topic(app: faust.App, name: str, *, bounds: FrameBounds | None = None) -> Any:
    """Declare a topic whose agents get frames: `async for event in stream.noack().events()`.

    Raises:
        TypeError: the app's broker address does not begin with `framed://`, or it waits in a
            rebalance for what is in flight, which frames do not support.
    """
    transport = app.transport
    if app.conf.stream_wait_empty:
        raise TypeError("frames need stream_wait_empty=False: what is in flight is read again")
    if not isinstance(transport, Transport):
        raise TypeError(f"frames need the broker address framed://…, not {app.conf.broker}")
    bounds = bounds or FrameBounds()
    transport.framed[name] = bounds
    topic = app.topic(name, schema=FrameSchema())
    # App.topic() takes maxsize= and drops it; without one 4,096 frames would queue up.
    topic.maxsize = bounds.max_waiting
    return topic


@dataclass(frozen=True, slots=True)
class _Piece:
    """A frame's records on their way through Faust's fetch loop.

    after: the offset after the piece fetched before it; None right after a seek.
    """

    records: Records
    after: int | None


class Consumer(driver.Consumer):
    """Delivers frames and commits, for framed topics, exactly the acknowledged prefix."""

    def __init__(
        self, transport: "Transport", callback: Callable[[Message], Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(transport, callback, *args, **kwargs)
        self.ledger: Ledger[TP] = Ledger()
        self._framed: Mapping[str, FrameBounds] = transport.framed
        self._fetched: dict[TP, int] = {}
        self._to_conductor = callback
        self.callback = self._deliver

    # Delivery

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> Any:
        fetched = await super()._getmany(active_partitions, timeout)
        return {tp: self._cut(tp, records) for tp, records in fetched.items()}

    def _cut(self, tp: TP, records: Records) -> list[Any]:
        bounds = self._framed.get(tp.topic)
        if bounds is None:
            return list(records)
        pieces = []
        for piece in cut(records, max_records=bounds.max_records, max_bytes=bounds.max_bytes):
            pieces.append(_Piece(piece, self._fetched.get(tp)))
            self._fetched[tp] = piece[-1].offset + 1
        return pieces

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, _Piece):
            return super()._to_message(tp, record)
        message: Any = super()._to_message(tp, record.records[-1])
        message.key, message.value, message.headers = None, record, None
        return cast("ConsumerMessage", message)

    async def _deliver(self, message: Message) -> None:
        piece = message.value
        if isinstance(piece, _Piece):
            message.value = self._hand_out(message.tp, piece)
        await self._to_conductor(message)

    def _hand_out(self, tp: TP, piece: _Piece) -> Frame:
        # Faust drops what it fetched when the flow stops, and seeks back later. Were the seek
        # ever missing, committing a later frame would lose the dropped one.
        before = self.ledger.handed_out_to(tp)
        if before is not None and piece.after is not None and piece.after != before:
            raise RuntimeError(f"{tp}: a frame before offset {piece.records[0].offset} was dropped")
        lease = self.ledger.hand_out(tp, [record.offset for record in piece.records])
        return Frame(piece.records, lambda position: self.ledger.acknowledge(lease, position))

    async def _drain_messages(self, fetcher: Any) -> None:
        """End the process when fetching fails for good, as when a read right is taken away.

        Faust would mark its fetcher as crashed and stay alive, silent. Stopping can hang too, on
        a commit that the dead consumer thread never answers, so the stop is bounded; nothing that
        is not acknowledged is committed by it.
        """
        try:
            await super()._drain_messages(fetcher)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.error("fetching failed for good: %r", error)
            timer = threading.Timer(
                cast("Transport", self.transport).crash_within_s, os._exit, (1,)
            )
            timer.daemon = True
            timer.start()
            await self.app.crash(error)
            raise

    def on_buffer_full(self, tp: TP) -> None:
        """Leave back-pressure to the bounded queue, which blocks the fetch loop when full.

        Faust would take the partition out of the fetch, and with all of them out sleep for a
        second, however soon the queue drains.
        """
        if tp.topic not in self._framed:
            super().on_buffer_full(tp)

    # Acknowledgement

    def ack(self, message: Message) -> bool:
        """Acknowledge a message of Faust's; frames are acknowledged record by record instead.

        A stream acknowledges what it skips in a rebalance. A frame skipped so was not worked on:
        it must stay in the way of the commit.
        """
        if isinstance(message.value, Frame):
            return False
        return bool(super().ack(message))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        yield from super()._filter_tps_with_pending_acks(topics)
        for tp in self.ledger.partitions():
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic in self._framed:
            return self.ledger.committable(tp)
        return super()._new_offset(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets between frames need no book: the ledger steps over them."""
        if tp.topic not in self._framed:
            await super()._add_gap(tp, offset_from, offset_to)

    # Rebalancing

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await super().on_partitions_revoked(revoked)  # commits what is acknowledged
        self._forget(revoked)

    async def perform_seek(self) -> None:
        self._forget(None)  # whatever is in flight will be read again
        await super().perform_seek()

    def _forget(self, partitions: Iterable[TP] | None) -> None:
        self.ledger.forget(partitions)
        for tp in list(self._fetched) if partitions is None else list(partitions):
            self._fetched.pop(tp, None)


class Transport(driver.Transport):
    """Faust's aiokafka transport with frames; its addresses begin with `framed://`.

    crash_within_s: how long a worker whose fetching failed may take to stop.
    """

    Consumer = Consumer
    driver_version = f"framed+{driver.Transport.driver_version}"
    crash_within_s = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.framed: dict[str, FrameBounds] = {}
