"""Whatever a rebalance meets half-way: nothing fetched is lost, and nothing holds it up."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.frames import Frame
from streams.frames.consumer import Consumer
from tests.unit.streams.frames.fake_client import FakeThread, at_once, make_consumer

HELD = TP("framed", 0)


@pytest.fixture
def thread() -> FakeThread:
    """A client that holds a partition of ten records."""
    thread = FakeThread(log={HELD: list(range(10))})
    thread.assign(HELD)
    return thread


@pytest.fixture
def frames() -> list[Frame]:
    """What was handed out."""
    return []


@pytest.fixture
async def consumer(thread: FakeThread, frames: list[Frame]) -> Consumer:
    async def conductor(message: Any) -> None:
        frames.append(message.value)

    return make_consumer(thread, conductor)


async def fetch(consumer: Consumer) -> list[int]:
    """The offsets of one fetch."""
    fetched = await consumer._getmany({HELD}, 1.0)
    return [record.offset for piece in fetched.get(HELD, ()) for record in piece.records]


async def hand_out(consumer: Consumer) -> None:
    fetched = await consumer._getmany({HELD}, 1.0)
    for piece in fetched[HELD]:
        await consumer._deliver(consumer._to_message(HELD, piece))


async def begin(work: Any) -> "asyncio.Task[Any]":
    task = asyncio.create_task(work)
    for _ in range(50):
        await asyncio.sleep(0)
    return task


async def cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_commit_that_is_never_answered_does_not_hold_a_revocation_up(
    consumer: Consumer, thread: FakeThread, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator's node lost power with a commit on its way."""
    monkeypatch.setattr("streams.frames.consumer._LAST_COMMIT_WITHIN_S", 0.01)
    answer = asyncio.Event()
    await hand_out(consumer)
    frames[0].ack_all()
    thread.pause = answer.wait
    committing = await begin(consumer.commit())
    frames[1].ack_all()
    await consumer.on_partitions_revoked({HELD})
    assert frames[2].abandoned
    assert not committing.done()
    answer.set()
    assert await committing is True
    assert thread.committed == {HELD: 3}


async def test_a_revocation_waits_for_the_commit_on_its_way_and_commits_what_came_after(
    consumer: Consumer, thread: FakeThread, frames: list[Frame]
) -> None:
    commits: list[Mapping[TP, int]] = []
    answer = asyncio.Event()

    def note(offsets: Mapping[TP, int]) -> bool:
        commits.append(dict(offsets))
        return True

    thread.takes_commit = note
    await hand_out(consumer)
    frames[0].ack_all()
    thread.pause = answer.wait
    committing = await begin(consumer.commit())
    frames[1].ack_all()
    revoking = await begin(consumer.on_partitions_revoked({HELD}))
    assert not frames[2].abandoned
    answer.set()
    await asyncio.gather(committing, revoking)
    assert commits == [{HELD: 3}, {HELD: 6}]
    assert frames[2].abandoned


async def test_whatever_fails_at_a_revocation_what_was_handed_out_is_abandoned(
    consumer: Consumer, thread: FakeThread, frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> bool:
        raise OSError("the commit failed")

    async def fail(*_: object) -> None:
        raise OSError("Faust failed")

    await hand_out(consumer)
    frames[0].ack_all()
    thread.takes_commit = refuse
    await consumer.on_partitions_revoked({HELD})
    assert [frame.abandoned for frame in frames[1:]] == [True, True]
    thread.assign(HELD)
    await consumer.perform_seek()
    consumer.resume_flow()
    await hand_out(consumer)
    assert not frames[-1].abandoned
    monkeypatch.setattr(driver.Consumer, "on_partitions_revoked", fail)
    with pytest.raises(OSError, match="Faust failed"):
        await consumer.on_partitions_revoked({HELD})
    assert frames[-1].abandoned


async def test_what_a_cancelled_fetch_read_is_read_again(
    consumer: Consumer, thread: FakeThread
) -> None:
    """The client will be past it, and knows no commit to go back to."""
    answer = asyncio.Event()
    thread.pause = answer.wait
    fetching = await begin(consumer._getmany({HELD}, 1.0))
    await cancel(fetching)
    thread.pause = at_once
    again = await begin(fetch(consumer))
    assert not again.done()  # not before the client has finished the first
    answer.set()
    assert await again == list(range(9))


async def test_a_cancelled_seek_is_begun_again_before_the_next_fetch(
    consumer: Consumer, thread: FakeThread
) -> None:
    await hand_out(consumer)
    thread.committed[HELD] = 3
    answer = asyncio.Event()
    thread.pause = answer.wait
    await cancel(await begin(consumer.perform_seek()))
    thread.pause = at_once
    again = await begin(fetch(consumer))
    assert not again.done()
    answer.set()
    assert await again == list(range(3, 10))


async def test_what_was_on_its_way_when_its_partition_was_revoked_is_not_taken_for_new(
    consumer: Consumer, thread: FakeThread
) -> None:
    answer = asyncio.Event()
    thread.pause = answer.wait
    fetching = await begin(fetch(consumer))
    await consumer.on_partitions_revoked({HELD})
    thread.assign(HELD)
    answer.set()
    assert await fetching == []
    assert await fetch(consumer) == list(range(9))


async def test_a_frame_that_waits_for_room_while_partitions_are_sought_is_read_again_instead(
    consumer: Consumer, thread: FakeThread, frames: list[Frame]
) -> None:
    consumer.transport.buffer_bytes = 3 * len(b"kv")  # type: ignore[attr-defined]
    delivering = await begin(hand_out(consumer))
    assert [len(frame) for frame in frames] == [3]
    thread.committed[HELD] = 2
    await consumer.perform_seek()
    await delivering
    assert [frame.abandoned for frame in frames] == [True]
    assert consumer.ledger.held_bytes == 0
    assert await fetch(consumer) == list(range(2, 10))
