"""Long work in a thread beside the event loop, such that the loop hardly notices."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

# How long a thread that computes keeps the interpreter when the loop wants it; by default 5 ms, and
# the loop asks anew after every system call it makes.
_SWITCH_S = 0.0005


async def beside_loop(work: Callable[[], T]) -> T:
    """Do work whose result stays for long; one at a time in a process."""
    return await asyncio.to_thread(_undisturbing, work)


def _undisturbing(work: Callable[[], T]) -> T:
    # What is garbage now would stay for ever if it were frozen.
    gc.collect()
    with _collector_off(), _quick_switches():
        result = work()
        # Frozen objects are freed like others when nobody holds them any more.
        gc.freeze()
    return result


@contextmanager
def _collector_off() -> Iterator[None]:
    """Looking through the half million objects of 10,000 rules takes a third of a second.

    It holds the interpreter, comes several times while they are made, and finds nothing.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@contextmanager
def _quick_switches() -> Iterator[None]:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)
