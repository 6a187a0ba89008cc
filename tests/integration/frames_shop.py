"""The topics and workers of the app in `frames_app.py`."""

import asyncio
import json
import os
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams.processes import ProcessGroup

PROGRAM = Path(__file__).with_name("frames_app.py")
PARTITIONS = 2
FRAMED = ("orders", "clicks")
SOURCES = (*FRAMED, "notes")
COUNTED = {"clicks": "click-counts", "notes": "note-counts"}  # source → table
KEYS = tuple(f"k{number}".encode() for number in range(10))


@dataclass(kw_only=True)
class Shop:
    """The app's topics under a prefix of their own, and its workers.

    sent: how many records each key has in each source; their values count from 1.
    """

    bootstrap: str
    folder: Path
    processes: ProcessGroup
    prefix: str = field(default_factory=lambda: f"f{uuid.uuid4().hex[:8]}-")
    sent: int = 0

    def start(self, name: str, **told: str) -> None:
        """Start a worker; its program says what it can be told."""
        env = {**os.environ, "KAFKA": self.bootstrap, "PREFIX": self.prefix, "NAME": name, **told}
        arguments = [sys.executable, str(PROGRAM), "worker", "-l", "info", "--without-web"]
        self.processes.start(name, arguments, env=env, cwd=self.folder)

    def until(self, holds: Callable[[], bool], what: str, *, within_s: float = 90.0) -> None:
        """Wait until something holds; else fail with the ends of all logs."""
        deadline = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > deadline:
                names = self.processes.names()
                logs = "\n".join(f"--- {n}\n{self.processes.log_tail(n, 40)}" for n in names)
                raise AssertionError(f"not within {within_s:g} s: {what}\n{logs}")
            time.sleep(0.1)

    def create_topics(self) -> None:
        """Sources, outputs, and changelogs: Faust would use its own before Kafka knows them all."""

        async def run(admin: Any) -> Any:
            names = [f"{name}{end}" for name in SOURCES for end in ("", "-out")]
            topics = [NewTopic(f"{self.prefix}{name}", PARTITIONS, 1) for name in names]
            changelogs = [f"{self.prefix}shop-{table}-changelog" for table in COUNTED.values()]
            compacted = {"cleanup.policy": "compact"}
            topics += [NewTopic(n, PARTITIONS, 1, topic_configs=compacted) for n in changelogs]
            return await admin.create_topics(topics)

        answer = self._with_admin(run)
        assert all(error[1] == 0 for error in answer.topic_errors), answer

    def send(self, each: int) -> None:
        """Send further records of every key to every source."""

        async def run() -> None:
            async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5) as producer:
                waiting = [
                    await producer.send(f"{self.prefix}{source}", key=key, value=b"%d" % number)
                    for number in range(self.sent + 1, self.sent + each + 1)
                    for source in SOURCES
                    for key in KEYS
                ]
                await asyncio.gather(*waiting)

        asyncio.run(run())
        self.sent += each

    def outputs(self, source: str) -> dict[bytes, list[str]]:
        """Key → values that stand in a source's output, in order."""
        values: dict[bytes, list[str]] = defaultdict(list)
        for record in self.records(f"{source}-out"):
            values[record.key].append(record.value.decode())
        return values

    def workers(self, source: str) -> set[str]:
        """Who wrote a source's output."""
        return {dict(record.headers)["by"].decode() for record in self.records(f"{source}-out")}

    def table(self, source: str) -> dict[str, int]:
        """Key → count, as the changelog of a source's table would restore it."""
        changes = self.records(f"shop-{COUNTED[source]}-changelog")
        return {json.loads(change.key): json.loads(change.value)[0] for change in changes}

    def records(self, topic: str) -> list[Any]:
        """Everything that stands in a topic now."""

        async def run() -> list[Any]:
            found: list[Any] = []
            async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
                tps = self.partitions(topic)
                consumer.assign(tps)
                await consumer.seek_to_beginning(*tps)
                for tp, end in (await consumer.end_offsets(tps)).items():
                    while await consumer.position(tp) < end:
                        fetched = await consumer.getmany(tp, timeout_ms=500)
                        found += fetched.get(tp, [])
            return found

        return asyncio.run(run())

    def partitions(self, topic: str, *numbers: int) -> list[TopicPartition]:
        """All partitions of a topic, or those named."""
        name = f"{self.prefix}{topic}"
        return [TopicPartition(name, number) for number in numbers or range(PARTITIONS)]

    def ends(self, topic: str, *partitions: int) -> int:
        """How many records stand in a topic, or in some partitions of it."""

        async def run() -> int:
            async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
                tps = self.partitions(topic, *partitions)
                return sum((await consumer.end_offsets(tps)).values())

        return asyncio.run(run())

    def committed(self, source: str, *partitions: int) -> int:
        """How many records of a source, or of some of its partitions, the group has committed."""

        async def run(admin: Any) -> Any:
            try:
                return await admin.list_consumer_group_offsets(f"{self.prefix}shop")
            except GroupCoordinatorNotAvailableError:
                return {}  # a cluster on which no group ever was has no coordinator yet

        offsets = self._with_admin(run)
        tps = self.partitions(source, *partitions)
        return sum(offsets[tp].offset for tp in tps if tp in offsets)

    def all_committed(self, sources: Sequence[str] = SOURCES) -> bool:
        return all(self.committed(source) == self.sent * len(KEYS) for source in sources)

    def _with_admin(self, action: Callable[[Any], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                return await action(admin)
            finally:
                await admin.close()

        return asyncio.run(run())
