"""Labelled examples → questions with everything rules and model may know of them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from inference.inputs import ModelInput, TrainingExample
from rule_store import Evidence
from rule_store.errors import shown
from rule_store.named import first, meant, one_of
from streams.datasets import Example, ImageUnreadable
from streams.domain import Domain
from streams.errors import DatasetError, InvalidRecord
from streams.events import Question
from streams.evidence import evidence_for
from streams.model_input import model_input_on_demand
from streams.questions import images_read_for, questions
from streams.screens import Screens


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledQuestion:
    """A question, its right label, and what is known of it.

    example_id: of the example it comes from.
    dialogue_id: of the dialogue that the example shows at one moment; examples are held out by
        it. Left out, the example id.
    """

    example_id: str
    question: Question
    label: str
    evidence: Evidence
    input: ModelInput
    dialogue_id: str = ""

    def __post_init__(self) -> None:
        if not self.dialogue_id:
            object.__setattr__(self, "dialogue_id", self.example_id)

    @property
    def training_example(self) -> TrainingExample:
        return TrainingExample(
            example_id=self.example_id,
            dialogue_id=self.dialogue_id,
            input=self.input,
            label=self.label,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An example that teaches nothing: where it stands, why, and what to do about it.

    named: what of it is at fault; ends the sentence of why, where examples share that.
    """

    place: str
    why: str
    cure: str
    named: str = ""

    @classmethod
    def of_fault(cls, place: str, fault: DatasetError) -> Self:
        """Of a line that is no example."""
        if isinstance(fault, ImageUnreadable):
            cure = "put it there, or correct or remove the line"
            return cls(place=place, why=fault.why, cure=cure, named=fault.name)
        why = str(fault).removeprefix(f"{place}: ")
        return cls(place=place, why=why, cure="correct or remove the line")

    def refusal(self) -> DatasetError:
        return DatasetError(f"{self.place}: {_named(self.why, [self])}; {self.cure}")


def labelled_questions(example: Example, domain: Domain) -> tuple[str, Question]:
    """An example's label and the question it answers.

    Raises:
        DatasetError: no label, one of no task of the domain, one for several images, or an event
            that no worker would take; names file and line.
    """
    found = _label_and_question(example, domain)
    if isinstance(found, LeftOut):
        raise found.refusal()
    return found


def learnable(
    examples: Sequence[Example], domain: Domain
) -> tuple[tuple[Example, ...], tuple[LeftOut, ...]]:
    """Leave out what cannot be learned from, before any screenshot is read.

    Examples of one id, one task and several labels are left out, all of them; of those with the
    same label the first is taken. Votes and out-of-fold answers are by example and task: two
    images of an event need ids of their own.
    """
    usable: list[tuple[Example, Question]] = []
    left_out: list[LeftOut] = []
    labels: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for example in examples:
        found = _label_and_question(example, domain)
        if isinstance(found, LeftOut):
            left_out.append(found)
        else:
            label, question = found
            usable.append((example, question))
            labels[example.event.event_id, question.task].setdefault(label)
    taken: dict[tuple[str, str], Example] = {}
    for example, question in usable:
        key = example.event.event_id, question.task
        if len(labels[key]) > 1:
            left_out.append(_contradicted(example, question, labels[key]))
        elif taken.setdefault(key, example) is not example:
            left_out.append(_repeated(example))
    return tuple(taken.values()), tuple(left_out)


def of_other_domain(examples: Iterable[Example], domain: Domain) -> bool:
    """Whether there are labels, and none of them fits."""
    given = {(each.task, each.label) for each in examples if each.task and each.label}
    known = {(task, label) for task, labels in domain.labels.items() for label in labels}
    return bool(given) and not given & known


async def read_each(
    examples: Iterable[Example], *, domain: Domain, screens: Screens, at_once: int = 4
) -> AsyncIterator[LabelledQuestion | LeftOut]:
    """Read the screenshots of labelled examples and lay out the question of each, in order."""
    for chunk in _chunks(examples, at_once):
        for laid_out in await asyncio.gather(*(_lay_out(each, domain, screens) for each in chunk)):
            yield laid_out


