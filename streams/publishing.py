"""Reads and writes `rules.releases` for those who activate releases."""

from collections.abc import Sequence
from typing import Protocol

from rule_store import Binding, TrustStore
from streams.cluster import Cluster
from streams.kafka import open_admin, open_producer, read_topic
from streams.published import Published
from streams.topics import topic_name


class ReleaseTopic(Protocol):
    """The topic as those who activate need it."""

    async def binding(self) -> Binding:
        """Where it is."""
        ...

    async def read(self, trust: TrustStore | None) -> Published:
        """What stands there now, to workers of this trust store."""
        ...

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Add records in this order; all are acknowledged when it returns."""
        ...


class KafkaReleaseTopic:
    """`rules.releases` on a cluster."""

    def __init__(self, cluster: Cluster, *, prefix: str) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._topic = topic_name("releases", prefix=prefix)

    async def binding(self) -> Binding:
        """Where it is.

        Raises:
            BrokerUnreachable: nobody answers.
        """
        async with open_admin(self._cluster) as admin:
            described = await admin.describe_cluster()
        return Binding(cluster=described.get("cluster_id") or "", prefix=self._prefix)

    async def read(self, trust: TrustStore | None) -> Published:
        """What stands there now, to workers of this trust store.

        Raises:
            BrokerUnreachable: nobody answers.
            TopicMissing: the topics were never created.
        """
        published = Published(trust)
        async for record in read_topic(self._cluster, self._topic):
            published.note(record)
        return published

    async def send(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Add records in this order; all are acknowledged when it returns.

        Raises:
            BrokerUnreachable: nobody answers.
            KafkaError: one was not taken.
        """
        async with open_producer(self._cluster) as producer:
            for key, value in records:
                await producer.send_and_wait(self._topic, key=key.encode(), value=value)
