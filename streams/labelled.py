"""Labelled examples → questions with everything rules and model may know of them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from inference.inputs import ModelInput, TrainingExample
from rule_store import Evidence
from streams.datasets import Example
from streams.domain import Domain
from streams.errors import DatasetError, InvalidRecord
from streams.events import Question
from streams.evidence import evidence_for
from streams.model_input import model_input
from streams.questions import images_read_for, questions
from streams.screens import Screens


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledQuestion:
    """A question, its right label, and what is known of it.

    example_id: of the example it comes from; folds are made by it.
    """

    example_id: str
    question: Question
    label: str
    evidence: Evidence
    input: ModelInput

    @property
    def training_example(self) -> TrainingExample:
        return TrainingExample(example_id=self.example_id, input=self.input, label=self.label)


async def read_labelled(
    examples: Iterable[Example], *, domain: Domain, screens: Screens, at_once: int = 4
) -> AsyncIterator[LabelledQuestion]:
    """Read the screenshots of labelled examples and lay out every question, in order.

    Raises:
        DatasetError: an example without a label, with one of no task of the domain, or whose
            event or images no worker would take; names file and line.
    """
    for chunk in _chunks(examples, at_once):
        for laid_out in await asyncio.gather(*(_lay_out(each, domain, screens) for each in chunk)):
            for question in laid_out:
                yield question


def _chunks(examples: Iterable[Example], size: int) -> Iterable[Sequence[Example]]:
    chunk: list[Example] = []
    for example in examples:
        chunk.append(example)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def labelled_questions(example: Example, domain: Domain) -> tuple[str, list[Question]]:
    """An example's label and the question it answers; none when the example asks nothing.

    Raises:
        DatasetError: no label, one of no task of the domain, or one for several images.
        InvalidRecord: no worker would take the event.
    """
    task, label = example.task, example.label
    if task is None or label is None:
        raise DatasetError(f"{example.place}: no label; a training line has `task` and `label`")
    if task not in domain.tasks or label not in domain.tasks[task].label_names:
        raise DatasetError(f"{example.place}: {label!r} is no {task} label of {domain.name!r}")
    asked = [each for each in questions(example.event, domain) if each.task == task]
    if len(asked) > 1:
        raise DatasetError(
            f"{example.place}: one label for {len(asked)} images; give each a line of its own"
        )
    return label, asked


async def _lay_out(
    example: Example, domain: Domain, screens: Screens
) -> tuple[LabelledQuestion, ...]:
    try:
        label, asked = labelled_questions(example, domain)
        wanted = {
            image.image_id: image
            for question in asked
            for image in images_read_for(question, example.event)
        }
        read = await screens.read_all(tuple(wanted.values()))
    except InvalidRecord as error:
        raise DatasetError(f"{example.place}: {error.detail} ({error.reason})") from error
    laid_out = []
    for question in asked:
        evidence = evidence_for(question, example.event, read)
        given = await asyncio.to_thread(model_input, question, example.event, evidence, read)
        laid_out.append(
            LabelledQuestion(
                example_id=example.event.event_id,
                question=question,
                label=label,
                evidence=evidence,
                input=given,
            )
        )
    return tuple(laid_out)
