"""Follows `rules.releases`: verify, lay out, swap one reference."""

import asyncio
import logging
from collections.abc import Callable

import mode
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rule_store import Activation
from streams.activations import Activations
from streams.active_release import ActiveRelease
from streams.cluster import Cluster
from streams.errors import ReleaseRefused
from streams.health import Health
from streams.kafka import to_record
from streams.metrics import Metrics

_log = logging.getLogger(__name__)

# How far back a starting worker looks for a release that is as it should be.
_REMEMBERED = 16
_FETCH_WITHIN_S = 30.0
_RETRY_S = 2.0


class ReleaseFollower(mode.Service):
    """Reads the whole topic without a group, then obeys each new activation.

    At start the records are read to the end offset taken then, and only the last activation is
    laid out. `active` is set as long as a release is in force.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        topic: str,
        activations: Activations,
        use: Callable[[ActiveRelease], str | None],
        health: Health,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._tp = TopicPartition(topic, 0)
        self._activations = activations
        self._use = use
        self._health = health
        self._metrics = metrics
        self._consumer: AIOKafkaConsumer | None = None
        self._in_force: str | None = None
        self.active = asyncio.Event()
        health.block(
            "release", "no release is active for this domain: run `kdsl release activate FILE`"
        )

    async def on_start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            **self._cluster.client_options(),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await self._consumer.start()
        self._consumer.assign([self._tp])

    async def on_stop(self) -> None:
        if self._consumer is not None:
            # A client can wait for ever on a broker that is away.
            await asyncio.wait_for(self._consumer.stop(), timeout=5)

    @mode.Service.task
    async def _follow(self) -> None:
        consumer = self._consumer
        if consumer is None:
            return
        await consumer.seek_to_beginning(self._tp)
        end = (await consumer.end_offsets([self._tp]))[self._tp]
        caught_up = False
        waiting: list[Activation] = []  # accepted and not yet obeyed, oldest first
        while not self.should_stop:
            caught_up = caught_up or await consumer.position(self._tp) >= end
            if caught_up and waiting:
                waiting = await self._obey_newest(waiting)
            batches = await consumer.getmany(timeout_ms=200)
            noted = [self._note(record) for record in batches.get(self._tp, [])]
            waiting += [activation for activation in noted if activation is not None]
            del waiting[:-_REMEMBERED]

    def _note(self, record: object) -> Activation | None:
        try:
            return self._activations.note(to_record(record))
        except ReleaseRefused as error:
            self._refuse(error)
            return None

    async def _obey_newest(self, waiting: list[Activation]) -> list[Activation]:
        """Swap to the newest release that is as it should be; what is then left to obey.

        Whatever is wrong with all of them, the one in force stays. A topic that cannot be read
        just now is no refusal: everything is left for the next try.
        """
        for activation in reversed(waiting):
            try:
                envelope = await self._fetch(self._activations.offset_of(activation))
                release = await asyncio.to_thread(self._activations.open, activation, envelope)
            except ReleaseRefused as error:
                self._refuse(error)
            except (KafkaError, TimeoutError) as error:
                _log.warning("the release topic cannot be read, trying again: %r", error)
                await self.sleep(_RETRY_S)
                return waiting
            else:
                self._swap(release)
                if activation is waiting[-1]:
                    self._health.notes.pop("refusal", None)
                _log.info("sequence %d is in force: %s", activation.sequence, release.digest)
                break
        return []

    def _swap(self, release: ActiveRelease) -> None:
        note = self._use(release)
        self._health.notes.pop("weights", None)
        if note:
            self._health.notes["weights"] = note
        if self._in_force is not None:
            self._metrics.release.remove(self._in_force)
        self._in_force = release.digest
        self._metrics.release.labels(digest=release.digest).set(1)
        self._health.clear("release")
        self.active.set()

    async def _fetch(self, offset: int) -> bytes | None:
        """The value of the record at an offset; the follower's own position is put back.

        Raises:
            KafkaError, TimeoutError: the topic cannot be read just now.
        """
        consumer = self._consumer
        if consumer is None:
            raise ReleaseRefused("the release topic is closed")
        back_to = await consumer.position(self._tp)
        consumer.seek(self._tp, offset)
        try:
            record = await asyncio.wait_for(consumer.getone(self._tp), timeout=_FETCH_WITHIN_S)
        finally:
            consumer.seek(self._tp, back_to)
        return record.value if record.offset == offset else None

    def _refuse(self, error: ReleaseRefused) -> None:
        self._metrics.refused_releases.inc()
        self._health.notes["refusal"] = str(error)
        _log.warning("%s", error)
