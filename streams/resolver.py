"""The resolver: screenshots → rules again → model → fused tags for what the tagger left open."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import replace
from types import TracebackType
from typing import Protocol

from inference.errors import ReaderUnavailable
from streams.active_release import ActiveRelease
from streams.codec import decode_deferred, decode_event, encode_tag
from streams.domain import Domain
from streams.errors import DecodeError
from streams.events import Deferred, DialogueEvent, Question
from streams.failures import Failures
from streams.metrics import Metrics
from streams.pipeline import Pipeline
from streams.questions import questions
from streams.records import Output, Record
from streams.role import Outputs, Role, never


class Pipelines(Protocol):
    """What makes pipelines, open as long as the resolver runs; `ModelSide` is one."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def warm(self) -> None: ...

    def pipeline(self, release: ActiveRelease) -> Pipeline: ...


# Events whose images are held in memory together; each may bring 16 images of 5 MiB.
_WITH_IMAGES_AT_ONCE = 4


class Resolver(Role):
    """Reads `dialogue.deferred`; every open question leaves as a tag or as a dead letter."""

    name = "resolver"
    source = "deferred"
    reads_screens = True

    def __init__(
        self,
        *,
        domain: Domain,
        model_side: Pipelines,
        metrics: Metrics,
        failures: Failures,
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(metrics=metrics, failures=failures, now_ms=now_ms)
        self._domain = domain
        self._model_side = model_side
        self._pipeline: Pipeline | None = None
        self._open = AsyncExitStack()
        self._room_for_images = asyncio.Semaphore(_WITH_IMAGES_AT_ONCE)

    async def start(self) -> None:
        """Load model and reader now: what is missing stops the start, not every record."""
        await self._open.enter_async_context(self._model_side)
        await self._model_side.warm()

    async def stop(self) -> None:
        await self._open.aclose()

    def use(self, release: ActiveRelease) -> str | None:
        self._pipeline = self._model_side.pipeline(release)
        if self._pipeline.judge.uses_fitted_weights:
            return None
        return (
            "λ and the threshold of fusion are the documented defaults: the release was not "
            "fitted with this bundle; `kdsl release build --bundle … --examples …` fits them"
        )

    @property
    def bundle(self) -> str | None:
        return None if self._pipeline is None else self._pipeline.bundle

    @property
    def uses_fitted_weights(self) -> bool | None:
        if self._pipeline is None or self._pipeline.bundle is None:
            return None
        return self._pipeline.judge.uses_fitted_weights

    async def decide(
        self, records: Sequence[Record], *, abandoned: Callable[[], bool] = never
    ) -> list[Outputs]:
        """All records at once: the model batches across them; outputs keep the records' order."""
        if self._pipeline is None:
            raise RuntimeError("a resolver decides only under a release")
        if self.failures.too_many:
            return []
        pipeline = self._pipeline
        outcomes = [self._outcome(record, pipeline, abandoned) for record in records]
        decided = await asyncio.gather(*outcomes)
        begun = decided.index(None) if None in decided else len(decided)
        return [outputs for outputs in decided[:begun] if outputs is not None]

    async def _outcome(
        self, record: Record, pipeline: Pipeline, abandoned: Callable[[], bool]
    ) -> Outputs | None:
        """None for a record that was not begun."""
        try:
            outputs = await self._decide(record, pipeline, abandoned)
        except ReaderUnavailable:
            # Ours to mend and no fault of any record: crash, be restarted, lose nothing.
            raise
        except Exception as error:  # noqa: BLE001 - one record's failure is its dead letter
            return self.dead_letter(record, error)
        if outputs is not None:
            self.note_decided()
        return outputs

    async def _decide(
        self, record: Record, pipeline: Pipeline, abandoned: Callable[[], bool]
    ) -> Outputs | None:
        started_ns = time.perf_counter_ns()
        deferred = decode_deferred(record.value or b"")
        event = decode_event(deferred.record)
        asked = _asked(deferred, event, self._domain)
        has_images = any(turn.images for turn in event.turns)
        async with self._room_for_images if has_images else nullcontext():
            if abandoned():
                return None
            decided = await pipeline.resolve(event, asked)
        took_us = (time.perf_counter_ns() - started_ns) // 1000
        now_ms = self.now_ms()
        if self.shadow is not None:
            self.shadow.offer(decided)
        outputs = []
        for tag in (each.tag for each in decided):
            self.metrics.tags.labels(task=tag.task, source=tag.source).inc()
            sent = replace(
                tag,
                accepted_at_ms=deferred.accepted_at_ms,
                decided_at_ms=now_ms,
                took_us=took_us,
            )
            key = event.dialogue_id.encode()
            outputs.append(Output(kind="tags", key=key, value=encode_tag(sent)))
        return tuple(outputs)


def _asked(deferred: Deferred, event: DialogueEvent, domain: Domain) -> tuple[Question, ...]:
    """The open questions, each of which the event must really ask."""
    asked = tuple(open_question.question for open_question in deferred.questions)
    if not set(asked) <= set(questions(event, domain)):
        raise DecodeError("deferred questions are not among those its event asks")
    return tuple(dict.fromkeys(asked))
