"""The examples of docs/frames.md run as they stand, on the real Kafka."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from streams.cluster import Cluster
from streams.kafka import group_lag, open_admin, open_producer, read_topic
from streams.local_broker import LocalBroker
from streams.processes import ProcessGroup

pytestmark = pytest.mark.kafka

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "frames_app.py"
SENTENCES = 500
ORDERS = 500


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


def write_shown_files(folder: Path, bootstrap: str) -> None:
    """The files that the page shows, for this cluster."""
    page = (DOCS / "frames.md").read_text(encoding="utf-8")
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", page, re.DOTALL):
        (folder / name).write_text(code.replace("kafka:9092", bootstrap), encoding="utf-8")


async def order(cluster: Cluster) -> None:
    async with open_producer(cluster) as producer:
        for number in range(ORDERS):
            await producer.send("orders", key=f"k{number}".encode(), value=f"o{number}".encode())


async def priced(cluster: Cluster) -> set[bytes | None]:
    while await group_lag(cluster, "shop", "orders") > 0:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return {record.value async for record in read_topic(cluster, "priced")}


def test_the_app_on_the_page_prices_every_order_once_its_topics_are_made_as_shown(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap)
    write_shown_files(tmp_path, kafka.bootstrap)
    subprocess.run([sys.executable, "make_topics.py"], cwd=tmp_path, check=True, timeout=60)
    asyncio.run(order(cluster))
    with ProcessGroup(tmp_path / "logs") as group:
        arguments = [sys.executable, "shop.py", "worker", "-l", "info", "--without-web"]
        group.start("shop", arguments, cwd=tmp_path)
        found = asyncio.run(asyncio.wait_for(priced(cluster), timeout=60))
    assert found == {f"o{number}: 9.99".encode() for number in range(ORDERS)}
