"""Many callers share a call; each gets its own answer or its own error."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from inference.batcher import MicroBatcher
from inference.errors import BatcherClosed


class Doubler:
    """Doubles numbers, refuses negative ones, and notes what it was called with."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.free.wait(10)
        self.batches.append(list(items))
        self.threads.add(threading.current_thread().name)
        return [ValueError(f"{item} is negative") if item < 0 else 2 * item for item in items]


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_waiting_items_share_a_call() -> None:
    score = Doubler()
    batcher = MicroBatcher[int, int](score, max_batch=4, max_wait_s=5.0)
    assert await asyncio.gather(*(batcher.submit(n) for n in range(4))) == [0, 2, 4, 6]
    assert score.batches == [[0, 1, 2, 3]]
    await batcher.close()


async def test_no_batch_is_larger_than_the_limit() -> None:
    score = Doubler()
    batcher = MicroBatcher[int, int](score, max_batch=3, max_wait_s=0.001)
    assert await asyncio.gather(*(batcher.submit(n) for n in range(8))) == list(range(0, 16, 2))
    assert max(map(len, score.batches)) <= 3
    await batcher.close()


async def test_an_error_reaches_only_its_caller() -> None:
    batcher = MicroBatcher[int, int](Doubler(), max_batch=3, max_wait_s=5.0)
    answers = await asyncio.gather(*map(batcher.submit, (1, -2, 3)), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 6
    await batcher.close()


async def test_a_raising_scorer_fails_its_batch_and_lives_on() -> None:
    calls = 0

    def score(items: Sequence[int]) -> list[int | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("out of memory")
        return list(items)

    batcher = MicroBatcher[int, int](score)
    with pytest.raises(RuntimeError, match="out of memory"):
        await batcher.submit(1)
    assert await batcher.submit(2) == 2
    await batcher.close()


async def test_a_scorer_that_answers_too_few_fails_its_batch() -> None:
    batcher = MicroBatcher[int, int](lambda items: [])
    with pytest.raises(ValueError, match="0 answers to 1 items"):
        await batcher.submit(1)
    await batcher.close()


async def test_scoring_runs_off_the_event_loop() -> None:
    score = Doubler()
    batcher = MicroBatcher[int, int](score)
    await batcher.submit(1)
    assert threading.current_thread().name not in score.threads
    await batcher.close()


async def test_a_full_queue_holds_its_callers_back() -> None:
    score = Doubler()
    score.free.clear()
    batcher = MicroBatcher[int, int](score, max_batch=1, max_queue=2)
    callers = [asyncio.create_task(batcher.submit(n)) for n in range(6)]
    await settle()
    assert batcher._queue.qsize() == 2
    score.free.set()
    assert await asyncio.gather(*callers) == [0, 2, 4, 6, 8, 10]
    await batcher.close()


async def test_a_cancelled_caller_is_not_scored() -> None:
    score = Doubler()
    score.free.clear()
    batcher = MicroBatcher[int, int](score, max_batch=1, max_wait_s=0.0)
    first = asyncio.create_task(batcher.submit(1))
    await settle()
    second, third = (asyncio.create_task(batcher.submit(n)) for n in (2, 3))
    await settle()
    second.cancel()
    score.free.set()
    assert await first == 2
    assert await third == 6
    assert [2] not in score.batches
    await batcher.close()


async def test_close_refuses_who_waits_and_who_comes() -> None:
    score = Doubler()
    score.free.clear()
    batcher = MicroBatcher[int, int](score, max_batch=1, max_queue=1)
    callers = [asyncio.create_task(batcher.submit(n)) for n in range(4)]
    await settle()
    closing = asyncio.create_task(batcher.close())
    await settle()
    score.free.set()
    await closing
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(answer, BatcherClosed) for answer in answers)
    with pytest.raises(BatcherClosed):
        await batcher.submit(5)
