"""One thing is made while the one before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(make: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Make one thing of each item, the next one while the last one is used.

    >>> list(ahead(len, ["a", "bc"]))
    [1, 2]
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting = [thread.submit(make, item) for item in items[:1]]
        for item in items[1:]:
            made = waiting.pop().result()
            waiting.append(thread.submit(make, item))
            yield made
        for last in waiting:
            yield last.result()
