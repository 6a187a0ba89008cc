"""Holds a worker's start until a release is active."""

import asyncio
import logging
from typing import Protocol

import mode

_log = logging.getLogger(__name__)


class Follows(Protocol):
    """What is asked of the follower; see `ReleaseFollower`."""

    @property
    def caught_up(self) -> asyncio.Event: ...

    @property
    def active(self) -> asyncio.Event: ...


class ReleaseGate(mode.Service):
    """Holds the start until a release is active: a worker that cannot decide takes no partition."""

    def __init__(self, app: mode.Service, follower: Follows) -> None:
        super().__init__()
        self._app = app
        self._follower = follower

    async def on_start(self) -> None:
        caught_up, active = self._follower.caught_up, self._follower.active
        # One that is active already is in force a moment later, when the topic has been read.
        await self._app.wait(caught_up.wait())
        if caught_up.is_set() and not active.is_set():
            _log.warning("waiting for a release to be activated; taking no records")
        await self._app.wait(active.wait())
        if not active.is_set():
            raise self._app.crash_reason or asyncio.CancelledError
