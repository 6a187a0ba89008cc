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
from streams.errors import ReleaseRefused
from streams.health import Health
from streams.kafka import to_record
from streams.metrics import Metrics

_log = logging.getLogger(__name__)


class ReleaseFollower(mode.Service):
    """Reads the whole topic without a group, then obeys each new activation.

    At start the records are read to the end offset taken then, and only the last activation is
    laid out. `active` is set as long as a release is in force.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        topic: str,
        activations: Activations,
        use: Callable[[ActiveRelease], str | None],
        health: Health,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._bootstrap = bootstrap
        self._tp = TopicPartition(topic, 0)
        self._activations = activations
        self._use = use
        self._health = health
        self._metrics = metrics
        self._consumer: AIOKafkaConsumer | None = None
        self._refusal: str | None = None
        self._in_force: str | None = None
        self.active = asyncio.Event()
        self._say_what_is_missing()

    async def on_start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=None, enable_auto_commit=False
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
        last: Activation | None = None
        caught_up = False
        while not self.should_stop:
            if not caught_up and await consumer.position(self._tp) >= end:
                caught_up = True
                await self._obey(last)
                last = None
            batches = await consumer.getmany(timeout_ms=200)
            for record in batches.get(self._tp, []):
                wanted = self._note(record)
                last = wanted or last
            if caught_up and last is not None:
                await self._obey(last)
                last = None

    def _note(self, record: object) -> Activation | None:
        try:
            return self._activations.note(to_record(record))
        except ReleaseRefused as error:
            self._refuse(error)
            return None

    async def _obey(self, activation: Activation | None) -> None:
        """Swap to the activated release; whatever is wrong with it, the old one stays."""
        if activation is None:
            self._say_what_is_missing()
            return
        try:
            offset = self._activations.offset_of(activation)
            envelope = await self._fetch(offset)
            release = await asyncio.to_thread(self._activations.open, activation, envelope)
        except ReleaseRefused as error:
            self._refuse(error)
            return
        note = self._use(release)
        self._health.notes = {"weights": note} if note else {}
        if self._in_force is not None:
            self._metrics.release.remove(self._in_force)
        self._in_force = release.digest
        self._metrics.release.labels(digest=release.digest).set(1)
        self._health.clear("release")
        self.active.set()
        _log.info("release %s is in force (sequence %d)", release.digest, activation.sequence)

    async def _fetch(self, offset: int) -> bytes | None:
        """The value of the record at an offset; the follower's own position is put back."""
        consumer = self._consumer
        if consumer is None:
            raise ReleaseRefused("the release topic is closed")
        back_to = await consumer.position(self._tp)
        consumer.seek(self._tp, offset)
        try:
            record = await asyncio.wait_for(consumer.getone(self._tp), timeout=30)
        except (KafkaError, TimeoutError) as error:
            raise ReleaseRefused(f"the release could not be fetched: {error!r}") from error
        finally:
            consumer.seek(self._tp, back_to)
        return record.value if record.offset == offset else None

    def _refuse(self, error: ReleaseRefused) -> None:
        self._refusal = str(error)
        self._metrics.refused_releases.labels(reason="refused").inc()
        _log.warning("%s", error)
        if not self.active.is_set():
            self._say_what_is_missing()

    def _say_what_is_missing(self) -> None:
        why = "no release is active for this domain: run `kdsl release activate FILE`"
        if self._refusal:
            why = f"{why} (the last one was refused: {self._refusal})"
        self._health.block("release", why)
