"""From sent to labelled, at a steady rate."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgpack

from streams.bench.load import event, texts
from streams.bench.outside import Outside
from streams.bench.rows import Row
from streams.bench.runner import Failed
from streams.bench.site import Site, Work
from streams.errors import StreamsError

VALUE_BYTES = 130
_WARM_UP_S = 4.0
_READY_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.05
_TICK_S = 0.0005
_DRAIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from the moment an event was handed to its producer to that of its label.

    events: so many, after the warm-up.
    """

    events: int
    p50_ms: float
    p99_ms: float


LatencyOutcome: TypeAlias = Latency | Failed


def percentile(ascending: Sequence[float], share: float) -> float:
    """The value that this share of the others does not exceed.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    return ascending[max(0, round(len(ascending) * share) - 1)]


def measure_latency(site: Site, row: Row, *, per_s: int, seconds: float) -> LatencyOutcome:
    """One row once: a source and a reader beside it, nothing waiting when it starts."""
    try:
        return _measure(site, row, per_s, seconds)
    except StreamsError as error:  # the rows after this one are worth having all the same
        return Failed(why=str(error))


def _measure(site: Site, row: Row, per_s: int, seconds: float) -> LatencyOutcome:
    with site.source(0, VALUE_BYTES) as source, site.work(row, source=source) as work:
        work.start()
        reader = _Reader(site.outside, work.plan.target)
        try:
            steady = _Source(site.outside, source)
            if (trouble := _wait_until_ready(work, steady, reader)) is not None:
                return Failed(why=trouble)
            began_s = time.time()
            steady.send(per_s, seconds)
            reader.drain(steady.sent)
        finally:
            reader.stop()
        warm = sorted(
            1000 * (at_s - sent_s)
            for sent_s, at_s in reader.seen
            if sent_s >= began_s + min(_WARM_UP_S, seconds / 2)
        )
    if reader.count < steady.sent or not warm:
        return Failed(why=f"only {reader.count} of {steady.sent} events came out")
    return Latency(events=len(warm), p50_ms=percentile(warm, 0.5), p99_ms=percentile(warm, 0.99))


def _wait_until_ready(work: Work, source: "_Source", reader: "_Reader") -> str | None:
    """Send a few events until one comes out: the worker has its partitions then."""
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        if (death := work.death()) is not None:
            return death
        source.send(100, _LOOK_EVERY_S)
        if reader.count:
            return None
    return f"labelled nothing: {work.last_words()}"


class _Source:
    """Sends events, each when its time has come, each with the time it was sent."""

    def __init__(self, outside: Outside, topic: str) -> None:
        self._producer = outside.producer({"linger.ms": 0})
        self._topic = topic
        self._texts = texts(VALUE_BYTES)
        self.sent = 0

    def send(self, per_s: int, seconds: float) -> None:
        began = time.monotonic()
        due = 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(passed * per_s) - due):
                text = self._texts[self.sent % len(self._texts)]
                key, value = event(self.sent, text, sent_at_s=time.time())
                self._producer.produce(self._topic, value, key)
                self.sent += 1
                due += 1
            self._producer.poll(0)
            time.sleep(_TICK_S)
        self._producer.flush()


class _Reader:
    """Notes, in a thread, when each label came: (sent, seen), both in seconds of this clock."""

    def __init__(self, outside: Outside, topic: str) -> None:
        self.seen: list[tuple[float, float]] = []
        self.count = 0
        self._consumer: Any = outside.consumer({"fetch.wait.max.ms": 500})
        outside.assign_from_now(self._consumer, topic)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None:
                at_s = time.time()
                self.seen.append((msgpack.unpackb(message.value())["ts"], at_s))
                self.count += 1

    def drain(self, count: int) -> None:
        """Wait for the last ones."""
        until = time.monotonic() + _DRAIN_S
        while self.count < count and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()
