"""Micro-batches: many callers with one item each share one call of a scorer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from inference.errors import BatcherClosed

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting(Generic[T, R]):
    """An item and the future of its caller."""

    item: T
    answer: asyncio.Future[R]


class MicroBatcher(Generic[T, R]):
    """Collects items for at most `max_wait_s`, scores them in a thread, answers each caller.

    While a batch is scored the next one gathers, so a busy batcher waits for nobody.
    One batcher belongs to the event loop of its first `submit`.
    """

    def __init__(
        self,
        score: Callable[[Sequence[T]], Sequence[R | Exception]],
        *,
        max_batch: int = 32,
        max_wait_s: float = 0.002,
        max_queue: int = 256,
    ) -> None:
        """Set up; the collecting task starts with the first item.

        Args:
            score: answers a batch in its order; an exception in the answer belongs to that item
                alone, a raised one to every item of the batch.
            max_batch: most items in one call.
            max_wait_s: how long the first item of a batch may wait for company.
            max_queue: waiting items beyond which `submit` waits for room.
        """
        if max_batch < 1 or max_queue < 1:
            msg = "max_batch and max_queue must be at least 1"
            raise ValueError(msg)
        self._score = score
        self._max_batch = max_batch
        self._max_wait_s = max_wait_s
        self._queue: asyncio.Queue[_Waiting[T, R]] = asyncio.Queue(max_queue)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="micro-batcher")
        self._collecting: asyncio.Task[None] | None = None
        self._closed = False
        self._open_answers: set[asyncio.Future[R]] = set()

    async def submit(self, item: T) -> R:
        """Score one item together with whatever else waits.

        Raises:
            BatcherClosed: closed before the item was scored.
            Exception: what the scorer answered for this item.
        """
        if self._closed:
            raise BatcherClosed
        if self._collecting is None:
            self._collecting = asyncio.create_task(self._collect(), name="micro-batcher")
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._open_answers.add(answer)
        try:
            put = asyncio.ensure_future(self._queue.put(_Waiting(item=item, answer=answer)))
            try:
                # A close must also free the callers that wait for room in the queue.
                either: set[asyncio.Future[Any]] = {put, answer}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                put.cancel()
            return await answer
        finally:
            answer.cancel()  # does nothing to one that is answered; others are not worth scoring
            self._open_answers.discard(answer)

    async def close(self) -> None:
        """Let the batch in the thread end, refuse everything that still waits."""
        self._closed = True
        if self._collecting is not None:
            self._collecting.cancel()
            await asyncio.gather(self._collecting, return_exceptions=True)
        for answer in tuple(self._open_answers):
            if not answer.done():
                answer.set_exception(BatcherClosed())
        await asyncio.to_thread(self._thread.shutdown)

    async def _collect(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [waiting for waiting in await self._next_batch() if not waiting.answer.done()]
            if not batch:
                continue
            items = [waiting.item for waiting in batch]
            answers = await loop.run_in_executor(self._thread, self._answers, items)
            for waiting, answer in zip(batch, answers, strict=True):
                if waiting.answer.done():  # its caller was cancelled meanwhile
                    continue
                if isinstance(answer, Exception):
                    waiting.answer.set_exception(answer)
                else:
                    waiting.answer.set_result(answer)

    async def _next_batch(self) -> list[_Waiting[T, R]]:
        batch = [await self._queue.get()]
        deadline = asyncio.get_running_loop().time() + self._max_wait_s
        while len(batch) < self._max_batch:
            if not self._queue.empty():
                batch.append(self._queue.get_nowait())
                continue
            try:
                async with asyncio.timeout_at(deadline):
                    batch.append(await self._queue.get())
            except TimeoutError:
                break
        return batch

    def _answers(self, items: Sequence[T]) -> list[R | Exception]:
        try:
            answers = list(self._score(items))
            if len(answers) != len(items):
                msg = f"the scorer gave {len(answers)} answers to {len(items)} items"
                raise ValueError(msg)
        except Exception as error:  # noqa: BLE001 - the edge: every caller gets the error
            return [error] * len(items)
        return answers
