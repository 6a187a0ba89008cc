"""The composition root of a worker: a Faust app around one role's pure decision."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_never

import faust
import mode

from streams.activations import Activations
from streams.alerter import Alerter
from streams.batches import Loop
from streams.delivery import Delivery
from streams.domain import Domain, load_domain
from streams.errors import StartupError
from streams.failures import Failures
from streams.faust_options import faust_options
from streams.frames import FaustChanged, FrameBounds, check_faust
from streams.health import Health
from streams.heartbeat import Heartbeat, Reporter, status_outlet
from streams.log_ends import LogEnds
from streams.loop_stalls import LoopWatch
from streams.metrics import Metrics
from streams.model_side import ModelSide
from streams.preflight import create_command
from streams.release_gate import ReleaseGate
from streams.releases import ReleaseFollower
from streams.resolver import Resolver
from streams.role import Role, system_now_ms
from streams.settings import RoleName, Settings
from streams.source import Source
from streams.standing import Standing
from streams.tagger import Tagger
from streams.topic_watch import TopicWatch, ask_state
from streams.topics import group_name, topic_name
from streams.tracing import tracing_for
from streams.trust import trust_of
from streams.watchdog import Watchdog
from streams.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One worker's parts; each starts before Faust takes the first record."""

    role: Role
    health: Health
    metrics: Metrics
    web: Web
    heartbeat: Heartbeat
    delivery: Delivery
    watchdog: Watchdog
    topic_watch: TopicWatch
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


class WorkerApp(faust.App):
    """A Faust app that starts our services before its own, and stops them after."""

    station: Station

    def on_init_dependencies(self) -> Iterable[Any]:
        """Health first, so that `/live` and the status tell what the rest still waits for."""
        station = self.station
        role = RoleService(station.role)
        ours: list[Any] = [station.web, LoopWatch(station.metrics), station.heartbeat]
        ours += [station.delivery, station.watchdog, station.topic_watch, role]
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
    health, metrics, standing = Health(), Metrics(role_name), Standing()
    role = _role(settings, role_name, domain, metrics)
    app = WorkerApp(
        group_name(domain.name, role_name, prefix=settings.prefix),
        **faust_options(settings, role_name),
    )
    source = Source(
        app,
        topic_name(role.source, prefix=settings.prefix),
        bounds=FrameBounds(max_records=settings.batch),
        buffer_bytes=settings.buffer_bytes,
        crash_within_s=settings.stop_within_s,
    )
    app.station = Station(
        role=role,
        health=health,
        metrics=metrics,
        web=Web(host=settings.web_host, port=settings.web_port, health=health, metrics=metrics),
        heartbeat=_heartbeat(settings, domain, role, standing, health, metrics),
        delivery=Delivery(
            cluster=settings.cluster,
            prefix=settings.prefix,
            within_s=settings.deliver_within_s,
            health=health,
            metrics=metrics,
        ),
        follower=_follower(settings, domain, role, standing, health, metrics),
        watchdog=_watchdog(settings, source, role, health, metrics),
        topic_watch=_topic_watch(settings, source, role, health),
    )
    _add_work(app, settings, source)
    return app


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


def _heartbeat(
    settings: Settings,
    domain: Domain,
    role: Role,
    standing: Standing,
    health: Health,
    metrics: Metrics,
) -> Heartbeat:
    reporter = Reporter(
        worker=f"{domain.name}-{role.name}-{settings.instance or uuid.uuid4().hex[:12]}",
        domain=domain.name,
        labels_digest=domain.labels_digest if role.needs_release else None,
        every_s=settings.status_every_s,
        role=role,
        standing=standing,
        health=health,
        metrics=metrics,
    )
    return Heartbeat(
        outlet=status_outlet(settings.cluster),
        topic=topic_name("status", prefix=settings.prefix),
        report=reporter.status,
        changed=standing.changed,
        every_s=settings.status_every_s,
        metrics=metrics,
    )


def _follower(
    settings: Settings,
    domain: Domain,
    role: Role,
    standing: Standing,
    health: Health,
    metrics: Metrics,
) -> ReleaseFollower | None:
    if not role.needs_release:
        return None
    return ReleaseFollower(
        cluster=settings.cluster,
        topic=topic_name("releases", prefix=settings.prefix),
        activations=Activations(domain=domain, trust=trust_of(settings)),
        use=role.use,
        standing=standing,
        now_ms=system_now_ms,
        health=health,
        metrics=metrics,
    )


def _watchdog(
    settings: Settings, source: Source, role: Role, health: Health, metrics: Metrics
) -> Watchdog:
    return Watchdog(
        holdings=source,
        logs=LogEnds(settings.cluster),
        progress=role.progress,
        health=health,
        metrics=metrics,
        patience_s=settings.stall_after_s,
        exit_on_stall=settings.exit_on_stall,
    )


def _topic_watch(settings: Settings, source: Source, role: Role, health: Health) -> TopicWatch:
    topic = topic_name(role.source, prefix=settings.prefix)
    return TopicWatch(
        topic,
        held=source,
        state=partial(ask_state, settings.cluster, topic),
        create=create_command(settings.cluster, settings.prefix),
        health=health,
    )


def _add_work(app: WorkerApp, settings: Settings, source: Source) -> None:
    station = app.station
    loop = Loop(
        role=station.role,
        send=station.delivery.send,
        at_once=settings.frames_at_once,
        health=station.health,
        metrics=station.metrics,
        tracing=tracing_for(station.role.name),
    )
    source.work(loop.run, name=f"{station.role.name}.work")
    source.watch(station.health, station.metrics)
