"""Follows `rules.releases`: verify, lay out, swap one reference."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

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
# Keys are trusted by hand; to look means to verify the few that were refused.
_RECONSIDER_EVERY_S = 2.0


class Obeys(Protocol):
    """What decides under the releases; a `Role` does."""

    @property
    def now_ms(self) -> Callable[[], int]: ...

    def use(self, release: ActiveRelease) -> str | None: ...

    def use_shadow(self, release: ActiveRelease | None, *, against: str) -> None: ...


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
        role: Obeys,
        standing: Standing,
        health: Health,
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self._cluster = cluster
        self._tp = TopicPartition(topic, 0)
        self._activations = activations
        self._role = role
        self._standing = standing
        self._health = health
        self._metrics = metrics
        self._consumer: AIOKafkaConsumer | None = None
        self._shadow_due: Activation | None = None
        self._reconsidered_s = time.monotonic()
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
        if self._consumer is not None:  # a client can wait for ever on a broker that is away
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
            if caught_up and self._shadow_due is not None:
                await self._take_shadow(self._shadow_due)
            batches = await consumer.getmany(timeout_ms=200)
            waiting += await self._reconsidered()
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

    async def _reconsidered(self) -> list[Activation]:
        if time.monotonic() - self._reconsidered_s < _RECONSIDER_EVERY_S:
            return []
        self._reconsidered_s = time.monotonic()
        return await asyncio.to_thread(self._activations.reconsider)

    async def _obey_newest(self, waiting: list[Activation]) -> list[Activation]:
        """Swap to the newest release that is as it should be; what is then left to obey.

        Whatever is wrong with all of them, the one in force stays. A topic that cannot be read
        just now is no refusal: everything is left for the next try.
        """
        for activation in reversed(waiting):
            if self._runs(activation):
                self._shadow_due = activation if self._lacks_shadow(activation) else None
                break
            try:
                self._swap(await self._lay_out(activation.digest), activation)
            except ReleaseRefused as error:
                self._refuse(error)
            except (KafkaError, TimeoutError) as error:
                _log.warning("the release topic cannot be read, trying again: %r", error)
                await self.sleep(_RETRY_S)
                return waiting
            except Exception as error:  # noqa: BLE001 - a release that we fail at is a bad one
                self._refuse(_failed(error, activation.digest))
            else:
                if activation is waiting[-1]:
                    self._health.notes.pop("refusal", None)
                _log.info("sequence %d is in force: %s", activation.sequence, activation.digest)
                break
        return []

    async def _lay_out(self, name: str) -> ActiveRelease:
        """Fetch a release by its digest, verify it and lay it out beside the one in force."""
        envelope = await self._fetch(self._activations.offset_of(name))
        return await beside_loop(partial(self._activations.open, name, envelope))

    async def _take_shadow(self, activation: Activation) -> None:
        """Evaluate the activation's shadow from now on; a bad one harms nothing but itself."""
        name = activation.shadow or ""
        self._shadow_due = None
        try:
            release = await self._lay_out(name)
            self._role.use_shadow(release, against=activation.digest)
        except ReleaseRefused as error:
            self._refuse(ReleaseRefused(f"shadow: {error}", digest=name))
        except (KafkaError, TimeoutError) as error:
            _log.warning("the release topic cannot be read, trying again: %r", error)
            await self.sleep(_RETRY_S)
            self._shadow_due = activation
        except Exception as error:  # noqa: BLE001 - a release that we fail at is a bad one
            self._refuse(_failed(error, name))
        else:
            if self._standing.in_force is not None:
                self._standing.take(replace(self._standing.in_force, shadow=name))
            self._health.notes.pop("refusal", None)
            _log.info("%s is evaluated without effect", name)

    def _runs(self, activation: Activation) -> bool:
        running = self._standing.in_force
        return running is not None and (running.sequence, running.digest) == (
            activation.sequence,
            activation.digest,
        )

    def _lacks_shadow(self, activation: Activation) -> bool:
        running = self._standing.in_force
        return activation.shadow is not None and (
            running is None or running.shadow != activation.shadow
        )

    def _swap(self, release: ActiveRelease, activation: Activation) -> None:
        note = self._role.use(release)
        self._role.use_shadow(None, against=release.digest)
        self._shadow_due = activation if activation.shadow else None
        self._health.notes.pop("weights", None)
        if note:
            self._health.notes["weights"] = note
        if self._standing.in_force is not None:
            self._metrics.release.remove(self._standing.in_force.digest)
        self._standing.take(
            ReleaseInForce(
                digest=release.digest,
                sequence=activation.sequence,
                since_ms=self._role.now_ms(),
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
        refusal = RefusedRelease(
            digest=error.digest, why=bounded(str(error)), at_ms=self._role.now_ms()
        )
        self._standing.refuse(refusal)
        _log.warning("%s", error)


def _failed(error: Exception, name: str) -> ReleaseRefused:
    """For what no bytes should be able to cause; the worker must not die of it again and again."""
    _log.error("laying out release %s failed", name, exc_info=error)
    return ReleaseRefused(
        f"release {name} refused: {type(error).__name__} while it was laid out; "
        "that is a defect of kdsl: report it with the release",
        digest=name,
    )
