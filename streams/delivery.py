"""Outputs → topics: an outlet of our own that is awaited before anything is acknowledged."""

from collections.abc import Awaitable, Sequence

import mode

from streams.cluster import Cluster
from streams.frames import DeliveryFailed, Outlet, OutputRecord
from streams.health import Health
from streams.kafka import producer_options
from streams.metrics import Metrics
from streams.records import Output
from streams.topics import topic_name

_PROBE_EVERY_S = 5.0


class Delivery(mode.Service):
    """Sends outputs in batches, and says when the broker has acknowledged them.

    within_s: how long outputs may stay unacknowledged.
    """

    def __init__(
        self, *, cluster: Cluster, prefix: str, within_s: float, health: Health, metrics: Metrics
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._prefix = prefix
        self._health = health
        self._metrics = metrics
        self._outlet = Outlet(within_s=within_s, **producer_options(cluster))

    async def on_start(self) -> None:
        await self._outlet.start()

    async def on_stop(self) -> None:
        await self._outlet.stop()

    @mode.Service.task
    async def _probe(self) -> None:
        """Ask for metadata now and then: an idle worker too shall notice that Kafka is gone."""
        while not self.should_stop:
            await self.sleep(_PROBE_EVERY_S)
            if await self._outlet.answers(within_s=_PROBE_EVERY_S):
                self._health.clear("kafka")
            else:
                self._health.block("kafka", f"no broker answers at {self._cluster.bootstrap}")

    async def send(self, outputs: Sequence[Output]) -> Awaitable[object]:
        """Queue outputs in order; the order of one key is kept.

        Returns:
            To be awaited: done when the broker has acknowledged every output.

        Raises:
            DeliveryFailed: now or when awaited; an output was not acknowledged, and nothing that
                led to it may be.
        """
        records = [
            OutputRecord(
                topic=topic_name(output.kind, prefix=self._prefix),
                key=output.key,
                value=output.value,
                headers=output.headers,
            )
            for output in outputs
        ]
        try:
            return self._counted(await self._outlet.send(records))
        except DeliveryFailed as error:
            self._count(error)
            raise

    async def _counted(self, delivery: Awaitable[object]) -> None:
        try:
            await delivery
        except DeliveryFailed as error:
            self._count(error)
            raise

    def _count(self, error: DeliveryFailed) -> None:
        self._metrics.delivery_failures.labels(kind=error.kind).inc()
