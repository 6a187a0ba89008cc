"""Outputs → topics: a producer of our own that is awaited before anything is acknowledged."""

import asyncio
from collections.abc import Awaitable, Sequence

import mode
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.frames import OutputRecord, send_in_batches
from streams.health import Health
from streams.kafka import producer_options
from streams.records import Output
from streams.topics import topic_name

_STOP_WITHIN_S = 5
_PROBE_EVERY_S = 5.0


class Delivery(mode.Service):
    """Sends outputs in batches, and says when the broker has acknowledged them."""

    def __init__(self, *, bootstrap: str, prefix: str, health: Health) -> None:
        super().__init__()
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._health = health
        self._producer: AIOKafkaProducer | None = None

    async def on_start(self) -> None:
        self._producer = AIOKafkaProducer(**producer_options(self._bootstrap))
        await self._producer.start()

    async def on_stop(self) -> None:
        if self._producer is not None:
            # A client can wait for ever on a broker that is away; what it still holds was never
            # acknowledged, so the next worker sends it again.
            await asyncio.wait_for(self._producer.stop(), timeout=_STOP_WITHIN_S)

    @mode.Service.task
    async def _probe(self) -> None:
        """Ask for metadata now and then: an idle worker too shall notice that Kafka is gone."""
        while not self.should_stop:
            await self.sleep(_PROBE_EVERY_S)
            if self._producer is not None and not await self._answers(self._producer):
                self._health.block("kafka", f"no broker answers at {self._bootstrap}")
            else:
                self._health.clear("kafka")

    async def _answers(self, producer: AIOKafkaProducer) -> bool:
        try:
            async with asyncio.timeout(_PROBE_EVERY_S):
                return bool(await producer.client.force_metadata_update())
        except (KafkaError, TimeoutError):
            return False

    async def send(self, outputs: Sequence[Output]) -> Awaitable[object]:
        """Queue outputs in order; the order of one key is kept.

        Returns:
            To be awaited: done when the broker has acknowledged every output. When it raises,
            an output was not acknowledged and nothing that led to it may be.
        """
        if self._producer is None:
            raise RuntimeError("delivery has not started")
        records = [
            OutputRecord(
                topic=topic_name(output.kind, prefix=self._prefix),
                key=output.key,
                value=output.value,
                headers=output.headers,
            )
            for output in outputs
        ]
        return await send_in_batches(self._producer, records)
