"""What a broker says of topics, and how long it is worth asking again."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import InvalidTopicError

from streams.cluster import Cluster
from streams.errors import BrokerUnreachable
from streams.preflight import check_states
from streams.topic_rights import Absent, Hidden, Present, TopicState, Unsettled, topic_states
from streams.topics import Kind

FINE, UNKNOWN, NO_LEADER, INVALID, FORBIDDEN = 0, 3, 5, 17, 29
READ = 1 << 3


@dataclass
class Client:
    """A cluster that gives a topic one error code after the other, and keeps to the last.

    asked: how often it was.
    """

    codes: list[int]
    asked: int = field(default=0, init=False)

    def get_random_node(self) -> int:
        return 1

    async def send(self, node: int, request: object) -> Any:
        code = self.codes[min(self.asked, len(self.codes) - 1)]
        self.asked += 1
        topic = (code, "tags", False, [()] * 4 if code == FINE else [], READ)
        return SimpleNamespace(topics=[topic])


async def state(client: Client) -> object:
    return (await topic_states(cast("AIOKafkaClient", client), ["tags"], every_s=0))["tags"]


@pytest.mark.parametrize("first", [UNKNOWN, NO_LEADER])
async def test_a_topic_that_was_just_made_is_asked_for_until_it_is_there(first: int) -> None:
    client = Client([first, first, FINE])
    assert await state(client) == Present(partitions=4, allowed=frozenset({"Read"}))
    assert client.asked == 3


async def test_one_that_stays_unknown_is_absent_and_one_without_a_leader_is_waited_for() -> None:
    unknown, leaderless = Client([UNKNOWN]), Client([NO_LEADER])
    assert await state(unknown) == Absent()
    assert await state(leaderless) == Unsettled("LEADER_NOT_AVAILABLE")
    assert unknown.asked < leaderless.asked


async def test_a_topic_we_may_not_see_is_asked_for_once() -> None:
    client = Client([FORBIDDEN, FINE])
    assert await state(client) == Hidden()


async def test_a_fault_found_with_its_name_is_raised() -> None:
    with pytest.raises(InvalidTopicError):
        await state(Client([INVALID]))


def test_a_topic_that_nobody_serves_is_a_sentence_that_names_the_cure() -> None:
    cluster = Cluster(bootstrap="kafka:9092")
    states: dict[Kind, TopicState] = {"tags": Unsettled("LEADER_NOT_AVAILABLE")}
    with pytest.raises(BrokerUnreachable) as refused:
        check_states(states, cluster, prefix="shop-", partitions=0)
    assert str(refused.value) == (
        "no broker serves topic shop-dialogue.tags at kafka:9092 (LEADER_NOT_AVAILABLE): "
        "see that all are up, and start again"
    )
