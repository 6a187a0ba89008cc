"""The local broker is a real Kafka that starts, stops, fails and dies as promised."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams import local_broker
from streams.errors import BrokerStartFailed, FolderInUse, PortTaken
from streams.local_broker import LocalBroker
from streams.ports import HOST, free_port

pytestmark = pytest.mark.kafka

PATIENCE_S = 60.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


async def create_topic(broker: LocalBroker, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, 1, 1)])
        assert [error[1] for error in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def write(broker: LocalBroker, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def read(broker: LocalBroker, topic: str) -> list[bytes | None]:
    """Everything in the topic, found by its end and not by waiting for more."""
    values: list[bytes | None] = []
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    async with consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        while await consumer.position(partition) < end:
            values.append((await consumer.getone()).value)
    return values


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    broker = LocalBroker(tmp_path / "a folder, with a comma")
    yield broker
    broker.kill()


async def test_records_survive_stop_and_kill_and_wiping_forgets_them(broker: LocalBroker) -> None:
    broker.start()
    address = broker.bootstrap
    await create_topic(broker, "kept")
    await write(broker, "kept", [b"one"])
    broker.stop()
    assert not broker.alive
    broker.start()
    await write(broker, "kept", [b"two"])
    broker.kill()
    assert broker.pid is None
    broker.start()
    assert broker.bootstrap == address
    assert await read(broker, "kept") == [b"one", b"two"]
    broker.wipe()
    assert not broker.alive
    broker.start()
    await create_topic(broker, "kept")  # the name is free again
    assert await read(broker, "kept") == []


async def test_records_survive_a_change_of_ports(broker: LocalBroker) -> None:
    broker.start()
    await create_topic(broker, "kept")
    await write(broker, "kept", [b"one"])
    broker.stop()
    with LocalBroker(broker.folder) as other:
        assert other.bootstrap != broker.bootstrap
        assert await read(other, "kept") == [b"one"]


async def test_two_brokers_side_by_side_do_not_see_each_other(
    kafka: LocalBroker, broker: LocalBroker
) -> None:
    broker.start()
    assert kafka.bootstrap != broker.bootstrap
    await create_topic(kafka, "apart")
    await create_topic(broker, "apart")
    await write(kafka, "apart", [b"here"])
    await write(broker, "apart", [b"there"])
    assert await read(kafka, "apart") == [b"here"]
    assert await read(broker, "apart") == [b"there"]


async def test_topics_are_not_made_by_asking_for_them(kafka: LocalBroker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.describe_topics(["a-typo"])
        assert "a-typo" not in await admin.list_topics()
    finally:
        await admin.close()


def test_it_listens_on_this_machine_only(kafka: LocalBroker) -> None:
    config = (kafka.folder / "server.properties").read_text()
    listeners = next(line for line in config.splitlines() if line.startswith("listeners="))
    assert listeners.count(f"://{HOST}:") == 2
    with socket.socket() as elsewhere:
        assert elsewhere.connect_ex(("127.0.0.2", kafka.port)) != 0


def test_starting_twice_is_starting_once(kafka: LocalBroker) -> None:
    pid = kafka.pid
    assert kafka.start().pid == pid


def test_a_port_that_was_given_and_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        for broker in (
            LocalBroker(tmp_path, port=port),
            LocalBroker(tmp_path, controller_port=port),
        ):
            with pytest.raises(PortTaken, match=f"port {port} .* choose another"):
                broker.start()
            assert not broker.alive


def test_a_port_lost_after_the_look_is_port_taken_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and Java's bind somebody else may be quicker."""
    monkeypatch.setattr(local_broker, "is_free", lambda port: True)
    with (
        socket.create_server((HOST, 0)) as server,
        pytest.raises(PortTaken, match="port taken"),
    ):
        LocalBroker(tmp_path, port=server.getsockname()[1], controller_port=free_port()).start()


def test_a_chosen_port_that_was_lost_is_chosen_again(
    broker: LocalBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((HOST, 0)) as server:
        lost = server.getsockname()[1]
        choices = iter([lost, 20_001])

        def choose(*, excluding: int = 0) -> int:
            return next(choices, 0) or free_port(excluding=excluding)

        monkeypatch.setattr(local_broker, "is_free", lambda port: True)
        monkeypatch.setattr(local_broker, "free_port", choose)
        broker.start()
        assert broker.port != lost


def test_a_java_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path, jvm=("-XX:NoSuchOption",))
    with pytest.raises(BrokerStartFailed, match="NoSuchOption"):
        broker.start()


def test_broken_records_are_reported_with_where_they_lie(broker: LocalBroker) -> None:
    broker.start()
    broker.stop()
    (broker.folder / "data" / "meta.properties").write_text("version=1\nnode.id=77\n")
    with pytest.raises(BrokerStartFailed, match=r"delete .*data"):
        broker.start()
    assert not broker.alive


def test_a_format_that_was_interrupted_is_done_again(broker: LocalBroker) -> None:
    half = broker.folder / "data.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("half")
    broker.start()
    assert not half.exists()


OWNER = """
import sys, threading
from pathlib import Path
from streams.local_broker import LocalBroker
broker = LocalBroker(Path(sys.argv[1]))
starter = threading.Thread(target=broker.start)
starter.start(); starter.join()
print(broker.pid, flush=True)
threading.Event().wait()
"""


def test_it_dies_with_its_owner_and_not_with_the_thread_that_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert runs(pid)
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not runs(pid))
    with LocalBroker(tmp_path) as again:  # what it held is free, what it wrote is whole
        assert again.alive


def test_two_brokers_never_share_a_folder(tmp_path: Path) -> None:
    with LocalBroker(tmp_path / "kafka") as first:
        second = LocalBroker(tmp_path / "kafka")
        with pytest.raises(FolderInUse, match="another broker runs in"):
            second.start()
        with pytest.raises(FolderInUse):
            second.wipe()
        assert first.alive
        assert (tmp_path / "kafka" / "data").is_dir()
