"""The hard end of a process whose clean one may hang."""

import logging
import os
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

_WRITTEN_WITHIN_S = 1.0


def exit_hard_after(within_s: float) -> None:
    """Exit with status 1 unless the process has ended by then; the log is written first."""

    def exit_now() -> None:
        _start(_WRITTEN_WITHIN_S, lambda: os._exit(1))  # a log that nobody takes blocks
        _log.error("not stopped within %g s: exiting hard; nothing is lost by it", within_s)
        logging.shutdown()
        os._exit(1)

    _start(within_s, exit_now)


def _start(after_s: float, act: Callable[[], object]) -> None:
    timer = threading.Timer(after_s, act)
    timer.daemon = True
    timer.start()
