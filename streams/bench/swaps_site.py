"""Where releases are swapped: topics, a registry and workers of its own on a real Kafka."""

import asyncio
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from rule_store import load_key, new_key, public_path, sign
from rule_store.registry import Registry
from streams.activating import Wanted, activate_release
from streams.bench.outside import Outside
from streams.cluster import Cluster
from streams.domain import Domain
from streams.errors import StreamsError
from streams.kafka import create_topics, group_lag
from streams.ports import free_port
from streams.processes import ProcessGroup
from streams.publishing import KafkaReleaseTopic
from streams.role import system_now_ms
from streams.topics import group_name, topic_name

_READY_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.1
_ANSWER_S = 5.0
_LOG_LINES = 12
_RELEASE = re.compile(r'^kdsl_release_info\{digest="([^"]+)"\} 1', re.MULTILINE)
_STALL = re.compile(r"^kdsl_loop_stall_seconds (\S+)", re.MULTILINE)
_OWN_STALL = re.compile(r"^kdsl_own_loop_stall_seconds (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The longest that an event loop did not come back to a ticking task.

    own_ms: without the time that its thread waited for a processor, which other processes had.
    """

    any_ms: float
    own_ms: float

    @classmethod
    def longest(cls, stalls: Iterable[Self]) -> Self:
        found = list(stalls)
        return cls(
            any_ms=max(stall.any_ms for stall in found),
            own_ms=max(stall.own_ms for stall in found),
        )


class SwapSite:
    """Taggers of one domain under a prefix of their own; all ends with the block.

    Args:
        bootstrap: a Kafka with nothing else to do.
        folder: takes logs, keys and the registry.
        domain: whose events they decide.
        partitions: of the events.
    """

    def __init__(self, bootstrap: str, folder: Path, domain: Domain, *, partitions: int) -> None:
        self.cluster = Cluster(bootstrap=bootstrap)
        self.prefix = f"kdsl-bench-{uuid.uuid4().hex[:8]}-"
        self._folder = folder
        self._domain = domain
        self._partitions = partitions
        self._ports: dict[str, int] = {}
        self._processes = ProcessGroup(folder / "logs")
        self._open = ExitStack()

    @property
    def events_topic(self) -> str:
        return topic_name("events", prefix=self.prefix)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        new_key(self._folder / "bench.key")
        self._key = load_key(self._folder / "bench.key")
        topics = create_topics(self.cluster, prefix=self.prefix, partitions=self._partitions)
        asyncio.run(topics)
        self._registry = self._open.enter_context(Registry.open(self._folder / "registry.db"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.stop()
        self._open.close()
        outside = Outside(self.cluster.bootstrap)
        outside.delete(self.prefix)
        outside.close()

    def add(self, content: bytes) -> str:
        """Put a release into the registry; its digest."""
        signed = sign(content, self._key, "release")
        return self._registry.add_release(signed, by="bench", at_ms=system_now_ms()).digest

    def activate(self, digest: str) -> None:
        """As `kdsl release activate` does; acknowledged by Kafka when it returns."""
        wanted = Wanted(release=digest, key=self._key, by="bench", at_ms=system_now_ms())
        topic = KafkaReleaseTopic(self.cluster, prefix=self.prefix)
        asyncio.run(activate_release(self._registry, topic, wanted))

    def start(self, workers: int) -> None:
        """Start so many workers more; all are ready when it returns."""
        for _ in range(workers):
            name, port = f"tagger-{len(self._ports) + 1}", free_port()
            self._ports[name] = port
            command = [sys.executable, "-m", "streams.cli", "worker", "tagger"]
            command += ["--bootstrap", self.cluster.bootstrap, "--prefix", self.prefix]
            command += ["--domain", self._domain.name, "--web-port", str(port)]
            command += ["--trust", str(public_path(self._folder / "bench.key"))]
            self._processes.start(name, command)
        for name in self._ports:
            self._until(partial(self._ready, name), f"{name} is ready")

    def in_force(self, digest: str) -> None:
        """Wait until all workers decide under a release."""
        waiting = set(self._ports)

        def all_swapped() -> bool:
            waiting.difference_update(
                [name for name in waiting if _RELEASE.findall(self._ask(name)) == [digest]]
            )
            return not waiting

        self._until(all_swapped, f"{digest} is in force in all workers")

    def stall(self) -> Stall:
        """The longest of any worker in the last seconds, as they export it."""
        return Stall.longest(_stall(self._ask(name)) for name in self._ports)

    def lag(self) -> int:
        group = group_name(self._domain.name, "tagger", prefix=self.prefix)
        return asyncio.run(group_lag(self.cluster, group, self.events_topic))

    def settle(self) -> None:
        """Wait until all is committed."""
        self._until(lambda: self.lag() == 0, "all is committed")

    def _ready(self, name: str) -> bool:
        with suppress(URLError, ConnectionError, TimeoutError):
            return bool(self._get(name, "ready"))
        return False

    def _ask(self, name: str) -> str:
        return self._get(name, "metrics")

    def _get(self, name: str, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self._ports[name]}/{path}", timeout=_ANSWER_S) as answer:
            return str(answer.read().decode())

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + _READY_WITHIN_S
        while not holds():
            dead = [name for name in self._ports if not self._processes.alive(name)]
            if dead or time.monotonic() > deadline_s:
                name = (dead or list(self._ports))[0]
                words = self._processes.log_tail(name, _LOG_LINES)
                raise StreamsError(f"not within {_READY_WITHIN_S:g} s: {what}; {name}: {words}")
            time.sleep(_LOOK_EVERY_S)


def _stall(exposition: str) -> Stall:
    found, own = _STALL.search(exposition), _OWN_STALL.search(exposition)
    if found is None or own is None:
        raise StreamsError("a worker exports no stall of its event loop; it is of another version")
    return Stall(any_ms=float(found[1]) * 1e3, own_ms=float(own[1]) * 1e3)
