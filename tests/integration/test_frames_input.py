"""What other clients may put into a topic is read, or refused by name."""

import asyncio
import os
import struct
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.record.util import calc_crc32c

from streams.cluster import Cluster
from streams.kafka import group_lag, open_admin
from streams.local_broker import LocalBroker
from streams.processes import ProcessGroup

pytestmark = pytest.mark.kafka

PROGRAM = Path(__file__).with_name("frames_echo.py")
# In a batch of Kafka's format 2: where the checksum stands, and what it is made of.
CRC_AT, CHECKED_FROM = 17, 21


@dataclass(kw_only=True)
class Echo:
    """A topic of one partition, and a worker that prints what it reads of it."""

    cluster: Cluster
    folder: Path
    processes: ProcessGroup
    topic: str = field(default_factory=lambda: f"echo-{uuid.uuid4().hex[:8]}")

    def start(self) -> None:
        env = {**os.environ, "KAFKA": self.cluster.bootstrap, "TOPIC": self.topic}
        arguments = [sys.executable, str(PROGRAM), "worker", "-l", "info", "--without-web"]
        self.processes.start("echo", arguments, env=env, cwd=self.folder)

    def create(self) -> None:
        async def run() -> None:
            async with open_admin(self.cluster) as admin:
                answer = await admin.create_topics([NewTopic(self.topic, 1, 1)])
            assert answer.topic_errors[0][1] == 0

        asyncio.run(run())

    def send(self, action: Callable[[AIOKafkaProducer], Awaitable[Any]], **options: Any) -> None:
        """Send with a client of these options."""

        async def run() -> None:
            bootstrap = self.cluster.bootstrap
            async with AIOKafkaProducer(bootstrap_servers=bootstrap, **options) as producer:
                await action(producer)

        asyncio.run(run())

    def log(self) -> str:
        return self.processes.log_path("echo").read_text()

    def settle(self) -> None:
        """Wait until everything is committed."""
        deadline = time.monotonic() + 60
        while asyncio.run(group_lag(self.cluster, self.topic, self.topic)) > 0:
            assert time.monotonic() < deadline, self.processes.log_tail("echo", 40)
            assert self.processes.alive("echo"), self.processes.log_tail("echo", 40)
            time.sleep(0.2)


@pytest.fixture
def echo(kafka: LocalBroker, tmp_path: Path) -> Iterator[Echo]:
    with ProcessGroup(tmp_path / "logs") as processes:
        cluster = Cluster(bootstrap=kafka.bootstrap)
        echo = Echo(cluster=cluster, folder=tmp_path, processes=processes)
        echo.create()
        yield echo


def test_records_of_every_codec_are_read(echo: Echo) -> None:
    codecs = (None, "gzip", "snappy", "lz4", "zstd")
    for codec in codecs:

        async def send(producer: AIOKafkaProducer, value: str = f"by {codec}") -> None:
            await producer.send_and_wait(echo.topic, value.encode())

        echo.send(send, compression_type=codec)
    echo.start()
    echo.settle()
    assert all(f"at {offset}: b'by {codec}'" in echo.log() for offset, codec in enumerate(codecs))


def test_a_record_sent_without_a_timestamp_is_read_as_of_the_epoch(echo: Echo) -> None:
    async def send(producer: AIOKafkaProducer) -> None:
        batch = producer.create_batch()
        batch.append(timestamp=-1, key=None, value=b"timeless")
        await (await producer.send_batch(batch, echo.topic, partition=0))

    echo.send(send)
    echo.start()
    echo.settle()
    assert "at 0: b'timeless' of 0" in echo.log()


def test_a_header_s_name_that_is_no_text_ends_the_worker_with_its_place_and_the_way_past_it(
    echo: Echo,
) -> None:
    """The client takes a batch apart as a whole, and stops at such a name."""

    async def send(producer: AIOKafkaProducer) -> None:
        await producer.send_and_wait(echo.topic, b"before")
        batch = producer.create_batch()
        for number in range(3):
            headers = [("NAME", b"1")] if number == 1 else []
            batch.append(timestamp=1, key=None, value=b"%d" % number, headers=headers)
        garbled(batch)
        await (await producer.send_batch(batch, echo.topic, partition=0))

    echo.send(send)
    echo.start()
    assert echo.processes.wait("echo", 60) not in (None, 0)
    log = echo.log()
    assert f"{echo.topic}, partition 0, cannot be read at offset 2 ('utf-8' codec" in log
    assert f"--topic {echo.topic}:0 --reset-offsets --to-offset 4 --execute" in log


def garbled(batch: Any) -> None:
    """Put bytes that are no UTF-8 in the place of the header's name."""
    content = bytearray(batch._build().replace(b"NAME", b"\xff\xfe\xff\xfe"))
    struct.pack_into(">I", content, CRC_AT, calc_crc32c(bytes(content[CHECKED_FROM:])))
    batch._buffer = bytes(content)
