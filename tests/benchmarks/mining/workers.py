"""Workers: the processes that mine side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

A = TypeVar("A")
B = TypeVar("B")

Tell = Callable[[str], None]
"""Is told, in a line, what was done."""


class Workers:
    """Runs a function over values in so many processes; one is this process.

    Processes are spawned: each imports the modules itself, and shares no lock with this one.
    """

    def __init__(self, processes: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self.processes = processes

    def __enter__(self) -> Self:
        if self.processes > 1:
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, mp_context=context)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(self, function: Callable[[A], B], values: Sequence[A]) -> Iterator[tuple[int, B]]:
        """Yield the place of each value with what came of it, as it comes."""
        if self._pool is None:
            for place, value in enumerate(values):
                yield place, function(value)
            return
        places = {self._pool.submit(function, value): place for place, value in enumerate(values)}
        for future in as_completed(places):
            yield places[future], future.result()
