"""Whether the event loop has time for what can wait."""

import asyncio
import time

# A turn in which nothing else was ready takes some ten microseconds.
_IDLE_TURN_S = 0.001


async def loop_is_idle() -> bool:
    """Let everything run that is ready; whether that was next to nothing."""
    started_s = time.perf_counter()
    await asyncio.sleep(0)
    return time.perf_counter() - started_s < _IDLE_TURN_S
