"""Named child processes that are started, watched and ended together."""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.child import Child, log_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before a restart: doubles from first_s to longest_s.

    steady_s: a process that ran this long before it ended starts again with first_s.
    """

    first_s: float = 0.5
    longest_s: float = 10.0
    steady_s: float = 30.0

    def wait_s(self, quick_ends: int) -> float:
        """The wait after this many quick ends in a row.

        >>> [Backoff().wait_s(n) for n in (1, 2, 3, 5, 9999)]
        [0.5, 1.0, 2.0, 8.0, 10.0]
        """
        return min(self.longest_s, self.first_s * 2.0 ** min(quick_ends - 1, 16))


@dataclass(slots=True, kw_only=True)
class _Process:
    """One name of the group: what to run, and what runs now."""

    argv: tuple[str, ...]
    env: Mapping[str, str] | None
    cwd: Path | None
    log: Path
    child: Child
    restarts: int = 0
    ending: threading.Event = field(default_factory=threading.Event)
    watcher: threading.Thread | None = None


class ProcessGroup:
    """Child processes, each under a name, in a process group of its own, with a log of its own.

    None outlives `stop`, nor this process, not even when it is killed with SIGKILL (see
    `streams.guard`). The methods block and are thread-safe; from a coroutine use
    `asyncio.to_thread`.

        with ProcessGroup(logs) as group:
            group.start("tagger", [sys.executable, "-m", "streams.cli", "worker", "tagger"])

    Args:
        log_folder: takes `<name>.log`, appended to; made when missing.
        stop_within_s: how long SIGTERM is given before SIGKILL.
        backoff: waits before restarts.
    """

    def __init__(
        self, log_folder: Path, *, stop_within_s: float = 20.0, backoff: Backoff | None = None
    ) -> None:
        self._log_folder = log_folder
        self._stop_within_s = stop_within_s
        self._backoff = backoff or Backoff()
        self._processes: dict[str, _Process] = {}
        self._lock = threading.RLock()
        self._stopped = False

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        restart: bool = False,
    ) -> int:
        """Start a process under a name that is not running; return its pid.

        Args:
            name: also names the log.
            argv: program and arguments, never through a shell.
            env: the whole environment; None inherits ours.
            cwd: working directory; None inherits ours.
            restart: start it again, after a wait, whenever it ends without being asked to.

        Raises:
            ValueError: a process of this name runs, or waits for its restart.
            RuntimeError: the group has been stopped.
            FileNotFoundError: the program does not exist.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError("the group has been stopped; make a new one")
            earlier = self._processes.get(name)
            if earlier is not None and (earlier.child.alive or _is_watched(earlier)):
                raise ValueError(f"{name} is running; stop it first")
            log = self._log_folder / f"{name}.log"
            child = Child(argv, log=log, env=env, cwd=cwd)
            process = _Process(argv=tuple(argv), env=env, cwd=cwd, log=log, child=child)
            self._processes[name] = process
            if restart:
                process.watcher = threading.Thread(
                    target=self._keep_running, args=(process,), name=f"watch-{name}", daemon=True
                )
                process.watcher.start()
            return child.pid

    def names(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._processes)

    def alive(self, name: str) -> bool:
        return self._child(name).alive

    def pid(self, name: str) -> int:
        """Its process id; of the latest start when it was restarted."""
        return self._child(name).pid

    def status(self, name: str) -> int | None:
        """Exit status of the latest start (negative: a signal), None while it runs."""
        return self._child(name).poll()

    def restarts(self, name: str) -> int:
        """How often it was started again."""
        return self._process(name).restarts

    def wait(self, name: str, timeout_s: float | None = None) -> int | None:
        """Wait for the present start to end; its exit status, or None when the time is over."""
        return self._child(name).wait(timeout_s)

    def send(self, name: str, signal_number: int) -> None:
        """Send it a signal; what it does with it is its own affair."""
        self._child(name).send(signal_number)

    def kill(self, name: str) -> None:
        """SIGKILL it and all it started, as a crash would; restarted when that was asked for."""
        self._child(name).kill()

    def stop(self, name: str | None = None) -> None:
        """End one process, or all and the group with them: SIGTERM, after the bound SIGKILL."""
        with self._lock:
            if name is None:
                self._stopped = True
                ending = list(self._processes.values())
            else:
                ending = [self._process(name)]
            for process in ending:
                process.ending.set()
        _end(ending, self._stop_within_s)

    def log_path(self, name: str) -> Path:
        return self._process(name).log

    def log_tail(self, name: str, lines: int = 20) -> str:
        """The last lines it wrote, for an error message."""
        return log_tail(self.log_path(name), lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _process(self, name: str) -> _Process:
        with self._lock:
            return self._processes[name]

    def _child(self, name: str) -> Child:
        with self._lock:
            return self._processes[name].child

    def _keep_running(self, process: _Process) -> None:
        """Start a process again whenever it ends, until it is asked to end."""
        quick_ends = 0
        while True:
            started = time.monotonic()
            process.child.wait()
            ran_s = time.monotonic() - started
            quick_ends = 1 if ran_s >= self._backoff.steady_s else quick_ends + 1
            if process.ending.wait(self._backoff.wait_s(quick_ends)):
                return
            with self._lock:  # `stop` sets `ending` under the lock: no start slips past it
                if process.ending.is_set():
                    return
                with contextlib.suppress(OSError):  # try again after a longer wait
                    process.child = Child(
                        process.argv, log=process.log, env=process.env, cwd=process.cwd
                    )
                    process.restarts += 1


def _is_watched(process: _Process) -> bool:
    return process.watcher is not None and process.watcher.is_alive()


def _end(processes: Sequence[_Process], within_s: float) -> None:
    """Ask all at once, so that the bound holds for all together and not for each."""
    deadline = time.monotonic() + within_s
    for process in processes:
        process.child.terminate()
    for process in processes:
        if process.child.wait(max(0.0, deadline - time.monotonic())) is None:
            process.child.kill()
        if process.watcher is not None:
            process.watcher.join()
