"""Delivery of what a worker's work does not depend on: its status, what its shadow would say."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiokafka.errors import KafkaError
from prometheus_client import Counter

from streams.cluster import Cluster
from streams.frames import DeliveryFailed, Outlet, OutputRecord
from streams.kafka import producer_options

_log = logging.getLogger(__name__)

_WITHIN_S = 5.0


class Takes(Protocol):
    """Takes records in bounded time; an `Outlet` does."""

    async def start(self) -> None: ...

    async def send(self, records: Sequence[OutputRecord]) -> Awaitable[object]: ...

    async def stop(self) -> None: ...


def side_producer(cluster: Cluster, *, within_s: float = _WITHIN_S) -> Outlet:
    """A producer for records that may be lost; it waits for nobody for long."""
    options = {"enable_idempotence": False, "request_timeout_ms": round(within_s * 1000)}
    return Outlet(within_s=within_s, **producer_options(cluster) | options)


class SideOutlet:
    """Sends what may be lost: a failure is counted, logged once, and raised nowhere.

    It connects with the first records. Its producer should be nobody else's.

    failing: whether the last records were not taken.
    """

    def __init__(self, producer: Takes, *, what: str, failures: Counter) -> None:
        self._producer = producer
        self._what = what
        self._failures = failures
        self._connected = False
        self._warned = False

    @property
    def failing(self) -> bool:
        return self._warned

    async def send(self, make: Callable[[], Sequence[OutputRecord]]) -> bool:
        """Whether the records were made and acknowledged."""
        try:
            if not self._connected:
                await self._producer.start()
                self._connected = True
            await (await self._producer.send(make()))
        except (KafkaError, DeliveryFailed) as error:
            return self._failed(str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - whoever sends must not die of it
            return self._failed(repr(error))
        if self._warned:
            _log.info("%s is taken again", self._what)
        self._warned = False
        return True

    def _failed(self, why: str) -> bool:
        self._failures.inc()
        if not self._warned:
            _log.warning("%s is not taken, the worker goes on without: %s", self._what, why)
        self._warned = True
        return False

    async def stop(self) -> None:
        await self._producer.stop()
