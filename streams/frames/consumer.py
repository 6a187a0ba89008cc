"""A Faust consumer that delivers frames and commits exactly what is acknowledged of them.

What Faust keeps of acknowledgements is replaced, for framed topics, by a ledger that knows single
records. Topics that are not framed keep Faust's messages and bookkeeping.

Written against faust-streaming 0.15.3; `compatibility` checks at start what is overridden.
"""

import asyncio
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from streams.frames.frame import Frame, FrameBounds, cut
from streams.frames.ledger import Ledger
from streams.frames.ordinary import OrdinaryReadOffsets, OrdinaryUnacked

_log = logging.getLogger(__name__)

# How long a revocation waits for the last commit; what is not committed by then is read again.
_LAST_COMMIT_WITHIN_S = 3.0

Records = Sequence[Any]


class Bounds(Protocol):
    """What the consumer is told by its transport; see `Transport`."""

    @property
    def framed(self) -> Mapping[str, FrameBounds]: ...

    @property
    def buffer_bytes(self) -> int: ...

    @property
    def crash_within_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class _Piece:
    """A frame's records on their way through Faust's fetch loop.

    after: the offset after the piece fetched before it; None for the first since forgotten.
    epoch: how often its partition had been forgotten before it was fetched.
    """

    records: Records
    size_bytes: int
    after: int | None
    epoch: tuple[int, int]


class Consumer(driver.Consumer):
    """Delivers frames and commits, for framed topics, exactly the acknowledged prefix."""

    def __init__(
        self, transport: Any, callback: Callable[[Message], Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(transport, callback, *args, **kwargs)
        self._bounds: Bounds = transport
        self._room = asyncio.Event()
        self.ledger: Ledger[TP] = Ledger(on_release=self._room.set)
        self._read_offset = OrdinaryReadOffsets(self._bounds.framed)
        self._unacked_messages = OrdinaryUnacked(self._bounds.framed)
        self._to_conductor = callback
        self.callback = self._deliver
        # Where the client stands: one at a time fetches from there or moves it.
        self._position = asyncio.Lock()
        self._seeks = 0
        self._losses: dict[TP, int] = defaultdict(int)
        self._fetched: dict[TP, int] = {}  # offset after the last record fetched since a seek
        self._first: dict[TP, int] = {}  # offset of the first record fetched since assigned
        self._adrift = False

    # Delivery

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> Any:
        async with self._position:
            if self._adrift:
                await self._seek_back()
            fetched = await super()._getmany(active_partitions, timeout)
            return {tp: self._cut(tp, records) for tp, records in fetched.items()}

    def _cut(self, tp: TP, records: Records) -> list[Any]:
        bounds = self._bounds.framed.get(tp.topic)
        if bounds is None or not records:
            return list(records)
        self._first.setdefault(tp, records[0].offset)
        pieces = []
        for piece, size in cut(records, max_records=bounds.max_records, max_bytes=bounds.max_bytes):
            pieces.append(_Piece(piece, size, self._fetched.get(tp), self._epoch(tp)))
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
            await self._wait_for_room(piece)
            if piece.epoch != self._epoch(message.tp):
                return  # fetched before a seek or a revocation: it will be read again
            message.value = self._hand_out(message.tp, piece)
        await self._to_conductor(message)

    async def _wait_for_room(self, piece: _Piece) -> None:
        """Until the piece fits the bound on all frames together; alone it always does.

        Waiting here stops the fetch loop. Faust ends the wait when the flow is suspended for a
        rebalance; the piece is then dropped before it stood in the ledger, and read again.
        """
        bound = self._bounds.buffer_bytes
        while self.ledger.held_bytes and self.ledger.held_bytes + piece.size_bytes > bound:
            self._room.clear()
            await self._room.wait()

    def _hand_out(self, tp: TP, piece: _Piece) -> Frame:
        # Faust drops what it fetched when the flow stops, and seeks back later. Were the seek
        # ever missing, committing a later frame would lose the dropped one.
        before = self.ledger.handed_out_to(tp)
        if piece.after != before:
            raise RuntimeError(f"{tp}: a frame before offset {piece.records[0].offset} was dropped")
        lease = self.ledger.hand_out(tp, _offsets(piece.records), size_bytes=piece.size_bytes)
        return Frame(piece.records, lease, self.ledger)

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
            timer = threading.Timer(self._bounds.crash_within_s, os._exit, (1,))
            timer.daemon = True
            timer.start()
            await self.app.crash(error)
            raise

    def on_buffer_full(self, tp: TP) -> None:
        """Leave back-pressure to the bounded queue, which blocks the fetch loop when full.

        Faust would take the partition out of the fetch, and with all of them out sleep for a
        second, however soon the queue drains.
        """
        if tp.topic not in self._bounds.framed:
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
        if tp.topic in self._bounds.framed:
            return self.ledger.committable(tp)
        return super()._new_offset(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets between frames need no book: the ledger steps over them."""
        if tp.topic not in self._bounds.framed:
            await super()._add_gap(tp, offset_from, offset_to)

    # What is held

    def assigned(self, topic: str) -> set[TP]:
        """The partitions of a topic that are held now; none before the first assignment."""
        try:
            return {tp for tp in self.assignment() if tp.topic == topic}
        except ConsumerNotStarted:
            return set()

    def committed_to(self, tp: TP) -> int | None:
        """The offset last committed, or found committed at the assignment; None for none."""
        return self._committed_offset.get(tp)

    # Rebalancing

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Commit what is acknowledged, then forget: Faust commits here only after waiting."""
        try:
            async with asyncio.timeout(_LAST_COMMIT_WITHIN_S):
                # A commit on its way began before the latest records were acknowledged.
                await self.maybe_wait_for_commit_to_finish()
                await self.commit()
        except TimeoutError:
            _log.warning("the last commit of revoked partitions takes too long; going on without")
        await super().on_partitions_revoked(revoked)
        self._forget(revoked)
        for tp in revoked:
            self._first.pop(tp, None)

    async def perform_seek(self) -> None:
        """Read on at the last commit, while nothing is being fetched.

        After it has recovered tables Faust seeks with its fetch loop running. What that fetches
        meanwhile would be handed out, and again after the seek.
        """
        async with self._position:
            await self._seek_back()

    async def _seek_back(self) -> None:
        self._forget(None)  # whatever is in flight will be read again
        self._adrift = True  # should the seek fail, what was forgotten is behind the position
        await super().perform_seek()
        for tp, offset in list(self._first.items()):
            if not self._committed_offset[tp]:  # the client seeks only where there is a commit
                await self.seek(tp, offset)
        self._adrift = False

    def _forget(self, partitions: Iterable[TP] | None) -> None:
        """What of them was fetched and not handed out yet is dropped, too."""
        self.ledger.forget(partitions)
        if partitions is None:
            self._seeks += 1
            self._fetched.clear()
            return
        for tp in partitions:
            self._losses[tp] += 1
            self._fetched.pop(tp, None)

    def _epoch(self, tp: TP) -> tuple[int, int]:
        return self._seeks, self._losses[tp]


def _offsets(records: Records) -> Sequence[int]:
    first, last = records[0].offset, records[-1].offset
    if last - first == len(records) - 1:  # they ascend, so there is no hole
        return range(first, last + 1)
    return [record.offset for record in records]
