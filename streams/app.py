"""The composition root of a worker: a Faust app around one role's pure decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import faust
import mode

from streams.batches import Loop
from streams.delivery import Delivery
from streams.domain import load_domain
from streams.errors import StartupError
from streams.faust_options import faust_options
from streams.frames import FaustChanged, FrameBounds, check_faust
from streams.health import Health
from streams.heartbeat import Heartbeat
from streams.loop_stalls import LoopWatch
from streams.metrics import Metrics
from streams.release_gate import ReleaseGate
from streams.releases import ReleaseFollower
from streams.role import Role
from streams.settings import RoleName, Settings
from streams.shadowing import Shadowing
from streams.source import Source
from streams.topic_watch import TopicWatch
from streams.topics import group_name
from streams.tracing import tracing_for
from streams.watchdog import Watchdog
from streams.web import Web
from streams.wiring import Wiring


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
    shadowing: Shadowing | None


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
        if station.shadowing is not None:
            ours.append(station.shadowing)
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
    wiring = Wiring.of(settings, domain, role_name)
    app = WorkerApp(
        group_name(domain.name, role_name, prefix=settings.prefix),
        **faust_options(settings, role_name),
    )
    source = Source(
        app,
        wiring.topic(wiring.role.source),
        bounds=FrameBounds(max_records=settings.batch),
        buffer_bytes=settings.buffer_bytes,
        crash_within_s=settings.stop_within_s,
    )
    app.station = Station(
        role=wiring.role,
        health=wiring.health,
        metrics=wiring.metrics,
        web=wiring.web(),
        heartbeat=wiring.heartbeat(),
        delivery=wiring.delivery(),
        follower=wiring.follower(),
        shadowing=wiring.shadowing(source),
        watchdog=wiring.watchdog(source),
        topic_watch=wiring.topic_watch(source),
    )
    _add_work(app, settings, source)
    return app


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
