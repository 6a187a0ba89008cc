"""A steady stream of events, from a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from streams.cluster import Cluster
from streams.kafka import open_producer

_BEAT_S = 0.02


class Load:
    """Sends events at a steady rate for as long as it is entered.

    sent: how many so far.

    Args:
        cluster: takes them.
        topic: likewise.
        events: keys and values, without end.
        per_s: how many a second.
    """

    def __init__(
        self, cluster: Cluster, topic: str, events: Iterator[tuple[bytes, bytes]], *, per_s: float
    ) -> None:
        self._cluster = cluster
        self._topic = topic
        self._events = events
        self._per_s = per_s
        self._enough = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="load")
        self.sent = 0

    def __enter__(self) -> Self:
        self._sending = self._thread.submit(asyncio.run, self._send())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.shutdown()
        self._sending.result()

    async def _send(self) -> None:
        async with open_producer(self._cluster) as producer:
            started_s = time.monotonic()
            while not self._enough.is_set():
                due = round((time.monotonic() - started_s) * self._per_s)
                waiting = []
                for _ in range(due - self.sent):
                    key, value = next(self._events)
                    waiting.append(await producer.send(self._topic, key=key, value=value))
                    self.sent += 1
                await asyncio.gather(*waiting)
                await asyncio.sleep(_BEAT_S)
