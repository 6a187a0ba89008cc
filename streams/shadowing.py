"""Gives a role's shadow the loop's spare time, and sends what comes of it to `dialogue.shadow`."""

import asyncio
import logging
import time
from collections.abc import Callable

import mode

from streams.codec import encode_shadow
from streams.frames import OutputRecord
from streams.metrics import Metrics
from streams.role import Role
from streams.shadow import Shadow
from streams.shadow_records import ShadowCounts, ShadowDifference, ShadowRecord
from streams.side_outlet import SideOutlet, Takes
from streams.spare_time import loop_is_idle

_log = logging.getLogger(__name__)

# The longest that comparing keeps the loop from a record that has just arrived.
_SLICE_S = 0.001
_PAUSE_S = 0.02
_LOOK_EVERY_S = 0.2
_SEND_EVERY_S = 1.0
# One batch to the broker; more are not compared before it has been taken.
_DIFFERENCES = 100
_LAST_WORD_WITHIN_S = 2.0


class Shadowing(mode.Service):
    """Compares when the loop is idle, a millisecond at a time; slow Kafka makes it wait.

    Differences and counts may be lost, in a crash or while nobody takes them; tags never depend
    on any of this.

    role: whose shadow it is; it has one or none, and another one any time.
    producer: nobody else's.
    topic: of differences and counts, prefix included.
    domain, worker: who counts.
    behind: whether more waits to be decided than is being decided; then nothing is compared.
    """

    def __init__(
        self,
        *,
        role: Role,
        producer: Takes,
        topic: str,
        domain: str,
        worker: str,
        counts_every_s: float,
        behind: Callable[[], bool],
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._role = role
        self._outlet = SideOutlet(
            producer, what="what the shadow would say", failures=metrics.shadow_failures
        )
        self._topic = topic
        self._domain = domain
        self._worker = worker
        self._counts_every_s = counts_every_s
        self._behind = behind
        self._differences: list[ShadowDifference] = []
        self._sent_s = self._counted_s = time.monotonic()

    @mode.Service.task
    async def _work(self) -> None:
        while not self.should_stop:
            await self._tell_ended()
            shadow = self._role.shadow
            if shadow is None:
                await self.sleep(_LOOK_EVERY_S)
                continue
            # While there is no time to compare, what is kept would only grow old.
            shadow.closed = self._behind()
            if shadow.waiting and not shadow.closed and await loop_is_idle():
                self._compare(shadow)
            else:
                await self.sleep(_PAUSE_S)
            await self._send_what_is_due(shadow)

    def _compare(self, shadow: Shadow) -> None:
        until_s = time.perf_counter() + _SLICE_S
        while shadow.waiting and time.perf_counter() < until_s:
            difference = shadow.compare_next()
            if difference is not None:
                self._differences.append(difference)

    async def _tell_ended(self) -> None:
        while self._role.ended_shadows:
            await self._send(self._role.ended_shadows.pop(0))

    async def _send_what_is_due(self, shadow: Shadow) -> None:
        now_s = time.monotonic()
        if now_s - self._counted_s > self._counts_every_s:
            await self._send(shadow)
        elif len(self._differences) >= _DIFFERENCES or (
            self._differences and now_s - self._sent_s > _SEND_EVERY_S
        ):
            await self._send(None)

    async def _send(self, counted: Shadow | None) -> None:
        """Send the differences, and what this shadow has counted."""
        self._sent_s = time.monotonic()
        counts: list[ShadowCounts] = []
        if counted is not None:
            self._counted_s = self._sent_s
            counts = self._counts(counted)
        told: list[ShadowRecord] = [*self._differences, *counts]
        self._differences = []
        if told:
            await self._outlet.send(lambda: list(map(self._record, told)))

    def _counts(self, shadow: Shadow) -> list[ShadowCounts]:
        tallies = shadow.take_tallies()
        if not tallies:
            return []
        counts = ShadowCounts(
            domain=self._domain,
            role=self._role.name,
            worker=self._worker,
            active=shadow.against,
            shadow=shadow.digest,
            tallies=tallies,
            at_ms=self._role.now_ms(),
        )
        return [counts]

    def _record(self, record: ShadowRecord) -> OutputRecord:
        # Counts of one worker need no order among differences, and differences that of a dialogue.
        key = record.dialogue_id if isinstance(record, ShadowDifference) else record.worker
        return OutputRecord(topic=self._topic, key=key.encode(), value=encode_shadow(record))

    async def on_shutdown(self) -> None:
        """The last counts; after the task has ended."""
        if not self._outlet.failing:
            self._role.end_shadow()
            try:
                async with asyncio.timeout(_LAST_WORD_WITHIN_S):
                    await self._tell_ended()
            except TimeoutError:
                _log.warning("nobody took the last counts of the shadow")
        await self._outlet.stop()
