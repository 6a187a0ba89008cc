"""A Faust consumer that is true to its client: failures end the process, commits are confirmed.

Written against faust-streaming 0.15.3; `compatibility` checks at start what is leaned upon.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from mode import Service

from streams.frames.ending import exit_hard_after
from streams.frames.frame import FrameBounds
from streams.frames.unreadable import named

_log = logging.getLogger(__name__)

_ASK_EVERY_S = 1.0
# Of the time that Faust gives a seek; then it ends its recovery, and stays alive and silent.
_SEEK_WITHIN = 0.9


class Bounds(Protocol):
    """What the consumer is told by its transport; see `Transport`."""

    @property
    def framed(self) -> Mapping[str, FrameBounds]: ...

    @property
    def buffer_bytes(self) -> int: ...

    @property
    def crash_within_s(self) -> float: ...


class ClientConsumer(driver.Consumer):
    """Ends the process when the client fails for good, and knows what is really committed."""

    def __init__(
        self, transport: Any, callback: Callable[[Message], Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(transport, callback, *args, **kwargs)
        self._bounds: Bounds = transport
        # A commit writes into the dict of when it began. Seeks and revocations make a new one, so
        # an answer that comes later says nothing of what they found.
        self._confirmed: dict[TP, int] = {}
        self._coordinator_error: Exception | None = None
        self._failed = False

    # Failures

    async def _drain_messages(self, fetcher: Any) -> None:
        """End the process when fetching fails for good, as when a read right is taken away.

        Faust would mark its fetcher as crashed and stay alive, silent.
        """
        try:
            await super()._drain_messages(fetcher)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            failure = named(error, group=self.app.conf.id)
            await self._fail(failure)
            if failure is error:
                raise
            raise failure from error

    @asynccontextmanager
    async def _sought_in_time(self) -> AsyncIterator[None]:
        """End the process when a seek takes too long."""
        within_s = _SEEK_WITHIN * self.app.conf.broker_request_timeout
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError as error:
            failure = TimeoutError(f"Kafka did not say within {within_s:g} s what is committed")
            await self._fail(failure)
            raise failure from error

    @Service.task
    async def _watch_coordinator(self) -> None:
        """Ask for errors of the group; until somebody does, the client neither beats nor joins.

        The client itself asks only where it is told to fetch, and Faust goes around that.
        """
        while not self.should_stop:
            await self.sleep(_ASK_EVERY_S)
            if self._coordinator_error is not None:
                await self._fail(self._coordinator_error)
            elif not self.should_stop:
                self._thread.thread_loop.call_soon_threadsafe(self._ask_coordinator)

    def _ask_coordinator(self) -> None:
        """In the client's thread, whose loop its futures belong to."""
        client = self._thread._consumer  # noqa: SLF001 - Faust has no other way to it
        try:
            if client is not None and client._coordinator is not None:  # noqa: SLF001
                client._coordinator.check_errors()  # noqa: SLF001
        except Exception as error:  # noqa: BLE001 - of whatever kind, it coordinates no more
            self._coordinator_error = error

    async def _fail(self, error: BaseException) -> None:
        """End the process; nothing that is not acknowledged is committed by it.

        Stopping can hang, on a commit that the dead consumer thread never answers.
        """
        if self._failed:
            return
        self._failed = True
        _log.error("reading from Kafka failed for good: %r", error)
        exit_hard_after(self._bounds.crash_within_s)
        await self.app.crash(error)

    # Commits

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Note what is committed: Faust takes a commit that failed for one that did not."""
        confirmed = self._confirmed
        if await super()._commit(offsets):
            confirmed.update(offsets)
            return True
        if self._thread.crashed and (reason := self._thread.crash_reason) is not None:
            await self._fail(reason)
        return False

    async def seek_to_committed(self) -> Any:
        found = await super().seek_to_committed()
        self._confirmed = {TP(*tp): offset for tp, offset in found.items() if offset}
        return found

    async def on_partitions_revoked(self, revoked: Any) -> None:
        try:
            await super().on_partitions_revoked(revoked)
        finally:
            kept = self._confirmed.keys() - set(revoked)
            self._confirmed = {tp: self._confirmed[tp] for tp in kept}

    def committed_to(self, tp: TP) -> int | None:
        """The offset known to be committed, by us or at the assignment; None for none."""
        return self._confirmed.get(tp)

    def assigned(self, topic: str) -> set[TP]:
        """The partitions of a topic that are held now; none before the first assignment."""
        try:
            return {tp for tp in self.assignment() if tp.topic == topic}
        except ConsumerNotStarted:
            return set()
