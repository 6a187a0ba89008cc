"""Events → tags without Kafka, many at a time and in order; what `kdsl tag` runs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

from streams.codec import decode_event, encode_event
from streams.datasets import Example
from streams.errors import InvalidRecord
from streams.events import Tag
from streams.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedExample:
    """An example with its tags, or with what would have made it a dead letter."""

    example: Example
    tags: tuple[Tag, ...] = ()
    refusal: InvalidRecord | None = None


async def tag_examples(
    examples: Iterable[Example], pipeline: Pipeline, *, at_once: int = 16
) -> AsyncIterator[TaggedExample]:
    """Tag examples as the workers would, bytes and limits of the wire included.

    Args:
        examples: in the order in which they come out again.
        pipeline: decides both stages.
        at_once: how many are in flight, so that the model gets batches.
    """
    waiting: list[asyncio.Task[TaggedExample]] = []
    left = iter(examples)
    try:
        for example in left:
            waiting.append(asyncio.create_task(_tag(example, pipeline)))
            if len(waiting) >= at_once:
                yield await waiting.pop(0)
        for tagged in _drain(waiting):
            yield await tagged
    finally:
        for task in waiting:
            task.cancel()


def _drain(waiting: list[asyncio.Task[TaggedExample]]) -> Iterator[asyncio.Task[TaggedExample]]:
    while waiting:
        yield waiting.pop(0)


async def _tag(example: Example, pipeline: Pipeline) -> TaggedExample:
    try:
        event = decode_event(encode_event(example.event))
        tagged = pipeline.tag(event)
        asked = [each.question for each in tagged.open_questions]
        resolved = await pipeline.resolve(event, asked) if asked else ()
    except InvalidRecord as error:
        return TaggedExample(example=example, refusal=error)
    tags = tuple(each.tag for each in (*tagged.decided, *resolved))
    return TaggedExample(example=example, tags=tags)
