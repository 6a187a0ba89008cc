"""The start waits for a release, and says so only when none is active."""

import asyncio
import logging
from dataclasses import dataclass, field

import mode
import pytest

from streams.release_gate import ReleaseGate

WAITS = "waiting for a release to be activated; taking no records"


@dataclass
class Follower:
    """Reads as far as the test says."""

    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    active: asyncio.Event = field(default_factory=asyncio.Event)


async def turn() -> None:
    """Let everybody who can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_that_is_active_already_is_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    follower = Follower()
    with caplog.at_level(logging.WARNING):
        passing = asyncio.create_task(ReleaseGate(mode.Service(), follower).on_start())
        await turn()
        assert not passing.done()
        follower.active.set()
        follower.caught_up.set()
        await passing
    assert WAITS not in caplog.messages


async def test_where_none_is_active_it_says_so_and_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    follower = Follower()
    with caplog.at_level(logging.WARNING):
        passing = asyncio.create_task(ReleaseGate(mode.Service(), follower).on_start())
        follower.caught_up.set()
        await turn()
        assert caplog.messages == [WAITS]
        assert not passing.done()
        follower.active.set()
        await passing


async def test_a_worker_that_ends_meanwhile_passes_nothing() -> None:
    app = mode.Service()
    passing = asyncio.create_task(ReleaseGate(app, Follower()).on_start())
    await turn()
    await app.crash(RuntimeError("the topic cannot be read"))
    with pytest.raises(RuntimeError, match="cannot be read"):
        await passing
