"""Work beside the loop: the collector keeps away from it, and from what stays of it."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from streams.beside_loop import beside_loop


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class Made:
    """What work makes; it can be watched."""


async def test_the_collector_is_off_meanwhile_and_what_is_made_is_never_looked_through() -> None:
    def work() -> tuple[bool, Made]:
        return gc.isenabled(), Made()

    gc.unfreeze()
    on, made = await beside_loop(work)
    assert not on
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert made not in gc.get_objects()


async def test_what_was_made_is_freed_without_the_collector_when_nobody_holds_it() -> None:
    made = await beside_loop(Made)
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    alive = weakref.ref(made, lambda _: loop.call_soon_threadsafe(gone.set))
    del made
    # The thread that made it lets go of it a moment later.
    await asyncio.wait_for(gone.wait(), timeout=10)
    assert alive() is None


async def test_after_a_failure_all_is_as_before() -> None:
    def work() -> None:
        raise RuntimeError("a defect")

    before = (gc.get_freeze_count(), sys.getswitchinterval())
    with pytest.raises(RuntimeError, match="a defect"):
        await beside_loop(work)
    assert gc.isenabled()
    assert (gc.get_freeze_count(), sys.getswitchinterval()) == before
