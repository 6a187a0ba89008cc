"""A Faust consumer that delivers frames and commits exactly what is acknowledged of them.

What Faust keeps of acknowledgements is replaced, for framed topics, by a ledger that knows single
records. Topics that are not framed keep Faust's messages and bookkeeping.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar, cast

from faust.types import TP, ConsumerMessage, Message

from streams.frames.client import ClientConsumer
from streams.frames.frame import Frame, cut
from streams.frames.ledger import Ledger
from streams.frames.ordinary import OrdinaryReadOffsets, OrdinaryUnacked
from streams.frames.piece import Piece, Records

_log = logging.getLogger(__name__)

# How long a revocation waits for the last commit; what is not committed by then is read again.
_LAST_COMMIT_WITHIN_S = 3.0
# A fetch under way holds up the seek that ends a rebalance; Faust would wait a second for records.
_FETCH_WITHIN_S = 0.2

T = TypeVar("T")


class Consumer(ClientConsumer):
    """Delivers frames and commits, for framed topics, exactly the acknowledged prefix."""

    def __init__(
        self, transport: Any, callback: Callable[[Message], Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(transport, callback, *args, **kwargs)
        self._room = asyncio.Event()
        self.ledger: Ledger[TP] = Ledger(on_release=self._room.set)
        self._read_offset = OrdinaryReadOffsets(self._bounds.framed)
        self._unacked_messages = OrdinaryUnacked(self._bounds.framed)
        self._to_conductor = callback
        self.callback = self._deliver
        # Where the client stands: one at a time moves it, by fetching or seeking.
        self._position = asyncio.Lock()
        self._move: asyncio.Future[Any] | None = None  # the last that did, or does
        self._adrift = False  # what that fetched is lost on us: seek back before the next fetch
        self._seeks = 0
        self._losses: dict[TP, int] = defaultdict(int)
        self._fetched: dict[TP, int] = {}  # offset after the last record fetched since a seek
        self._first: dict[TP, int] = {}  # offset of the first record fetched since assigned

    # Delivery

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> Any:
        async with self._position:
            if self._adrift:
                await self._seek_back()
            losses = self._losses.copy()
            within_s = min(timeout, _FETCH_WITHIN_S)
            fetched = await self._moved(partial(self._fetch, active_partitions, within_s))
            for tp in [tp for tp in fetched if losses[tp] != self._losses[tp]]:
                if tp.topic in self._bounds.framed:  # it was revoked while this was under way
                    del fetched[tp]
                    self._adrift = True
            return {tp: self._cut(tp, records) for tp, records in fetched.items()}

    async def _fetch(self, active_partitions: set[TP] | None, within_s: float) -> Any:
        fetched = await super()._getmany(active_partitions, within_s)
        for tp, records in fetched.items():
            if tp.topic in self._bounds.framed:
                self._first.setdefault(tp, records[0].offset)
        return fetched

    async def _moved(self, move: Callable[[], Awaitable[T]]) -> T:
        """What comes of a move of the client; cancelled before we hear of it, we are adrift.

        The client's thread goes on with it all the same, so the next move waits for its end.
        """
        if self._move is not None and not self._move.done():
            await asyncio.wait({self._move})
        self._adrift = True
        self._move = asyncio.ensure_future(move())
        outcome: T = await asyncio.shield(self._move)
        self._adrift = False
        return outcome

    def _cut(self, tp: TP, records: Records) -> list[Any]:
        bounds = self._bounds.framed.get(tp.topic)
        if bounds is None:
            return list(records)
        pieces = []
        for part, size in cut(records, max_records=bounds.max_records, max_bytes=bounds.max_bytes):
            after, epoch = self._fetched.get(tp), self._epoch(tp)
            pieces.append(Piece(records=part, size_bytes=size, after=after, epoch=epoch))
            self._fetched[tp] = part[-1].offset + 1
        return pieces

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Piece):
            return super()._to_message(tp, record)
        message: Any = super()._to_message(tp, record.records[-1])
        message.key, message.value, message.headers = None, record, None
        return cast("ConsumerMessage", message)

    async def _deliver(self, message: Message) -> None:
        piece = message.value
        if isinstance(piece, Piece):
            await self._wait_for_room(piece)
            if piece.epoch != self._epoch(message.tp):
                return  # fetched before a seek or a revocation: it will be read again
            message.value = self._hand_out(message.tp, piece)
        await self._to_conductor(message)

    async def _wait_for_room(self, piece: Piece) -> None:
        """Until the piece fits the bound on all frames together; alone it always does.

        Waiting here stops the fetch loop. Faust ends the wait when the flow is suspended for a
        rebalance; the piece is then dropped before it stood in the ledger, and read again.
        """
        bound = self._bounds.buffer_bytes
        while self.ledger.held_bytes and self.ledger.held_bytes + piece.size_bytes > bound:
            self._room.clear()
            await self._room.wait()

    def _hand_out(self, tp: TP, piece: Piece) -> Frame:
        # Faust drops what it fetched when the flow stops, and seeks back later. Were the seek
        # ever missing, committing a later frame would lose the dropped one.
        before = self.ledger.handed_out_to(tp)
        if piece.after != before:
            raise RuntimeError(f"{tp}: a frame before offset {piece.records[0].offset} was dropped")
        lease = self.ledger.hand_out(tp, piece.offsets, size_bytes=piece.size_bytes)
        return Frame(piece.records, lease, self.ledger)

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

    def _should_commit(self, tp: TP, offset: int) -> bool:
        if tp.topic in self._bounds.framed:
            return offset > (self.committed_to(tp) or 0)
        return super()._should_commit(tp, offset)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets between frames need no book: the ledger steps over them."""
        if tp.topic not in self._bounds.framed:
            await super()._add_gap(tp, offset_from, offset_to)

    # Rebalancing

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Commit what is acknowledged, then forget: Faust commits here only after waiting."""
        await self._commit_last()
        try:
            await super().on_partitions_revoked(revoked)
        finally:
            self._forget(revoked)
            for tp in revoked:
                self._first.pop(tp, None)

    async def _commit_last(self) -> None:
        """For a bounded time: by a task of its own, since Faust waits on through a cancellation."""
        last = asyncio.ensure_future(self._commit_latest())
        try:
            done, _ = await asyncio.wait({last}, timeout=_LAST_COMMIT_WITHIN_S)
        finally:
            last.cancel()
        if not done:
            _log.warning("the last commit of revoked partitions takes too long; going on without")

    async def _commit_latest(self) -> None:
        # A commit on its way began before the latest records were acknowledged. Waited for as
        # Faust does, it would be cancelled together with us.
        while self._commit_fut is not None and not self._commit_fut.done():
            await asyncio.wait({self._commit_fut})
        try:
            await self.commit()
        except Exception as error:  # noqa: BLE001 - of whatever kind, the partitions go
            _log.warning("the last commit of revoked partitions failed: %r", error)

    async def perform_seek(self) -> None:
        """Read on at the last commit, while nothing is being fetched.

        After it has recovered tables Faust seeks with its fetch loop running. What that fetches
        meanwhile would be handed out, and again after the seek.
        """
        async with self._sought_in_time(), self._position:
            await self._seek_back()

    async def _seek_back(self) -> None:
        await self._moved(self._rewind)

    async def _rewind(self) -> None:
        self._forget(None)  # whatever is in flight will be read again
        await super().perform_seek()
        # The client seeks only where there is a commit.
        first = {tp: at for tp, at in self._first.items() if self.committed_to(tp) is None}
        if first:
            await self.seek_wait(first)  # in the client's thread, which `seek` is not

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
