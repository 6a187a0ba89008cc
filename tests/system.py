"""A whole system for tests: topics of its own on the real Kafka, workers as real processes."""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

from rule_store import load_key, new_key, public_path, sign, signed_to_bytes
from rule_store.registry import Registry
from streams.accounting import Accounts
from streams.activating import Wanted, activate_release
from streams.cluster import Cluster
from streams.codec import decode_alert, decode_dead_letter, decode_tag
from streams.datasets import Example
from streams.domain import Domain, load_domain
from streams.events import DeadLetter, DialogueEvent, Tag
from streams.kafka import create_topics, group_lag, open_producer, read_topic
from streams.local_broker import LocalBroker
from streams.ports import free_port
from streams.processes import ProcessGroup
from streams.publishing import KafkaReleaseTopic
from streams.records import Record
from streams.role import system_now_ms
from streams.sending import send_events
from streams.settings import RoleName
from streams.topics import Kind, group_name, topic_name


@dataclass(kw_only=True)
class System:
    """Topics under a prefix of their own, a key, and the workers started so far.

    reached: how we reach the cluster where that is not the plain listener of `kafka`.
    environment: what workers are told beyond their options, for example how they reach it.
    """

    kafka: LocalBroker
    folder: Path
    domain: Domain = field(default_factory=lambda: load_domain("storefront"))
    partitions: int = 2
    reached: Cluster | None = None
    environment: dict[str, str] = field(default_factory=dict)
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}-")
    ports: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = self.folder / "test.key"
        new_key(self.key)
        self.processes = ProcessGroup(self.folder / "logs")
        asyncio.run(create_topics(self.cluster, prefix=self.prefix, partitions=self.partitions))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in self.processes.names():
            self.processes.kill(name)  # a clean end takes seconds, and nobody looks at it any more
        self.processes.stop()

    @property
    def bootstrap(self) -> str:
        return self.cluster.bootstrap

    @property
    def cluster(self) -> Cluster:
        return self.reached or Cluster(bootstrap=self.kafka.bootstrap)

    # Releases

    @property
    def registry(self) -> Path:
        return self.folder / "registry.db"

    def activate(
        self, content: bytes, *, shadow: bytes | None = None, key: Path | None = None
    ) -> str:
        """Sign and activate a release, and another beside it without effect; its digest."""
        signer, now_ms = load_key(key or self.key), system_now_ms()
        signed = sign(content, signer, "release")
        topic = KafkaReleaseTopic(self.cluster, prefix=self.prefix)
        with Registry.open(self.registry) as registry:
            row = registry.add_release(signed, by="test", at_ms=now_ms)
            beside = None
            if shadow is not None:
                signed_shadow = sign(shadow, signer, "release")
                beside = registry.add_release(signed_shadow, by="test", at_ms=now_ms).digest
            wanted = Wanted(
                release=row.digest,
                shadow=beside,
                key=signer,
                new_key=key is not None,
                by="test",
                at_ms=now_ms,
            )
            asyncio.run(activate_release(registry, topic, wanted))
        (self.folder / "release").write_bytes(signed_to_bytes(signed))
        return row.digest

    # Workers

    def start(
        self,
        role: RoleName,
        *options: str,
        name: str | None = None,
        program: Sequence[str] = ("-m", "streams.cli", "worker"),
        restart: bool = False,
        ready: bool = True,
        cwd: Path | None = None,
    ) -> str:
        """Start a worker and, unless told otherwise, wait until it is ready; its name."""
        name = name or role
        port = self.ports.setdefault(name, free_port())
        arguments = [sys.executable, *program, role, "--bootstrap", self.bootstrap]
        arguments += ["--prefix", self.prefix, "--web-port", str(port)]
        arguments += ["--domain", self.domain.name]
        if role != "alerter":
            arguments += ["--trust", str(public_path(self.key))]
        env = os.environ | self.environment
        self.processes.start(name, [*arguments, *options], env=env, restart=restart, cwd=cwd)
        if ready:
            self.until(lambda: self.health(name).get("ready") is True, f"{name} is ready")
        return name

    def health(self, name: str) -> dict[str, Any]:
        """The body of `/ready`, whatever its status; empty while nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.ports[name]}/ready", timeout=2) as answer:
                return dict(json.load(answer))
        except URLError as error:
            if hasattr(error, "read"):
                return dict(json.loads(error.read()))
            return {}
        except (ConnectionError, TimeoutError):
            return {}

    def metric(self, name: str, metric: str) -> float:
        """The value of a metric without labels, or the sum over its labels; 0 when absent."""
        try:
            with urlopen(f"http://127.0.0.1:{self.ports[name]}/metrics", timeout=2) as answer:
                lines = answer.read().decode().splitlines()
        except (URLError, ConnectionError, TimeoutError):
            return 0.0
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith((f"{metric} ", f"{metric}{{"))
        )

    def until(self, holds: Callable[[], bool], what: str, *, within_s: float = 60.0) -> None:
        """Wait until something holds; else fail with the ends of all logs."""
        deadline = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline:
                logs = "\n".join(
                    f"--- {name}\n{self.processes.log_tail(name)}"
                    for name in self.processes.names()
                )
                raise AssertionError(f"not within {within_s:g} s: {what}\n{logs}")
            time.sleep(0.05)

    # Records

    def send(self, examples: Iterable[Example], *, rate: float | None = None) -> None:
        """Send examples as `kdsl send` does."""

        async def run() -> None:
            async with open_producer(self.cluster) as producer:
                sent = send_events(examples, producer, prefix=self.prefix, rate=rate)
                async for _ in sent:
                    pass

        asyncio.run(run())

    def send_raw(self, kind: Kind, values: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Send (key, value) pairs as they are, many at a time."""

        async def run() -> None:
            topic = topic_name(kind, prefix=self.prefix)
            async with open_producer(self.cluster) as producer:
                waiting = [
                    await producer.send(topic, key=key, value=value) for key, value in values
                ]
                await asyncio.gather(*waiting)

        asyncio.run(run())

    def records(self, kind: Kind) -> list[Record]:
        """Everything that stands in a topic now."""

        async def run() -> list[Record]:
            topic = topic_name(kind, prefix=self.prefix)
            return [record async for record in read_topic(self.cluster, topic)]

        return asyncio.run(run())

    def tags(self) -> list[Tag]:
        return [decode_tag(record.value or b"") for record in self.records("tags")]

    def dead_letters(self) -> list[DeadLetter]:
        return [decode_dead_letter(record.value or b"") for record in self.records("dead_letters")]

    def lag(self, role: RoleName) -> int:
        """Records of the role's source that its group has not committed."""
        sources: dict[RoleName, Kind] = {
            "tagger": "events",
            "resolver": "deferred",
            "alerter": "tags",
        }
        group = group_name(self.domain.name, role, prefix=self.prefix)
        topic = topic_name(sources[role], prefix=self.prefix)
        return asyncio.run(group_lag(self.cluster, group, topic))

    def accounts(self, sent: Iterable[tuple[DialogueEvent, str | None]]) -> Accounts:
        """The books as all output topics show them now."""
        accounts = Accounts(self.domain)
        for event, label in sent:
            accounts.sent(event, at_ms=event.sent_at_ms, label=label)
        for record in self.records("tags"):
            accounts.tag(decode_tag(record.value or b""), at_ms=record.timestamp_ms)
        for record in self.records("dead_letters"):
            accounts.dead_letter(decode_dead_letter(record.value or b""))
        for record in self.records("alerts"):
            accounts.alert(decode_alert(record.value or b"").alert_id)
        return accounts
