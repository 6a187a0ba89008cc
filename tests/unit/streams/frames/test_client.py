"""What the client does is known: a failure ends the process, a commit is one when it came about."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from faust.transport.consumer import Fetcher
from faust.types import TP

from streams.frames import client as client_module
from streams.frames.consumer import Consumer
from tests.unit.streams.frames.fake_client import FakeThread, make_consumer

TAKEN, OTHER = TP("framed", 0), TP("framed", 1)


@dataclass
class Client:
    """A consumer that holds `TAKEN`, in which ten records are, and hands its frames out here."""

    consumer: Consumer
    thread: FakeThread
    frames: list[Any]

    async def acknowledge(self, count: int) -> None:
        """Fetch what there is, and acknowledge so many records."""
        fetched = await self.consumer._getmany({TAKEN}, 1.0)
        for piece in fetched[TAKEN]:
            await self.consumer._deliver(self.consumer._to_message(TAKEN, piece))
        for frame in self.frames:
            for position, record in enumerate(frame):
                if record.offset < count:
                    frame.ack(position)


@pytest.fixture
async def client() -> Client:
    frames: list[Any] = []

    async def conductor(message: Any) -> None:
        frames.append(message.value)

    thread = FakeThread(log={TAKEN: list(range(10)), OTHER: []})
    thread.assign(TAKEN)
    consumer = make_consumer(thread, conductor)
    consumer.transport.crash_within_s = 7.0  # type: ignore[attr-defined]
    return Client(consumer, thread, frames)


@pytest.fixture
def hard_ends(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The bounds on an end of this process that were set."""
    bounds: list[float] = []
    monkeypatch.setattr(client_module, "exit_hard_after", bounds.append)
    return bounds


async def test_a_commit_that_is_refused_is_not_taken_for_one_and_tried_again(
    client: Client,
) -> None:
    asked: list[Mapping[TP, int]] = []

    def refuse_first(offsets: Mapping[TP, int]) -> bool:
        asked.append(dict(offsets))
        return len(asked) > 1

    client.thread.takes_commit = refuse_first
    await client.acknowledge(2)
    assert await client.consumer.commit() is False
    assert client.consumer.committed_to(TAKEN) is None
    assert await client.consumer.commit() is True
    assert client.consumer.committed_to(TAKEN) == 2
    await client.consumer.commit()
    assert asked == [{TAKEN: 2}, {TAKEN: 2}]


async def test_what_was_found_committed_is_known_until_the_partition_is_revoked(
    client: Client,
) -> None:
    client.thread.committed[TAKEN] = 4
    client.thread.assign(TAKEN, OTHER)
    await client.consumer.perform_seek()
    assert client.consumer.committed_to(TAKEN) == 4
    assert client.consumer.committed_to(OTHER) is None
    await client.consumer.on_partitions_revoked({OTHER})
    assert client.consumer.committed_to(TAKEN) == 4
    await client.consumer.on_partitions_revoked({TAKEN})
    assert client.consumer.committed_to(TAKEN) is None


async def test_the_answer_to_a_commit_that_comes_after_the_revocation_is_not_noted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.frames.consumer._LAST_COMMIT_WITHIN_S", 0.0)
    answer = asyncio.Event()
    await client.acknowledge(2)
    client.thread.pause = answer.wait
    committing = asyncio.create_task(client.consumer.commit())
    await asyncio.sleep(0)
    await client.consumer.on_partitions_revoked({TAKEN})
    answer.set()
    assert await committing is True
    assert client.consumer.committed_to(TAKEN) is None


async def test_a_fetch_that_fails_ends_the_process_within_the_bound_that_was_set(
    client: Client, hard_ends: list[float]
) -> None:
    async def refuse() -> None:
        raise TopicAuthorizationFailedError("framed")

    client.thread.pause = refuse
    client.consumer._set_active_tps({TAKEN})
    with pytest.raises(TopicAuthorizationFailedError):
        await client.consumer._drain_messages(Fetcher(client.consumer.app))
    assert hard_ends == [7.0]
    assert isinstance(client.consumer.app.crash_reason, TopicAuthorizationFailedError)


async def test_a_seek_that_takes_longer_than_faust_waits_for_it_ends_the_process(
    client: Client, hard_ends: list[float]
) -> None:
    """Faust would end its recovery and stay alive, silent."""
    client.consumer.app.conf.broker_request_timeout = 0.1
    client.thread.pause = asyncio.Event().wait
    with pytest.raises(TimeoutError, match=r"did not say within 0\.09 s what is committed"):
        await asyncio.wait_for(client.consumer.perform_seek(), 60)
    assert hard_ends == [7.0]
    assert isinstance(client.consumer.app.crash_reason, TimeoutError)


async def test_an_error_of_the_group_ends_the_process_though_nothing_is_fetched(
    client: Client, hard_ends: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the flow is stopped for a rebalance, or by back-pressure."""

    def check_errors() -> None:
        raise GroupAuthorizationFailedError("shop")

    monkeypatch.setattr(client_module, "_ASK_EVERY_S", 0.0)
    client.thread._consumer = SimpleNamespace(
        _coordinator=SimpleNamespace(check_errors=check_errors)
    )
    watching = asyncio.create_task(client.consumer._watch_coordinator(client.consumer))
    await client.consumer.app._crashed.wait()  # type: ignore[attr-defined]
    watching.cancel()
    assert hard_ends == [7.0]
    assert isinstance(client.consumer.app.crash_reason, GroupAuthorizationFailedError)


async def test_a_group_that_is_well_is_asked_again_and_again_and_nothing_ends(
    client: Client, hard_ends: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    enough = asyncio.Event()

    def check_errors() -> None:
        asked.append("are you well?")
        if len(asked) == 3:
            enough.set()

    monkeypatch.setattr(client_module, "_ASK_EVERY_S", 0.0)
    watching = asyncio.create_task(client.consumer._watch_coordinator(client.consumer))
    await asyncio.sleep(0)  # the client has not started yet
    client.thread._consumer = SimpleNamespace(
        _coordinator=SimpleNamespace(check_errors=check_errors)
    )
    await enough.wait()
    watching.cancel()
    assert hard_ends == []


async def test_a_client_that_broke_at_a_commit_ends_the_process_once(
    client: Client, hard_ends: list[float]
) -> None:
    await client.acknowledge(2)
    client.thread.takes_commit = lambda _: False
    client.thread.crashed, client.thread.crash_reason = True, GroupAuthorizationFailedError("shop")
    assert await client.consumer.commit() is False
    assert await client.consumer.commit() is False
    assert hard_ends == [7.0]
    assert isinstance(client.consumer.app.crash_reason, GroupAuthorizationFailedError)
