"""Whether a worker's records move: the evidence, and what counts as a stall."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Progress:
    """When a record was last decided, acknowledged or committed, and since when there is work.

    clock: monotonic seconds.

    >>> now = [0.0]
    >>> progress = Progress(clock=lambda: now[0])
    >>> progress.stalled(1000.0, patience_s=30.0) is None  # nothing to do is no stall
    True
    >>> now[0] = 1000.0
    >>> progress.expect(work=True)
    >>> progress.stalled(1030.0, patience_s=30.0), progress.stalled(1031.0, patience_s=30.0)
    (None, 31.0)
    >>> now[0] = 1020.0
    >>> progress.mark()
    >>> progress.stalled(1031.0, patience_s=30.0) is None
    True
    """

    clock: Callable[[], float] = time.monotonic
    _moved_s: float = field(default=float("-inf"), init=False)
    _work_since_s: float | None = field(default=None, init=False)

    def mark(self) -> None:
        """Note that a record was decided, acknowledged or committed just now."""
        self._moved_s = self.clock()

    def expect(self, *, work: bool) -> None:
        """Note whether there is work to do; the time runs anew from where it appears."""
        if not work:
            self._work_since_s = None
        elif self._work_since_s is None:
            self._work_since_s = self.clock()

    def stalled(self, now_s: float, *, patience_s: float) -> float | None:
        """How long nothing has moved, in seconds, when that is too long; else None.

        Args:
            now_s: by the same clock.
            patience_s: the longest permitted decision; with work and still for longer is a stall.
        """
        if self._work_since_s is None:
            return None
        still_s = now_s - max(self._moved_s, self._work_since_s)
        return still_s if still_s > patience_s else None
