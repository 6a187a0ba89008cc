"""Stalls of the event loop: how long it did not come back to a task that only ticks."""

import asyncio
import os
import threading
from collections import deque
from contextlib import suppress

import mode

from streams.metrics import Metrics

TICK_S = 0.005
WINDOW_S = 15


class LoopStalls:
    """The longest of the last seconds."""

    def __init__(self, *, window_s: int = WINDOW_S) -> None:
        self._window_s = window_s
        self._longest: deque[tuple[int, float]] = deque()  # second, its longest stall; oldest first

    def note(self, stall_s: float, *, at_s: float) -> None:
        second = int(at_s)
        if self._longest and self._longest[-1][0] == second:
            stall_s = max(stall_s, self._longest.pop()[1])
        self._longest.append((second, stall_s))
        self._forget(second)

    def longest_s(self, *, at_s: float) -> float:
        """0 when none was noted within the window."""
        self._forget(int(at_s))
        return max((stall_s for _, stall_s in self._longest), default=0.0)

    def _forget(self, second: int) -> None:
        while self._longest and self._longest[0][0] <= second - self._window_s:
            self._longest.popleft()


class LoopWatch(mode.Service):
    """Ticks, and exports the longest time between two ticks: a stall, or a tick when there is none.

    So nothing that kept the loop is left out; what is exported is too long by a tick at most. The
    *own* stall leaves out what its thread waited for a processor, which other processes had.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._any = LoopStalls()
        self._own = LoopStalls()
        metrics.loop_stall.set_function(lambda: self._any.longest_s(at_s=_now_s()))
        metrics.own_loop_stall.set_function(lambda: self._own.longest_s(at_s=_now_s()))

    @mode.Service.task
    async def _tick(self) -> None:
        processor = ProcessorQueue()
        try:
            before_s, waited_s = _now_s(), processor.waited_s()
            while not self.should_stop:
                await asyncio.sleep(TICK_S)
                at_s, waiting_s = _now_s(), processor.waited_s()
                self._any.note(at_s - before_s, at_s=at_s)
                self._own.note(at_s - before_s - (waiting_s - waited_s), at_s=at_s)
                before_s, waited_s = at_s, waiting_s
        finally:
            processor.close()


class ProcessorQueue:
    """How long this thread was ready to run and had no processor; Linux only, 0 elsewhere."""

    def __init__(self) -> None:
        self._file: int | None = None
        with suppress(OSError):
            path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
            self._file = os.open(path, os.O_RDONLY)

    def waited_s(self) -> float:
        """Seconds since the thread began."""
        if self._file is None:
            return 0.0
        # Time on a processor, time waiting for one, both in nanoseconds, and how often it had one.
        return int(os.pread(self._file, 128, 0).split()[1]) / 1e9

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _now_s() -> float:
    return asyncio.get_running_loop().time()
