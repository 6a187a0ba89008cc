"""Runs one worker in this process until it is told to stop or crashes."""

import asyncio
import gc
import logging
import signal

from streams.app import WorkerApp, create_app
from streams.domain import load_domain
from streams.errors import StreamsError
from streams.frames import DeliveryFailed
from streams.frames.ending import exit_hard_after
from streams.preflight import preflight
from streams.settings import RoleName, Settings
from streams.topics import group_name

_log = logging.getLogger(__name__)


def run_worker(settings: Settings, role: RoleName) -> int:
    """Run a worker; SIGTERM or SIGINT ends it cleanly.

    Returns:
        The exit status: 0 after a stop, 1 after a crash, for the restarter to act on.

    Raises:
        StartupError: one sentence that names the cure.
    """
    return asyncio.run(_run(settings, role))


async def _run(settings: Settings, role: RoleName) -> int:
    await preflight(
        settings.cluster,
        prefix=settings.prefix,
        role=role,
        group=group_name(load_domain(settings.domain).name, role, prefix=settings.prefix),
        partitions=settings.partitions,
    )
    # Until here what goes wrong is said in one sentence of ours, and the client repeats itself.
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    app = create_app(settings, role)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.ensure_future(app.start())
    try:
        await _first(starting, stop)
        if starting.done():
            await starting
            # What was loaded stays: looking through it again and again takes the collector about
            # a fifth of the transport's time.
            gc.collect()
            gc.freeze()
            _say_ready(app, role)
            await _until_stopped(app, stop)
    finally:
        # A stop can hang on a broker that is away, or while joining a group; what is not
        # acknowledged is read again.
        exit_hard_after(settings.stop_within_s)
        starting.cancel()
        await app.stop()
    if app.crash_reason is not None:
        _log.error("the %s ends, to be started again: %s", role, _sentence(app.crash_reason))
        return 1
    return 0


async def _first(starting: "asyncio.Future[None]", stop: asyncio.Event) -> None:
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _until_stopped(app: WorkerApp, stop: asyncio.Event) -> None:
    """Until we are told to stop, or the app stops or crashes by itself."""
    await app.wait(stop.wait())


def _say_ready(app: WorkerApp, role: RoleName) -> None:
    station = app.station
    _log.info("the %s runs; health at %s/ready", role, station.web.address)
    for why in station.health.obstacles.values():
        _log.warning("%s", why)


def _sentence(reason: BaseException) -> str:
    """What a person should read of a crash: our own errors say what to do, others who they are."""
    while isinstance(reason, BaseExceptionGroup):  # made by the tasks that shared a failure
        reason = reason.exceptions[0]
    known = isinstance(reason, StreamsError | DeliveryFailed)
    return str(reason) if known else repr(reason)
