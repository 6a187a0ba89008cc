"""A bound on how often a log repeats itself, as a client does while its broker is away."""

import logging
import time
from collections.abc import Callable

from cachetools import LRUCache


class FloodFilter(logging.Filter):
    """Lets a sentence through a few times in each span, then counts what it held back.

    Sentences are told apart by logger, level and template, not by their fields.
    """

    def __init__(
        self,
        *,
        times: int = 5,
        span_s: float = 60.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the bound.

        Args:
            times: how often one sentence passes in a span.
            span_s: length of a span, which starts with the first sentence in it.
            now_s: the clock.
        """
        super().__init__()
        self._times = times
        self._span_s = span_s
        self._now_s = now_s
        self._seen: LRUCache[tuple[str, int, str], tuple[float, int]] = LRUCache(maxsize=1000)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; the first of a new span says what the last one hid."""
        sentence = (record.name, record.levelno, str(record.msg))
        began_s, count = self._seen.get(sentence, (self._now_s(), 0))
        if self._now_s() - began_s >= self._span_s:
            held_back = count - self._times
            if held_back > 0:
                record.msg = f"{record.getMessage()} (and {held_back} times more before)"
                record.args = ()
            began_s, count = self._now_s(), 0
        self._seen[sentence] = (began_s, count + 1)
        return count < self._times
