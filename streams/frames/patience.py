"""The client's producer, waiting for what can pass; and what it waits for."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from streams.frames.failures import FailureKind

_LOOK_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """What stands in the way of a delivery. where: topic and partitions; empty when it is all."""

    kind: FailureKind
    where: str = ""


class PatientProducer:
    """A producer that waits on for topics it does not know yet.

    The client calls a topic unknown while no broker answers, and gives up on it by a bound of its
    own. Here the bound is the caller's.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._topics: set[str] = set()
        self.create_batch = producer.create_batch

    async def partitions_for(self, topic: str) -> set[int]:
        self._topics.add(topic)
        while True:
            try:
                return set(await self._producer.partitions_for(topic))
            except UnknownTopicOrPartitionError:
                continue

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]:
        while True:
            try:
                sent: Awaitable[object] = await self._producer.send_batch(
                    batch, topic, partition=partition
                )
            except UnknownTopicOrPartitionError:
                continue
            return sent

    async def hindrance(self) -> Hindrance | None:
        """What stands in the way of the topics asked for; None when nothing is seen."""
        if not await answers(self._producer, within_s=_LOOK_WITHIN_S):
            return Hindrance(kind="broker_gone")
        cluster = self._producer.client.cluster
        for topic in sorted(self._topics):
            where = f"topic {topic}"
            if topic in cluster.unauthorized_topics:
                return Hindrance(kind="unauthorized", where=where)
            partitions = cluster.partitions_for_topic(topic)
            if partitions is None:
                return Hindrance(kind="stale_metadata", where=where)
            leaderless = partitions - (cluster.available_partitions_for_topic(topic) or set())
            if leaderless:
                numbers = ", ".join(map(str, sorted(leaderless)))
                return Hindrance(kind="leader_change", where=f"{where}, partition {numbers}")
        return None


async def answers(producer: AIOKafkaProducer, *, within_s: float) -> bool:
    """Whether a broker tells its metadata in time."""
    try:
        async with asyncio.timeout(within_s):
            return bool(await producer.client.force_metadata_update())
    except (KafkaError, TimeoutError):
        return False
