"""Says every few seconds how the worker is, for `kdsl release status`."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import mode

from streams.codec import encode_status
from streams.events import WorkerStatus
from streams.frames import OutputRecord
from streams.health import Health
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.role import Role
from streams.side_outlet import SideOutlet, Takes
from streams.standing import Standing
from streams.statuses import bounded

_log = logging.getLogger(__name__)

# A clean stop does not wait long for a last word that nobody takes.
_LAST_WORD_WITHIN_S = 2.0
# Whoever writes refused activations without end shall not make every worker write as many.
_AT_MOST_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """What a worker knows of itself, as its status.

    labels_digest: of the activations that it obeys; None when its role needs no release.
    """

    worker: str
    domain: str
    labels_digest: str | None
    every_s: float
    role: Role
    standing: Standing
    health: Health
    metrics: Metrics

    def status(self, *, stopped: bool = False) -> WorkerStatus:
        obstacles = tuple(map(bounded, filter(None, self.health.obstacles.values())))
        return WorkerStatus(
            worker=self.worker,
            role=self.role.name,
            domain=self.domain,
            version=metadata.version("kdsl"),
            at_ms=self.role.now_ms(),
            interval_ms=round(self.every_s * 1000),
            labels_digest=self.labels_digest,
            in_force=self.standing.in_force,
            refusal=self.standing.refusal,
            bundle=self.role.bundle,
            uses_fitted_weights=self.role.uses_fitted_weights,
            lag=self.metrics.lag(),
            obstacles=obstacles[: LIMITS.obstacles],
            stopped=stopped,
        )


class Heartbeat(mode.Service):
    """Sends the status regularly and with every change of the release.

    What goes wrong is tried again with the next beat.

    producer: nobody else's.
    report: makes the status as it is now.
    changed: set when it shall be sent at once.
    """

    def __init__(
        self,
        *,
        producer: Takes,
        topic: str,
        report: Callable[..., WorkerStatus],
        changed: asyncio.Event,
        every_s: float,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._outlet = SideOutlet(
            producer, what="the worker's status", failures=metrics.status_failures
        )
        self._topic = topic
        self._report = report
        self._changed = changed
        self._every_s = every_s

    @mode.Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            self._changed.clear()
            await self._say()
            await self.sleep(min(_AT_MOST_EVERY_S, self._every_s))
            await self.wait_first(self._changed.wait(), timeout=self._every_s)

    async def on_shutdown(self) -> None:
        """The last word; after the task has ended, so that no other comes after it."""
        if not self._outlet.failing:
            try:
                async with asyncio.timeout(_LAST_WORD_WITHIN_S):
                    await self._say(stopped=True)
            except TimeoutError:
                _log.warning("nobody took the worker's last status")
        await self._outlet.stop()

    async def _say(self, *, stopped: bool = False) -> None:
        await self._outlet.send(lambda: [self._record(stopped=stopped)])

    def _record(self, *, stopped: bool) -> OutputRecord:
        status = self._report(stopped=stopped)
        key, value = status.worker.encode(), encode_status(status)
        return OutputRecord(topic=self._topic, key=key, value=value)
