"""A producer whose every delivery ends: acknowledged, or failed by name within a bound of time."""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.frames.failures import DeliveryFailed, FailureKind, failure_kind
from streams.frames.output import RecordTuple, send_in_batches
from streams.frames.patience import PatientProducer, answers

_log = logging.getLogger(__name__)

_STOP_WITHIN_S = 5.0
# The client calls a deleted topic one without leader once its own patience is over.
_GUESSED: Collection[FailureKind] = ("leader_change", "stale_metadata")

# Idempotent, so that the client's retries neither double nor reorder, and its batches never
# expire; batches are whole already, so there is nothing to linger for.
PRODUCER_OPTIONS: Mapping[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "linger_ms": 0,
    "max_batch_size": 256 * 1024,
    "retry_backoff_ms": 500,
}


class Outlet:
    """Sends records in batches through a producer of its own.

    What can pass is waited for: a broker that is away, a leader that changes, metadata that is
    stale, a full queue. The client tries again, and this ends the wait. What cannot pass fails at
    once: a fenced producer, a right taken away, a record that is too large. Either way the
    exception says which; then end the process before anything is acknowledged, and restart it.
    """

    def __init__(self, *, within_s: float = 120.0, **options: Any) -> None:
        """Make an outlet; it connects when it is started.

        Args:
            within_s: how long records may stay unacknowledged.
            options: of `aiokafka.AIOKafkaProducer`, over `PRODUCER_OPTIONS`; at least
                `bootstrap_servers`. `max_batch_size` must not exceed the smallest
                `max.message.bytes` of the topics sent to.
        """
        self._within_s = within_s
        self._options = {**PRODUCER_OPTIONS, **options}
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaError: no broker answers, or we may not connect.
            DeliveryFailed: a broker answered, and then none did in time.
        """
        self._producer = producer = AIOKafkaProducer(**self._options)
        try:
            async with asyncio.timeout(self._within_s):
                await producer.start()
        except TimeoutError as error:  # the client asks for a producer id without end
            await self.stop()
            raise DeliveryFailed("broker_gone", within_s=self._within_s) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Send what is queued and disconnect, for a few seconds at most.

        A client can wait for ever on a broker that is away; what it still holds was never
        acknowledged, so whoever reads the inputs next sends it again.
        """
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await producer.stop()
        except (KafkaError, TimeoutError):
            _log.warning("the producer's last records were not acknowledged: closing it over them")
            await producer.client.close()

    async def send(self, records: Iterable[RecordTuple]) -> Awaitable[None]:
        """Queue records in order; the order of one key is kept.

        Returns:
            To be awaited: done when the broker has acknowledged every record.

        Raises:
            DeliveryFailed: from queueing or, later, from what is returned.
        """
        deadline_s = asyncio.get_running_loop().time() + self._within_s
        patient = PatientProducer(self._started())
        try:
            async with asyncio.timeout_at(deadline_s):
                acknowledged = await send_in_batches(patient, records)
        except (KafkaError, TimeoutError) as error:
            raise await self._failed(error, patient, "buffer_full") from error
        return self._acknowledged(acknowledged, patient, deadline_s)

    async def _acknowledged(
        self, acknowledged: Awaitable[object], patient: PatientProducer, deadline_s: float
    ) -> None:
        try:
            async with asyncio.timeout_at(deadline_s):
                await acknowledged
        except (KafkaError, TimeoutError) as error:
            raise await self._failed(error, patient, "not_acknowledged") from error

    async def answers(self, *, within_s: float) -> bool:
        """Whether a broker tells its metadata in time; False before the start, after the stop."""
        return self._producer is not None and await answers(self._producer, within_s=within_s)

    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("the outlet has not started")
        return self._producer

    async def _failed(
        self, error: Exception, patient: PatientProducer, otherwise: FailureKind
    ) -> DeliveryFailed:
        """What to raise; why it waited in vain the client does not say, or guesses, so look."""
        client_says = failure_kind(error) if isinstance(error, KafkaError) else None
        if client_says is not None and client_says not in _GUESSED:
            return DeliveryFailed(client_says, detail=str(error))
        within_s = self._within_s if client_says is None else None
        hindrance = await patient.hindrance()
        if hindrance is not None:
            return DeliveryFailed(hindrance.kind, detail=hindrance.where, within_s=within_s)
        return DeliveryFailed(client_says or otherwise, within_s=within_s)
