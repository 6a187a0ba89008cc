"""Labelled examples become questions with everything rules and model may know of them."""

from pathlib import Path

import pytest

from inference.inputs import TrainingExample
from streams.datasets import Example
from streams.errors import DatasetError
from streams.events import DialogueEvent, Question
from streams.images import ImageStore
from streams.labelled import LabelledQuestion, read_labelled
from streams.screens import Screens
from tests import factories as make
from tests.fakes import FakeReader

DOMAIN = make.domain()
PICTURE = make.png()


def example(event: DialogueEvent, label: str | None = "track") -> Example:
    return Example(event=event, label=label, place="set.jsonl:3")


async def read(*examples: Example, reader: FakeReader | None = None) -> list[LabelledQuestion]:
    screens = Screens(store=ImageStore(), read_text=(reader or FakeReader()).read)
    return [each async for each in read_labelled(examples, domain=DOMAIN, screens=screens)]


async def test_a_question_has_its_label_its_evidence_and_its_input() -> None:
    event = make.event(make.user("Hello", make.image("i1", PICTURE)), tasks=("intent",))
    (laid_out,) = await read(example(event), reader=FakeReader({PICTURE: ["Voucher 7"]}))
    assert (laid_out.example_id, laid_out.question) == ("e1", Question(task="intent"))
    assert laid_out.evidence.read("screen") == "voucher 0"
    assert laid_out.input.texts["last"] == "hello"
    assert [line.text for line in laid_out.input.screens[0].lines] == ["Voucher 7"]
    assert laid_out.training_example == TrainingExample(
        example_id="e1", input=laid_out.input, label="track"
    )


async def test_facts_are_measured_as_on_the_live_path() -> None:
    """White, 8 by 16 pixels, two lines of half its height."""
    picture = make.png(shade=255, height=16)
    event = make.event(make.user("Hello", make.image("i1", picture)), tasks=("intent",))
    (laid_out,) = await read(example(event), reader=FakeReader({picture: ["Voucher", "7"]}))
    assert laid_out.evidence.facts == {
        "turns": 1,
        "images": 1,
        "screen.line_count": 2,
        "screen.white_share": 1.0,
        "screen.height_by_width": 2.0,
        "screen.tallest_text": 0.5,
    }


async def test_one_label_for_several_images_is_refused() -> None:
    """Folds and out-of-fold answers go by example, and so would mix the images up."""
    images = (make.image("i1", PICTURE), make.image("i2", make.png(shade=9)))
    event = make.event(make.user("hello", *images), tasks=("scene", "intent"))
    with pytest.raises(DatasetError, match="one label for 2 images"):
        await read(example(event, "receipt"))


async def test_examples_keep_their_order_beyond_one_chunk() -> None:
    names = [f"e{position}" for position in range(9)]
    events = [make.event(event_id=name, tasks=("intent",)) for name in names]
    assert [each.example_id for each in await read(*map(example, events))] == names


@pytest.mark.parametrize(
    ("tasks", "label", "why"),
    [
        (("intent",), None, "no label"),
        (None, "track", "no label"),
        (("intent",), "receipt", "'receipt' is no intent label"),
        (("mood",), "track", "'track' is no mood label"),
        (("scene",), "receipt", "its latest turn has no image"),
    ],
)
async def test_an_example_that_teaches_nothing_is_refused_with_its_place(
    tasks: tuple[str, ...] | None, label: str | None, why: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        await read(example(make.event(tasks=tasks), label))
    assert str(caught.value).startswith("set.jsonl:3: ")
    assert why in str(caught.value)


async def test_an_image_no_worker_would_take_is_refused_with_place_and_reason() -> None:
    event = make.event(make.user("", make.image("i1", b"no image")), tasks=("scene",))
    with pytest.raises(DatasetError, match=r"set\.jsonl:3: .*\(image_corrupt\)"):
        await read(example(event, "receipt"))


def test_places_are_files_and_lines(tmp_path: Path) -> None:
    assert example(make.event()).place.count(":") == 1
