"""Where the logs of a topic begin and end, asked of the broker itself."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.cluster import Cluster

# A topic's full name and the number of one of its partitions.
Partition = tuple[str, int]

_POLL_MS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpan:
    """The offsets that a partition's log covers now: `begin` up to and without `end`."""

    begin: int
    end: int

    def next_after(self, committed: int | None) -> int:
        """The offset at which whoever committed goes on; older records may be gone by now.

        >>> LogSpan(begin=5, end=9).next_after(None), LogSpan(begin=5, end=9).next_after(7)
        (5, 7)
        """
        return self.begin if committed is None else max(self.begin, committed)

    def lag(self, committed: int | None) -> int:
        """Offsets not committed yet.

        >>> LogSpan(begin=5, end=9).lag(3), LogSpan(begin=5, end=9).lag(8)
        (4, 1)
        """
        return max(0, self.end - self.next_after(committed))


class LogEnds:
    """Asks by a client of its own: a consumer that stalls does not know where its log ends.

    within_s: how long an answer may take; a client can wait for ever on a broker that is away.
    """

    def __init__(self, cluster: Cluster, *, within_s: float = 5.0) -> None:
        self._cluster = cluster
        self._within_s = within_s
        self._client: AIOKafkaConsumer | None = None

    async def spans(self, partitions: Collection[Partition]) -> Mapping[Partition, LogSpan] | None:
        """The span of every partition, or None when the broker does not answer.

        Raises:
            InvalidSettings: a certificate cannot be read.
        """
        asked = [TopicPartition(*partition) for partition in partitions]
        try:
            async with asyncio.timeout(self._within_s):
                client = self._client = self._client or await self._start()
                begins = await client.beginning_offsets(asked)
                ends = await client.end_offsets(asked)
        except (KafkaError, TimeoutError):
            return None
        return {(*tp,): LogSpan(begin=begins[tp], end=ends[tp]) for tp in asked}

    async def holds_records(self, partition: Partition, *, start: int, end: int) -> bool:
        """Whether there is a record from `start` on and before `end`.

        The last offsets of a log can be without one: compaction and the marks of transactions
        leave holes. When the broker does not tell, a record is assumed.
        """
        tp = TopicPartition(*partition)
        client: AIOKafkaConsumer | None = None
        try:
            async with asyncio.timeout(self._within_s):
                client = await self._start()
                client.assign([tp])
                client.seek(tp, start)
                while await client.position(tp) < end:
                    if await client.getmany(timeout_ms=_POLL_MS, max_records=1):
                        return True
        except (KafkaError, TimeoutError):
            return True
        finally:
            if client is not None:
                await self._stop(client)
        return False

    async def close(self) -> None:
        """Let go of the client; the next question makes another."""
        client, self._client = self._client, None
        if client is not None:
            await self._stop(client)

    async def _start(self) -> AIOKafkaConsumer:
        client = AIOKafkaConsumer(
            **self._cluster.client_options(),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=int(self._within_s * 1000),
            retry_backoff_ms=500,
        )
        try:
            await client.start()
        except BaseException:
            await self._stop(client)
            raise
        return client

    async def _stop(self, client: AIOKafkaConsumer) -> None:
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(client.stop(), timeout=self._within_s)
