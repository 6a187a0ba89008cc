"""Runs one worker in this process until it is told to stop or crashes."""

import asyncio
import gc
import logging
import signal

from streams.app import WorkerApp, create_app
from streams.domain import load_domain
from streams.errors import StreamsError
from streams.frames import DeliveryFailed, UnreadableRecord
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
        if await _started(starting, stop):
            _settle(app, role)
            await app.wait(stop.wait())  # or until it stops or crashes by itself
    finally:
        # A stop can hang on a broker that is away, or while joining a group; what is not
        # acknowledged is read again.
        exit_hard_after(settings.stop_within_s)
        starting.cancel()
        await app.stop()
    return _status(app, role)


async def _started(starting: "asyncio.Future[None]", stop: asyncio.Event) -> bool:
    """Whether the app has started; False when we were told to stop before."""
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        return False
    await starting
    return True


def _settle(app: WorkerApp, role: RoleName) -> None:
    """What was loaded stays: the collector would spend a fifth of the transport's time on it."""
    gc.collect()
    gc.freeze()
    _say_ready(app, role)


def _status(app: WorkerApp, role: RoleName) -> int:
    if app.crash_reason is None:
        return 0
    _log.error("the %s ends, to be started again: %s", role, _sentence(app.crash_reason))
    return 1


def _say_ready(app: WorkerApp, role: RoleName) -> None:
    station = app.station
    _log.info("the %s runs; health at %s/ready", role, station.web.address)
    for why in station.health.obstacles.values():
        _log.warning("%s", why)


def _sentence(reason: BaseException) -> str:
    """What a person should read of a crash: our own errors say what to do, others who they are."""
    while isinstance(reason, BaseExceptionGroup):  # made by the tasks that shared a failure
        reason = reason.exceptions[0]
    known = isinstance(reason, StreamsError | DeliveryFailed | UnreadableRecord)
    return str(reason) if known else repr(reason)
