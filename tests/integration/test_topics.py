"""`kdsl topics` says how the topics of a real Kafka stand, and where they are not as asked for."""

import asyncio
import uuid
from collections.abc import Mapping

import pytest
from aiokafka.admin import NewTopic
from typer.testing import CliRunner, Result

from streams.cli.main import app
from streams.cluster import Cluster
from streams.kafka import open_admin
from streams.local_broker import LocalBroker
from streams.topics import TOPICS

pytestmark = pytest.mark.kafka


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:8]}-"


def topics(command: str, kafka: LocalBroker, prefix: str, *options: str) -> Result:
    reached = ["--bootstrap", kafka.bootstrap, "--prefix", prefix]
    return CliRunner().invoke(app, ["topics", command, *reached, *options])


def make(kafka: LocalBroker, name: str, partitions: int, config: Mapping[str, str]) -> None:
    """Make a topic, and wait until the node has learnt of it from its controller."""
    cluster = Cluster(bootstrap=kafka.bootstrap)

    async def make() -> None:
        async with open_admin(cluster) as admin:
            await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])

    async def known() -> bool:
        async with open_admin(cluster) as admin:
            return name in await admin.list_topics()

    asyncio.run(make())
    while not asyncio.run(known()):
        pass


def test_topics_made_by_create_differ_in_nothing(kafka: LocalBroker, prefix: str) -> None:
    created = topics("create", kafka, prefix, "--partitions", "3")
    assert (created.exit_code, created.stderr.count("\n")) == (0, 1)
    again = topics("create", kafka, prefix, "--partitions", "3")
    assert (again.exit_code, again.stderr) == (0, "all topics exist already\n")
    shown = topics("show", kafka, prefix)
    assert (shown.exit_code, shown.stderr) == (0, "")
    rows = {
        cells[1]: cells[2:6] for line in shown.stdout.splitlines() if len(cells := cut(line)) > 1
    }
    assert rows[f"{prefix}dialogue.dead-letters"] == ["3", "DeadLetter", "30 d", "1152 KiB"]
    assert rows[f"{prefix}workers.status"] == ["1", "WorkerStatus", "compacted, 7 d", "64 KiB"]


def cut(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")]


def test_a_topic_that_was_there_with_other_partitions_and_limits_is_named_and_left(
    kafka: LocalBroker, prefix: str
) -> None:
    name = f"{prefix}dialogue.tags"
    make(kafka, name, 2, {"max.message.bytes": "50000", "retention.ms": "3600000"})
    said = (
        # 64 KiB and 16 KiB around it; seven days.
        f"{name} has partitions 2 and not 4, max.message.bytes 50000 and not 81920, "
        "retention.ms 3600000 and not 604800000"
    )
    created = topics("create", kafka, prefix)
    assert created.exit_code == 0
    assert said in created.stderr
    assert name not in created.stderr.splitlines()[0]
    assert "delete the topic" in created.stderr

    shown = topics("show", kafka, prefix)
    assert shown.exit_code == 0
    (row,) = (cut(line) for line in shown.stdout.splitlines() if name in line)
    assert row[2:7] == ["2", "Tag", "0.0417 d", "32 KiB", "yes"]
    assert said.replace("partitions 2 and not 4, ", "") in shown.stderr


def test_topics_that_are_missing_are_shown_so(kafka: LocalBroker, prefix: str) -> None:
    shown = topics("show", kafka, prefix)
    assert shown.exit_code == 1
    assert shown.stdout.count("missing") == len(TOPICS)
