"""Follows `rules.releases`: verify, lay out, swap one reference."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import mode
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rule_store import Activation
from streams.activations import Activations
from streams.active_release import ActiveRelease
from streams.beside_loop import beside_loop
from streams.cluster import Cluster
from streams.errors import ReleaseRefused
from streams.events import RefusedRelease, ReleaseInForce
from streams.health import Health
from streams.kafka import to_record
from streams.metrics import Metrics
from streams.standing import Standing
from streams.statuses import bounded

_log = logging.getLogger(__name__)

# How far back a starting worker looks for a release that is as it should be.
_REMEMBERED = 16
_FETCH_WITHIN_S = 30.0
_RETRY_S = 2.0


class ReleaseFollower(mode.Service):
    """Reads the whole topic without a group, then obeys each new activation.

    At start the records are read to the end offset taken then, and only the last activation is
    laid out: `caught_up` is set then. `active` is set as long as a release is in force.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        topic: str,
        activations: Activations,
        use: Callable[[ActiveRelease], str | None],
        standing: Standing,
        now_ms: Callable[[], int],
        health: Health,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._tp = TopicPartition(topic, 0)
        self._activations = activations
        self._use = use
        self._standing = standing
        self._now_ms = now_ms
        self._health = health
        self._metrics = metrics
        self._consumer: AIOKafkaConsumer | None = None
        self.caught_up = asyncio.Event()
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
            if caught_up and not waiting:
                self.caught_up.set()
            batches = await consumer.getmany(timeout_ms=200)
            for record in batches.get(self._tp, []):
                waiting += await self._note(record)
                del waiting[:-_REMEMBERED]

    async def _note(self, record: object) -> list[Activation]:
        """The activation of a record, when it is now to be obeyed."""
        try:
            # In a thread: to verify means to look at files, and to hash what was signed.
            activation = await asyncio.to_thread(self._activations.note, to_record(record))
        except ReleaseRefused as error:
            self._refuse(error)
            return []
        return [] if activation is None else [activation]

    async def _obey_newest(self, waiting: list[Activation]) -> list[Activation]:
        """Swap to the newest release that is as it should be; what is then left to obey.

        Whatever is wrong with all of them, the one in force stays. A topic that cannot be read
        just now is no refusal: everything is left for the next try.
        """
        for activation in reversed(waiting):
            if self._runs(activation):
                break
            try:
                envelope = await self._fetch(self._activations.offset_of(activation))
                release = await beside_loop(partial(self._activations.open, activation, envelope))
                self._swap(release, activation)
            except ReleaseRefused as error:
                self._refuse(error)
            except (KafkaError, TimeoutError) as error:
                _log.warning("the release topic cannot be read, trying again: %r", error)
                await self.sleep(_RETRY_S)
                return waiting
            except Exception as error:  # noqa: BLE001 - a release that we fail at is a bad one
                self._refuse(_failed(error, activation))
            else:
                if activation is waiting[-1]:
                    self._health.notes.pop("refusal", None)
                _log.info("sequence %d is in force: %s", activation.sequence, release.digest)
                break
        return []

    def _runs(self, activation: Activation) -> bool:
        running = self._standing.in_force
        return running is not None and (running.sequence, running.digest) == (
            activation.sequence,
            activation.digest,
        )

    def _swap(self, release: ActiveRelease, activation: Activation) -> None:
        note = self._use(release)
        self._health.notes.pop("weights", None)
        if note:
            self._health.notes["weights"] = note
        if self._standing.in_force is not None:
            self._metrics.release.remove(self._standing.in_force.digest)
        self._standing.take(
            ReleaseInForce(
                digest=release.digest,
                sequence=activation.sequence,
                since_ms=self._now_ms(),
                shadow=None,
            )
        )
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
        refusal = RefusedRelease(digest=error.digest, why=bounded(str(error)), at_ms=self._now_ms())
        self._standing.refuse(refusal)
        _log.warning("%s", error)


def _failed(error: Exception, activation: Activation) -> ReleaseRefused:
    """For what no bytes should be able to cause; the worker must not die of it again and again."""
    _log.error("laying out release %s failed", activation.digest, exc_info=error)
    return ReleaseRefused(
        f"release {activation.digest} refused: {type(error).__name__} while it was laid out; "
        "that is a defect of kdsl: report it with the release",
        digest=activation.digest,
    )
