"""The composition root of a worker: a Faust app around one role's pure decision."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, assert_never, cast

import faust
import mode
from faust.types import StreamT

from streams.activations import Activations
from streams.alerter import Alerter
from streams.batches import Loop
from streams.delivery import Delivery
from streams.domain import Domain, load_domain
from streams.errors import StartupError
from streams.failures import Failures
from streams.frames import FaustChanged, Frame, FrameBounds, check_faust, frame_topic
from streams.health import Health
from streams.kafka import to_record
from streams.limits import LIMITS
from streams.metrics import Metrics
from streams.model_side import ModelSide
from streams.records import Record
from streams.releases import ReleaseFollower
from streams.resolver import Resolver
from streams.role import Role, system_now_ms
from streams.settings import RoleName, Settings
from streams.tagger import Tagger
from streams.topics import topic_name
from streams.trust import trust_store
from streams.web import Web

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One worker's parts; each starts before Faust takes the first record."""

    role: Role
    health: Health
    metrics: Metrics
    web: Web
    delivery: Delivery
    follower: ReleaseFollower | None


class RoleService(mode.Service):
    """Starts and stops what a role needs, as part of the app."""

    def __init__(self, role: Role) -> None:
        super().__init__()
        self._role = role

    async def on_start(self) -> None:
        await self._role.start()

    async def on_stop(self) -> None:
        await self._role.stop()


class ReleaseGate(mode.Service):
    """Holds the start until a release is active: a worker that cannot decide takes no partition."""

    def __init__(self, app: faust.App, follower: ReleaseFollower) -> None:
        super().__init__()
        self._app = app
        self._follower = follower

    async def on_start(self) -> None:
        if not self._follower.active.is_set():
            _log.warning("waiting for a release to be activated; taking no records")
        await self._app.wait(self._follower.active.wait())
        if not self._follower.active.is_set():
            raise self._app.crash_reason or asyncio.CancelledError


class WorkerApp(faust.App):
    """A Faust app that starts our services before its own, and stops them after."""

    station: Station

    def on_init_dependencies(self) -> Iterable[Any]:
        """Health first, so that `/live` answers while the rest is still loading."""
        station = self.station
        ours: list[Any] = [station.web, station.delivery, RoleService(station.role)]
        if station.follower is not None:
            ours += [station.follower, ReleaseGate(self, station.follower)]
        return [*ours, *super().on_init_dependencies()]

    async def on_first_start(self) -> None:
        """Faust makes folders for its tables in the current one; we have none."""


def create_app(settings: Settings, role_name: RoleName) -> WorkerApp:
    """Wire a worker; nothing connects until it is started.

    Raises:
        StartupError: a pack, a key or a setting is not as it should be.
            Or the installed Faust is not the one that the frame transport was written against.
    """
    try:
        check_faust()
    except FaustChanged as error:
        raise StartupError(str(error)) from error
    domain = load_domain(settings.domain)
    health, metrics = Health(), Metrics(role_name)
    role = _role(settings, role_name, domain, metrics)
    app = WorkerApp(
        f"{settings.prefix}kdsl-{domain.name}-{role_name}",
        broker=[f"framed://{address.strip()}" for address in settings.bootstrap.split(",")],
        **_FAUST,
    )
    app.station = Station(
        role=role,
        health=health,
        metrics=metrics,
        web=Web(host=settings.web_host, port=settings.web_port, health=health, metrics=metrics),
        delivery=Delivery(bootstrap=settings.bootstrap, prefix=settings.prefix, health=health),
        follower=_follower(settings, domain, role, health, metrics),
    )
    _add_agent(app, settings)
    return app


# Session, heartbeat and rebalance times: Faust's defaults stop every partition for most of a
# minute after one killed worker. Web and tables of Faust's own stay off: they show contents.
# The prefix keeps variables such as BROKER_URL, meant for others, from overriding all this.
_FAUST: dict[str, Any] = {
    "env_prefix": "KDSL_FAUST_",
    "value_serializer": "raw",
    "key_serializer": "raw",
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "web_enabled": False,
    "web_tables_enabled": False,
    "broker_commit_interval": 1.0,
    "broker_session_timeout": 10.0,
    "broker_heartbeat_interval": 3.0,
    "broker_rebalance_timeout": 10.0,
    "broker_max_poll_records": 2000,
    # Records not yet begun are left to the next worker, not finished during a rebalance.
    "stream_wait_empty": False,
    "consumer_max_fetch_size": LIMITS.dead_letter_bytes + LIMITS.record_overhead_bytes,
    "consumer_auto_offset_reset": "earliest",
}


def _role(settings: Settings, name: RoleName, domain: Domain, metrics: Metrics) -> Role:
    failures = Failures()
    match name:
        case "tagger":
            return Tagger(
                domain=domain,
                image_prefixes=settings.image_prefixes,
                early_answer=settings.early_answer,
                metrics=metrics,
                failures=failures,
                now_ms=system_now_ms,
            )
        case "resolver":
            return Resolver(
                domain=domain,
                model_side=ModelSide(settings, domain),
                metrics=metrics,
                failures=failures,
                now_ms=system_now_ms,
            )
        case "alerter":
            return Alerter(domain=domain, metrics=metrics, failures=failures, now_ms=system_now_ms)
        case _:
            assert_never(name)


def _follower(
    settings: Settings, domain: Domain, role: Role, health: Health, metrics: Metrics
) -> ReleaseFollower | None:
    if not role.needs_release:
        return None
    return ReleaseFollower(
        bootstrap=settings.bootstrap,
        topic=topic_name("releases", prefix=settings.prefix),
        activations=Activations(domain=domain, trust=trust_store(settings)),
        use=role.use,
        health=health,
        metrics=metrics,
    )


def _add_agent(app: WorkerApp, settings: Settings) -> None:
    station = app.station
    name = topic_name(station.role.source, prefix=settings.prefix)
    station.health.block("partitions", "waiting for Kafka to assign partitions")

    loop = Loop(
        role=station.role,
        send=station.delivery.send,
        at_once=settings.frames_at_once,
        health=station.health,
        metrics=station.metrics,
    )

    async def work(stream: StreamT[Any]) -> None:
        await loop.run(_batches(stream))

    # A crash ends the process; a supervisor outside starts the next one, which takes over at the
    # last commit. Faust's own restart would run past what was in flight.
    app.agent(
        frame_topic(app, name, bounds=FrameBounds(max_records=settings.batch)),
        name=f"{station.role.name}.work",
        concurrency=1,
        supervisor_strategy=mode.CrashingSupervisor,
    )(work)
    _watch_assignment(app, station.health)


@dataclass(frozen=True, slots=True)
class _FrameBatch:
    """A frame as the loop sees it."""

    frame: Frame
    records: tuple[Record, ...]

    def ack(self, position: int) -> None:
        self.frame.ack(position)


async def _batches(stream: StreamT[Any]) -> AsyncIterator[_FrameBatch]:
    """The frames of a stream, none of their records acknowledged."""
    async for event in cast("faust.Stream[Any]", stream).noack().events():
        frame = cast("Frame", event.value)
        yield _FrameBatch(frame, tuple(map(to_record, frame)))


def _watch_assignment(app: WorkerApp, health: Health) -> None:
    """Ready between an assignment and the next revocation; a worker in reserve is ready too."""

    async def assigned(*_: Any, **__: Any) -> None:
        health.clear("partitions")

    async def revoked(*_: Any, **__: Any) -> None:
        health.block("partitions", "Kafka is moving partitions between workers")

    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_partitions_revoked.connect(revoked, weak=False)
