"""Dialogues without labels become questions, and what cannot be used is said."""

from dataclasses import replace

from streams.datasets import Example
from streams.events import DialogueEvent, Question
from streams.images import ImageStore
from streams.labelled import LeftOut
from streams.screens import Screens
from streams.unlabelled import UnlabelledQuestion, read_unlabelled
from streams.unlabelled_tasks import unlabelled_of
from tests import factories as make
from tests.fakes import FakeReader
from tests.mined import read as said

DOMAIN = make.domain()
PICTURE = make.png()


def example(event: DialogueEvent, label: str | None = None) -> Example:
    return Example(event=event, label=label, place="log.jsonl:3")


async def read(*examples: Example) -> list[UnlabelledQuestion | LeftOut]:
    """What each example gave, one after the other."""
    reader = FakeReader({PICTURE: ["Voucher 7"]})
    screens = Screens(store=ImageStore(), read_text=reader.read)
    found: list[UnlabelledQuestion | LeftOut] = []
    async for each in read_unlabelled(examples, domain=DOMAIN, screens=screens):
        found.extend([each] if isinstance(each, LeftOut) else each)
    return found


async def asked(*examples: Example) -> list[UnlabelledQuestion]:
    return [each for each in await read(*examples) if isinstance(each, UnlabelledQuestion)]


async def test_an_event_asks_what_it_would_ask_live() -> None:
    event = make.event(make.user("Hello", make.image("i1", PICTURE)))
    found = await asked(example(event))
    assert [each.question for each in found] == [
        Question(task="intent"),
        Question(task="scene", image_id="i1"),
    ]
    assert {each.evidence.read("screen") for each in found} == {"voucher 0"}
    assert {(each.example_id, each.dialogue_id) for each in found} == {("e1", "d1")}


async def test_a_label_is_not_read() -> None:
    event = make.event(tasks=("intent",))
    assert await read(example(event, "receipt")) == await read(example(event))


async def test_examples_keep_their_order_beyond_one_chunk() -> None:
    names = [f"e{position}" for position in range(9)]
    found = await asked(*[example(make.event(event_id=name)) for name in names])
    assert [each.example_id for each in found] == names


async def test_what_no_worker_would_take_is_left_out_and_the_rest_goes_on() -> None:
    odd, good = await read(example(make.event(tasks=("mood",))), example(make.event()))
    assert odd == LeftOut(
        place="log.jsonl:3",
        why="event asks for an unknown task; shop has intent, scene (unknown_task)",
        cure="correct the line, or remove it",
    )
    assert isinstance(good, UnlabelledQuestion)


def question(
    example_id: str, image_id: str | None = None, dialogue_id: str = "d1"
) -> UnlabelledQuestion:
    task = "intent" if image_id is None else "scene"
    return UnlabelledQuestion(
        example_id=example_id,
        dialogue_id=dialogue_id,
        question=Question(task=task, image_id=image_id),
        evidence=said("hello"),
    )


def test_what_is_of_a_labelled_dialogue_given_twice_or_not_looked_at_is_left_out_and_said() -> None:
    """A labelled dialogue at another moment would be mined while it is held out."""
    unread = question("e3")
    unread = replace(unread, evidence=replace(unread.evidence, facts={}))
    of_labelled = question("e1", dialogue_id="d9")
    given = [of_labelled, question("e2"), question("e2"), unread, question("e9", "i1")]
    found = unlabelled_of("intent", given, labelled={"d9"})
    assert [each.example_id for each in found.examples] == ["e2"]
    assert found.messages == (
        "unlabelled examples of labelled dialogues: left out; give others (1)",
        "unlabelled examples given more than once: taken once; remove the others (1)",
        "unlabelled examples with an unread screen: left out; give the images or their readings "
        "(1)",
    )


def test_every_image_of_an_event_is_an_example() -> None:
    found = unlabelled_of("scene", [question("e1", "i1"), question("e1", "i2"), question("e1")])
    assert len(found.examples) == 2
    assert found.messages == ()
