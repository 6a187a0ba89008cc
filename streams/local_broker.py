"""A real single-node Apache Kafka for the demo, the tests and `kdsl broker`."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.broker_config import BrokerConfig, cluster_id
from streams.broker_jars import Report
from streams.broker_java import QUICK_JVM, java_command, java_environment
from streams.broker_probe import answers
from streams.child import Child, log_tail
from streams.errors import BrokerStartFailed, PortTaken
from streams.folder_lock import FolderLock
from streams.ports import HOST, free_port, is_free

_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 20.0
_FORMAT_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.02
_ATTEMPTS = 5


class LocalBroker:
    """One Kafka node (broker and controller) on 127.0.0.1, its records kept in a folder.

    It dies with this process, even when this process is killed with SIGKILL (see `streams.guard`);
    the records survive that. The methods block; from a coroutine use `asyncio.to_thread`.

        with LocalBroker(folder) as broker:
            producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)

    Args:
        folder: holds records, configuration and log; made when missing.
        port: 0 takes a free one, which then stays the same for the life of this object.
        controller_port: likewise; nobody but the node itself uses it.
        heap_mb: Java's heap; the process takes about 100 MB more.
        jvm: further options for Java.
        config: what this node is told beyond what all are; it keeps its plain listener, by which
            it is seen to be ready.
        report: called with one line when something takes long (jars are fetched, once).
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        controller_port: int = 0,
        heap_mb: int = 256,
        jvm: Sequence[str] = QUICK_JVM,
        config: BrokerConfig | None = None,
        report: Report = lambda line: None,
    ) -> None:
        self.folder = folder.resolve()
        self.log_path = self.folder / "broker.log"
        self._lock = FolderLock(self.folder, holder="broker")
        self._given = (port, controller_port)
        self._chosen: tuple[int, int] | None = None
        self._heap_mb = heap_mb
        self._jvm = tuple(jvm)
        self._config = config or BrokerConfig()
        self._report = report
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """Where clients connect; known from the first start."""
        if self._chosen is None:
            raise RuntimeError("the broker has no port yet; call start() first")
        return self._chosen[0]

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Java's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.alive else None

    @property
    def alive(self) -> bool:
        return self.pid is not None

    def start(self) -> Self:
        """Fetch jars, format the folder where needed, launch, wait until requests are answered.

        Raises:
            MissingExtra: the `broker` extra is not installed.
            FolderInUse: another broker runs in the folder.
            PortTaken: somebody listens on a port that was given.
            BrokerStartFailed: Java died or was not ready in time; says the last log lines.
        """
        if self.alive:
            return self
        java = java_command(jvm=self._jvm, heap_mb=self._heap_mb, report=self._report)
        self._lock.acquire()
        try:
            self._start(java)
        except BaseException:
            self._lock.release()
            raise
        return self

    def _start(self, java: Sequence[str]) -> None:
        for attempts_left in reversed(range(_ATTEMPTS)):
            first_start = self._chosen is None
            self._chosen = ports = self._chosen or self._choose_ports()
            self._refuse_taken(ports)
            self._begin_log()
            self._format(java)
            try:
                self._launch(java)
                break
            except _PortLost:  # taken between our look and Java's; choose again if we chose
                if not (first_start and attempts_left and 0 in self._given):
                    raise
                self._chosen = None

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it ends by itself; its exit status, or None when the time is over."""
        return None if self._child is None else self._child.wait(timeout_s)

    def stop(self) -> None:
        """End it cleanly (SIGTERM), or with SIGKILL when that takes too long; keep the records."""
        if self._child is not None:
            self._child.stop(_STOP_WITHIN_S)
        self._lock.release()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would; the records written so far survive."""
        if self._child is not None:
            self._child.kill()
        self._lock.release()

    def wipe(self) -> None:
        """Forget every record; ends it first.

        Raises:
            FolderInUse: another broker runs in the folder; its records stay.
        """
        self.kill()
        self._lock.acquire()
        for name in ("data", "data.new"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self._lock.release()

    def log_tail(self, lines: int = 20) -> str:
        return log_tail(self.log_path, lines)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _choose_ports(self) -> tuple[int, int]:
        port, controller_port = self._given
        port = port or free_port(excluding=controller_port)
        return port, controller_port or free_port(excluding=port)

    def _begin_log(self) -> None:
        """One start a log, and the one before it: bounded, and no old error explains a new one."""
        if self.log_path.exists():
            self.log_path.replace(self.folder / "broker.previous.log")

    def _refuse_taken(self, ports: tuple[int, int]) -> None:
        for port in ports:
            if not is_free(port):
                raise PortTaken(
                    f"port {port} on {HOST} is taken; stop what listens there or choose another "
                    "port (0 takes a free one)"
                )

    def _configure(self, *, data: str, name: str) -> Path:
        assert self._chosen is not None  # noqa: S101  start() chose them
        port, controller_port = self._chosen
        path = self.folder / name
        text = self._config.text(port=port, controller_port=controller_port, data=data)
        path.write_text(text, encoding="utf-8")
        return path

    def _format(self, java: Sequence[str]) -> None:
        """Format beside and rename, so that a half-formatted folder is never taken for a whole."""
        if (self.folder / "data").exists():
            return
        shutil.rmtree(self.folder / "data.new", ignore_errors=True)
        config = self._configure(data="data.new", name="format.properties")
        tool = ("kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", config.name)
        formatting = self._run(java, (*tool, *self._config.format_arguments))
        status = formatting.wait(_FORMAT_WITHIN_S)
        formatting.kill()
        if status != 0:
            raise BrokerStartFailed(self._failure("Kafka's storage tool failed"))
        config.unlink()
        (self.folder / "data.new").rename(self.folder / "data")

    def _launch(self, java: Sequence[str]) -> None:
        config = self._configure(data="data", name="server.properties")
        self._child = child = self._run(java, ("kafka.Kafka", config.name))
        try:
            self._wait_until_ready(child)
        except BaseException:  # a Ctrl-C too must not leave half a start behind
            child.kill()
            raise

    def _run(self, java: Sequence[str], program: Sequence[str]) -> Child:
        command = [*java, *program]
        return Child(command, log=self.log_path, env=java_environment(), cwd=self.folder)

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not answers(self.port):
            if not child.alive:
                if "Address already in use" in self.log_tail(200):
                    raise _PortLost(self._failure("Kafka found its port taken; choose another"))
                raise BrokerStartFailed(
                    self._failure(
                        "Kafka died while starting; if its records are of no use any more, delete "
                        f"{self.folder / 'data'}"
                    )
                )
            if time.monotonic() > deadline:
                raise BrokerStartFailed(
                    self._failure(f"Kafka was not ready within {_READY_WITHIN_S:.0f} s")
                )
            time.sleep(_LOOK_EVERY_S)

    def _failure(self, what: str) -> str:
        return f"{what}. The last lines of {self.log_path}:\n{self.log_tail()}"


class _PortLost(BrokerStartFailed, PortTaken):
    """Somebody took a port after we saw that it was free."""
