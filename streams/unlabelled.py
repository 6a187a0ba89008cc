"""Dialogues without labels → questions with everything rules may know of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from rule_store import Evidence
from streams.datasets import Example
from streams.domain import Domain
from streams.errors import InvalidRecord
from streams.events import Question
from streams.evidence import evidence_for
from streams.labelled import LeftOut
from streams.questions import images_read_for, questions
from streams.screens import Screens


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlabelledQuestion:
    """A question whose right label nobody gave, and what is known of it.

    example_id: of the example it comes from.
    dialogue_id: of the dialogue that the example shows at one moment.
    """

    example_id: str
    dialogue_id: str
    question: Question
    evidence: Evidence


async def read_unlabelled(
    examples: Sequence[Example], *, domain: Domain, screens: Screens, at_once: int = 4
) -> AsyncIterator[tuple[UnlabelledQuestion, ...] | LeftOut]:
    """Read the screenshots of examples and lay out the questions of each, in order.

    Labels are ignored. What no worker would take is left out.
    """
    for start in range(0, len(examples), at_once):
        chunk = examples[start : start + at_once]
        for laid_out in await asyncio.gather(*(_lay_out(each, domain, screens) for each in chunk)):
            yield laid_out


async def _lay_out(
    example: Example, domain: Domain, screens: Screens
) -> tuple[UnlabelledQuestion, ...] | LeftOut:
    event = example.event
    try:
        asked = questions(event, domain)
        wanted = {
            image.image_id: image
            for question in asked
            for image in images_read_for(question, event)
        }
        read = await screens.read_all(tuple(wanted.values()))
    except InvalidRecord as error:
        why = f"{error.detail} ({error.reason})"
        return LeftOut(place=example.place, why=why, cure="correct the line, or remove it")
    return tuple(
        UnlabelledQuestion(
            example_id=event.event_id,
            dialogue_id=event.dialogue_id,
            question=question,
            evidence=evidence_for(question, event, read),
        )
        for question in asked
    )
