"""A worker under which its topic is deleted says so, and reads it when it is there again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka import create_topics, open_admin
from streams.local_broker import LocalBroker
from streams.topics import topic_name
from tests.system import System

pytestmark = pytest.mark.kafka


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    # By itself the client looks every half minute.
    environment = {"KDSL_FAUST_CONSUMER_METADATA_MAX_AGE_MS": "1000"}
    with System(kafka=kafka, folder=tmp_path, environment=environment) as system:
        yield system


def test_a_deleted_topic_is_an_obstacle_by_name_until_it_is_made_again(system: System) -> None:
    name = topic_name("tags", prefix=system.prefix)
    system.start("alerter")

    async def delete() -> None:
        async with open_admin(system.cluster) as admin:
            await admin.delete_topics([name])

    asyncio.run(delete())
    system.until(lambda: name in obstacle(system), "the topic is named")
    assert f"kdsl topics create --bootstrap {system.bootstrap}" in obstacle(system)
    asyncio.run(create_topics(system.cluster, prefix=system.prefix, partitions=2))
    system.until(lambda: system.health("alerter")["ready"] is True, "it is ready again")
    system.send_raw("tags", [(b"d1", b"no tag")])
    system.until(lambda: len(system.records("dead_letters")) == 1, "it reads")


def obstacle(system: System) -> str:
    return str(system.health("alerter")["obstacles"].get("topic", ""))