async def read_labelled(
    examples: Iterable[Example], *, domain: Domain, screens: Screens, at_once: int = 4
) -> AsyncIterator[LabelledQuestion]:
    """As `read_each`, where nothing may be left out.

    Raises:
        DatasetError: an example without a label, with one of no task of the domain, or whose
            event or images no worker would take; names file and line.
    """
    async for each in read_each(examples, domain=domain, screens=screens, at_once=at_once):
        if isinstance(each, LeftOut):
            raise each.refusal()
        yield each


def told(left_out: Iterable[LeftOut]) -> tuple[str, ...]:
    """A sentence for everything that is wrong, with the first places where it is.

    >>> told([LeftOut(place=f"a.jsonl:{n}", why="no label", cure="give one") for n in (3, 7)])
    ('a.jsonl:3, a.jsonl:7: no label: left out; give one',)
    """
    alike: defaultdict[tuple[str, str], list[LeftOut]] = defaultdict(list)
    for each in left_out:
        alike[each.why, each.cure].append(each)
    return tuple(
        f"{first([each.place for each in some])}: {_named(why, some)}: left out; {cure}"
        for (why, cure), some in alike.items()
    )


def _named(why: str, alike: Iterable[LeftOut]) -> str:
    names = list(dict.fromkeys(each.named for each in alike if each.named))
    return f"{why} {first(names)}" if names else why


def _unknown(
    example: Example, what: str, name: str, domain: Domain, known: Sequence[str]
) -> LeftOut:
    return LeftOut(
        place=example.place,
        why=f"{shown(domain.name)} has no {what}",
        named=meant(name, known),
        cure=f"add it to the domain pack or correct it to one of {one_of(known)}",
    )


def _chunks(examples: Iterable[Example], size: int) -> Iterable[Sequence[Example]]:
    chunk: list[Example] = []
    for example in examples:
        chunk.append(example)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _label_and_question(example: Example, domain: Domain) -> tuple[str, Question] | LeftOut:
    task, label, place = example.task, example.label, example.place
    if task is None or label is None:
        return LeftOut(place=place, why="no label", cure="a training line has `task` and `label`")
    if task not in domain.tasks:
        return _unknown(example, "task", task, domain, tuple(domain.tasks))
    names = domain.tasks[task].label_names
    if label not in names:
        return _unknown(example, f"{task} label", label, domain, names)
    try:
        asked = [each for each in questions(example.event, domain) if each.task == task]
    except InvalidRecord as error:
        return _refused(example, error)
    if len(asked) > 1:
        cure = "give each a line of its own"
        return LeftOut(place=place, why=f"one label for {len(asked)} images", cure=cure)
    return label, asked[0]


def _refused(example: Example, error: InvalidRecord) -> LeftOut:
    why = f"{error.detail} ({error.reason})"
    return LeftOut(place=example.place, why=why, cure="correct the line or its image, or remove it")


def _contradicted(example: Example, question: Question, labels: Iterable[str]) -> LeftOut:
    named = " and ".join(f"{label} ({question.task})" for label in labels)
    why = f"example {example.event.event_id!r} has the labels {named}"
    cure = "keep the right one, or give each line its own event_id"
    return LeftOut(place=example.place, why=why, cure=cure)


def _repeated(example: Example) -> LeftOut:
    why = "an earlier line has the same id and label"
    return LeftOut(place=example.place, why=why, cure="remove it, or give it its own event_id")


async def _lay_out(
    example: Example, domain: Domain, screens: Screens
) -> LabelledQuestion | LeftOut:
    found = _label_and_question(example, domain)
    if isinstance(found, LeftOut):
        return found
    label, question = found
    event = example.event
    try:
        read = await screens.read_all(images_read_for(question, event))
    except InvalidRecord as error:
        return _refused(example, error)
    evidence = evidence_for(question, event, read)
    return LabelledQuestion(
        example_id=event.event_id,
        dialogue_id=event.dialogue_id,
        question=question,
        label=label,
        evidence=evidence,
        input=model_input_on_demand(question, event, evidence, read),
    )
