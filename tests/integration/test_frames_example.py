"""The example of docs/frames.md runs as it stands, on the real Kafka."""

import asyncio
import sys
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from streams.cluster import Cluster
from streams.kafka import group_lag, open_admin, open_producer, read_topic
from streams.local_broker import LocalBroker
from streams.processes import ProcessGroup

pytestmark = pytest.mark.kafka

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "frames_app.py"
SENTENCES = 500


async def prepare(cluster: Cluster) -> None:
    async with open_admin(cluster) as admin:
        await admin.create_topics(
            [
                NewTopic(name=name, num_partitions=2, replication_factor=1)
                for name in ("sentences", "words")
            ]
        )
    async with open_producer(cluster) as producer:
        for number in range(SENTENCES):
            words = " ".join(["word"] * (1 + number % 5))
            await producer.send("sentences", key=f"k{number}".encode(), value=words.encode())


async def counted(cluster: Cluster) -> dict[bytes | None, bytes | None]:
    while await group_lag(cluster, "frames-example", "sentences") > 0:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return {record.key: record.value async for record in read_topic(cluster, "words")}


def test_the_example_counts_every_sentence_and_commits_to_the_end(
    kafka: LocalBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap)
    asyncio.run(prepare(cluster))
    monkeypatch.setenv("KAFKA", kafka.bootstrap)
    with ProcessGroup(tmp_path / "logs") as group:
        arguments = [sys.executable, str(EXAMPLE), "worker", "-l", "info", "--without-web"]
        group.start("example", arguments, cwd=tmp_path)
        words = asyncio.run(asyncio.wait_for(counted(cluster), timeout=60))
    expected = {f"k{number}".encode(): str(1 + number % 5).encode() for number in range(SENTENCES)}
    assert words == expected
