"""The tagger: texts → rules → tags for what is certain, deferred questions for the rest."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from streams.active_release import ActiveRelease
from streams.codec import decode_event, encode_deferred, encode_tag
from streams.domain import Domain
from streams.events import Deferred, DialogueEvent
from streams.failures import Failures
from streams.image_uris import AllowedUris
from streams.metrics import Metrics
from streams.pipeline import Pipeline
from streams.records import Output, Record
from streams.role import Outputs, Role, never

# The longest that decisions hold the event loop, but for a single slow one.
_AT_A_STRETCH_S = 0.02


class Tagger(Role):
    """Reads `dialogue.events`; sends tags and deferred questions under the dialogue's key."""

    name = "tagger"
    source = "events"

    def __init__(
        self,
        *,
        domain: Domain,
        image_prefixes: Sequence[str],
        early_answer: bool,
        metrics: Metrics,
        failures: Failures,
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(metrics=metrics, failures=failures, now_ms=now_ms)
        self._domain = domain
        self._allowed = AllowedUris.of(image_prefixes)
        self._early_answer = early_answer
        self._pipeline: Pipeline | None = None

    def use(self, release: ActiveRelease) -> str | None:
        self._pipeline = Pipeline(
            domain=self._domain,
            release=release,
            allowed=self._allowed,
            early_answer=self._early_answer,
        )
        return None

    async def decide(
        self, records: Sequence[Record], *, abandoned: Callable[[], bool] = never
    ) -> list[Outputs]:
        if self._pipeline is None:
            raise RuntimeError("a tagger decides only under a release")
        outputs: list[Outputs] = []
        breathed_s = time.perf_counter()
        for record in records:
            if self.failures.too_many or abandoned():
                break
            if time.perf_counter() - breathed_s > _AT_A_STRETCH_S:
                await asyncio.sleep(0)
                breathed_s = time.perf_counter()
            try:
                outputs.append(self._decide(record, self._pipeline))
                self.note_decided()
            except Exception as error:  # noqa: BLE001 - one record's failure is its dead letter
                outputs.append(self.dead_letter(record, error))
        return outputs

    def _decide(self, record: Record, pipeline: Pipeline) -> Outputs:
        started_ns = time.perf_counter_ns()
        event = decode_event(record.value or b"")
        tagged = pipeline.tag(event)
        took_us = (time.perf_counter_ns() - started_ns) // 1000
        now_ms = self.now_ms()
        if self.shadow is not None:
            self.shadow.offer(tagged.decided)
        outputs = []
        for tag in tagged.tags:
            self.metrics.tags.labels(task=tag.task, source=tag.source).inc()
            sent = replace(
                tag,
                accepted_at_ms=record.timestamp_ms,
                decided_at_ms=now_ms,
                took_us=took_us,
            )
            outputs.append(Output(kind="tags", key=_key(event), value=encode_tag(sent)))
        if tagged.open_questions:
            for question in tagged.open_questions:
                self.metrics.deferred.labels(
                    task=question.question.task, reason=question.reason
                ).inc()
            deferred = Deferred(
                record=record.value or b"",
                questions=tagged.open_questions,
                accepted_at_ms=record.timestamp_ms,
                release=pipeline.release.digest,
                redriven=record.redriven,
            )
            value = encode_deferred(deferred)
            outputs.append(Output(kind="deferred", key=_key(event), value=value))
        return tuple(outputs)


def _key(event: DialogueEvent) -> bytes:
    return event.dialogue_id.encode()
