"""Watches that the topic a worker reads is there: without partitions it looks like a reserve."""

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

import mode
from aiokafka.errors import KafkaError

from streams.cluster import Cluster
from streams.connecting import open_client
from streams.errors import StartupError
from streams.health import Health
from streams.topic_rights import Absent, Present, TopicState, topic_states

_log = logging.getLogger(__name__)


class Assigned(Protocol):
    """What a worker reads."""

    def assigned(self) -> Collection[object]: ...


class TopicWatch(mode.Service):
    """Names a topic that was deleted under a worker; a worker with partitions is not asked.

    state: asks the cluster; None when it does not answer.
    create: the command that makes the topic.
    """

    def __init__(
        self,
        topic: str,
        *,
        held: Assigned,
        state: Callable[[], Awaitable[TopicState | None]],
        create: str,
        health: Health,
        every_s: float = 10.0,
    ) -> None:
        super().__init__()
        self._held = held
        self._state = state
        self._why = f"topic {topic} is not there: make it with `{create}`, and it is read from then"
        self._health = health
        self._every_s = every_s

    @mode.Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(self._every_s)
            await self.look()

    async def look(self) -> None:
        """Take one look; without an answer what was seen last stands."""
        if self._held.assigned():
            self._health.clear("topic")
            return
        match await self._state():
            case Absent():
                if "topic" not in self._health.obstacles:
                    _log.error("%s", self._why)
                self._health.block("topic", self._why)
            case Present():
                self._health.clear("topic")


async def ask_state(cluster: Cluster, topic: str) -> TopicState | None:
    """What the cluster says of a topic; None when it does not answer."""
    try:
        async with open_client(cluster) as client:
            return (await topic_states(client, [topic]))[topic]
    except (StartupError, KafkaError, TimeoutError):
        return None
