"""The watchdog against a real Kafka: its figures are the broker's, whatever holes the log has."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import mode
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from streams.cluster import Cluster
from streams.health import Health
from streams.kafka import open_admin
from streams.local_broker import LocalBroker
from streams.log_ends import LogEnds, LogSpan, Partition
from streams.metrics import Metrics
from streams.ports import HOST, free_port
from streams.progress import Progress
from streams.watchdog import Watchdog
from tests.fakes import FakeHoldings

pytestmark = pytest.mark.kafka

PATIENCE_S = 30.0


@dataclass
class Log:
    """A topic of two partitions, written as the test says."""

    cluster: Cluster
    topic: str = field(default_factory=lambda: f"watched-{uuid.uuid4().hex[:8]}")

    def __getitem__(self, number: int) -> Partition:
        return self.topic, number

    async def create(self) -> None:
        async with open_admin(self.cluster) as admin:
            answer = await admin.create_topics([NewTopic(self.topic, 2, 1)])
        assert [error[1] for error in answer.topic_errors] == [0]

    async def write(self, number: int, records: int) -> None:
        async with AIOKafkaProducer(**self.cluster.client_options()) as producer:
            for _ in range(records):
                await producer.send_and_wait(self.topic, b"record", partition=number)

    async def write_transaction(self, number: int, records: int) -> None:
        """Records, and after them the mark of the transaction: an offset without a record."""
        async with (
            AIOKafkaProducer(
                **self.cluster.client_options(), transactional_id=uuid.uuid4().hex
            ) as producer,
            producer.transaction(),
        ):
            for _ in range(records):
                await producer.send(self.topic, b"record", partition=number)

    async def delete_before(self, number: int, offset: int) -> None:
        async with open_admin(self.cluster) as admin:
            await admin.delete_records(
                {TopicPartition(self.topic, number): RecordsToDelete(before_offset=offset)}
            )


@dataclass
class Watched:
    """A watchdog on the real broker; the test holds the clock."""

    cluster: Cluster
    now_s: float = 0.0
    held: FakeHoldings = field(default_factory=FakeHoldings)
    health: Health = field(default_factory=Health)
    metrics: Metrics = field(default_factory=lambda: Metrics("tagger"))

    def __post_init__(self) -> None:
        self.watchdog = Watchdog(
            holdings=self.held,
            logs=LogEnds(self.cluster),
            progress=Progress(clock=lambda: self.now_s),
            health=self.health,
            metrics=self.metrics,
            patience_s=PATIENCE_S,
            clock=lambda: self.now_s,
        )

    async def look(self, *, at_s: float) -> None:
        self.now_s = at_s
        await self.watchdog.look()

    @property
    def stalled(self) -> bool:
        return "stall" in self.health.obstacles

    def lag(self, number: int) -> float | None:
        return self.metrics.registry.get_sample_value(
            "kdsl_commit_lag_records", {"partition": str(number)}
        )


@pytest.fixture
async def log(kafka: LocalBroker) -> Log:
    made = Log(Cluster(bootstrap=kafka.bootstrap))
    await made.create()
    return made


@pytest.fixture
async def watched(kafka: LocalBroker) -> AsyncIterator[Watched]:
    bench = Watched(Cluster(bootstrap=kafka.bootstrap))
    yield bench
    await bench.watchdog.on_shutdown()


async def test_a_log_with_holes_lags_by_what_the_broker_still_holds(
    log: Log, watched: Watched
) -> None:
    await log.write_transaction(0, 3)  # offsets 0 to 2, the mark 3
    await log.write(0, 2)  # 4 and 5
    await log.write(1, 5)
    await log.delete_before(1, 4)
    watched.held.commits = {log[0]: None, log[1]: None}
    await watched.look(at_s=0.0)
    assert (watched.lag(0), watched.lag(1)) == (6, 1)
    watched.held.commits = {log[0]: 4, log[1]: 2}  # 2 is gone: the next record is 4
    await watched.look(at_s=2.0)
    assert (watched.lag(0), watched.lag(1)) == (2, 1)
    watched.held.commits = {log[0]: 6, log[1]: 5}
    await watched.look(at_s=4.0)
    assert (watched.lag(0), watched.lag(1)) == (0, 0)


async def test_records_that_nobody_commits_are_a_stall_until_the_commit_moves(
    log: Log, watched: Watched
) -> None:
    await log.write(0, 2)
    watched.held.commits = {log[0]: 0}
    await watched.look(at_s=0.0)
    assert not watched.stalled
    await watched.look(at_s=PATIENCE_S + 1)
    assert watched.stalled
    watched.held.commits = {log[0]: 1}
    await watched.look(at_s=PATIENCE_S + 3)
    assert not watched.stalled
    assert watched.lag(0) == 1


async def test_the_mark_of_a_transaction_at_the_end_of_a_log_is_no_stall(
    log: Log, watched: Watched
) -> None:
    await log.write_transaction(0, 3)
    watched.held.commits = {log[0]: 3}
    await watched.look(at_s=0.0)
    assert watched.lag(0) == 1
    await watched.look(at_s=PATIENCE_S + 1)
    assert not watched.stalled
    assert watched.lag(0) == 0
    await log.write(0, 1)
    await watched.look(at_s=PATIENCE_S + 3)
    assert watched.lag(0) == 2
    assert not watched.stalled
    await watched.look(at_s=2 * PATIENCE_S + 4)
    assert watched.stalled


async def test_where_nobody_answers_the_ends_are_unknown_and_records_are_assumed() -> None:
    nobody = LogEnds(Cluster(bootstrap=f"{HOST}:{free_port()}"), within_s=1.0)
    assert await nobody.spans({("events", 0)}) is None
    assert await nobody.holds_records(("events", 0), start=0, end=1)
    await nobody.close()


async def test_an_unknown_topic_is_no_answer_and_the_client_serves_on(
    log: Log, kafka: LocalBroker
) -> None:
    ends = LogEnds(Cluster(bootstrap=kafka.bootstrap), within_s=2.0)
    assert await ends.spans({("nowhere", 0)}) is None
    await log.write(0, 3)
    assert await ends.spans({log[0]}) == {log[0]: LogSpan(begin=0, end=3)}
    await ends.close()


async def test_as_a_service_it_looks_by_itself_and_stops_cleanly(
    log: Log, watched: Watched
) -> None:
    await log.write(0, 2)
    watched.held.commits = {log[0]: 0}
    worker = mode.Service()
    worker.add_dependency(watched.watchdog)
    async with worker:
        while watched.lag(0) != 2:
            await worker.sleep(0.02)
    assert worker.crash_reason is None
