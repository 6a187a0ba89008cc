"""Says every few seconds how the worker is, for `kdsl release status`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Protocol

import mode
from aiokafka.errors import KafkaError

from streams.cluster import Cluster
from streams.codec import encode_status
from streams.events import WorkerStatus
from streams.frames import DeliveryFailed, Outlet, OutputRecord
from streams.health import Health
from streams.kafka import producer_options
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.role import Role
from streams.standing import Standing
from streams.statuses import bounded

_log = logging.getLogger(__name__)

_WITHIN_S = 5.0
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


class StatusOutlet(Protocol):
    """Takes statuses in bounded time; an `Outlet` does."""

    async def start(self) -> None: ...

    async def send(self, records: Sequence[OutputRecord]) -> Awaitable[object]: ...

    async def stop(self) -> None: ...


def status_outlet(cluster: Cluster, *, within_s: float = _WITHIN_S) -> Outlet:
    """A producer for statuses alone; one that nobody takes is soon replaced by the next."""
    options = {"enable_idempotence": False, "request_timeout_ms": round(within_s * 1000)}
    return Outlet(within_s=within_s, **producer_options(cluster) | options)


class Heartbeat(mode.Service):
    """Sends the status regularly and with every change of the release.

    The worker's work does not depend on it: what goes wrong here is counted, logged once, and
    tried again with the next beat. So the outlet should be nobody else's.

    report: makes the status as it is now.
    changed: set when it shall be sent at once.
    """

    def __init__(
        self,
        *,
        outlet: StatusOutlet,
        topic: str,
        report: Callable[..., WorkerStatus],
        changed: asyncio.Event,
        every_s: float,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._outlet = outlet
        self._topic = topic
        self._report = report
        self._changed = changed
        self._every_s = every_s
        self._metrics = metrics
        self._connected = False
        self._heard = True

    @mode.Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            self._changed.clear()
            await self._say()
            await self.sleep(min(_AT_MOST_EVERY_S, self._every_s))
            await self.wait_first(self._changed.wait(), timeout=self._every_s)

    async def on_shutdown(self) -> None:
        """The last word; after the task has ended, so that no other comes after it."""
        if self._connected and self._heard:
            try:
                async with asyncio.timeout(_LAST_WORD_WITHIN_S):
                    await self._say(stopped=True)
            except TimeoutError:
                _log.warning("nobody took the worker's last status")
        await self._outlet.stop()

    async def _say(self, *, stopped: bool = False) -> None:
        try:
            if not self._connected:
                await self._outlet.start()
                self._connected = True
            status = self._report(stopped=stopped)
            key, value = status.worker.encode(), encode_status(status)
            await (await self._outlet.send([OutputRecord(topic=self._topic, key=key, value=value)]))
        except (KafkaError, DeliveryFailed) as error:
            self._say_unheard(str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a task that raises would end the worker
            self._say_unheard(repr(error))
        else:
            if not self._heard:
                _log.info("the worker's status is taken again")
            self._heard = True

    def _say_unheard(self, why: str) -> None:
        self._metrics.status_failures.inc()
        if self._heard:
            _log.warning("the worker's status is not taken, it goes on without: %s", why)
        self._heard = False
