"""One child process that cannot outlive its owner, however the owner ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams import guard

_TAIL_BYTES = 16 * 1024


class Child:
    """A command in a process group of its own, started through `streams.guard`.

    It dies with this process even when this process is killed with SIGKILL, whichever thread
    started it, and it takes what it started with it. Ctrl-C in the terminal does not reach it:
    its owner decides when it ends. The methods block and may be called from any thread.

    Args:
        argv: program and arguments, never through a shell.
        log: file that takes stdout and stderr, appended to.
        env: the whole environment; None inherits ours.
        cwd: working directory; None inherits ours.

    Raises:
        FileNotFoundError: the program does not exist.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        search_path = (os.environ if env is None else env).get("PATH")
        if shutil.which(argv[0], path=search_path) is None:
            raise FileNotFoundError(f"no such program: {argv[0]}")
        self.log = log
        self._lock = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), *argv]
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                bufsize=0,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        assert self._guard.stdout is not None  # noqa: S101  opened above
        with self._guard.stdout as reported:
            line = reported.readline()
        if not line:
            self._guard.wait()
            self._close()
            raise OSError(f"cannot start a process; {self.log} says why:\n{self.log_tail()}")
        return int(line)

    @property
    def alive(self) -> bool:
        return self.poll() is None

    def poll(self) -> int | None:
        """Exit status (negative: the signal that ended it), or None while it runs."""
        status = self._guard.poll()
        if status is not None:
            self._close()
        return status

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Like `poll`, after it has ended or the time is over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(timeout_s)
        return self.poll()

    def send(self, signal_number: int) -> None:
        """Send a signal to the command; SIGKILL goes to all it started too. No-op when over."""
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            assert self._guard.stdin is not None  # noqa: S101  opened above
            self._guard.stdin.write(bytes([signal_number]))

    def terminate(self) -> None:
        """Ask it to end (SIGTERM), without waiting."""
        self.send(signal.SIGTERM)

    def kill(self) -> int | None:
        """Kill it and all it started, at once; return the exit status."""
        self.send(signal.SIGKILL)
        return self.wait()

    def stop(self, within_s: float) -> int | None:
        """Ask it to end (SIGTERM), kill it when the time is over; return the exit status."""
        self.terminate()
        status = self.wait(within_s)
        return self.kill() if status is None else status

    def log_tail(self, lines: int = 20) -> str:
        return log_tail(self.log, lines)

    def _close(self) -> None:
        with self._lock:
            assert self._guard.stdin is not None  # noqa: S101  opened above
            self._guard.stdin.close()


def log_tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log file, for an error message; empty when there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
