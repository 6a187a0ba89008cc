"""Labelled examples become questions with everything rules and model may know of them."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.inputs import TrainingExample
from streams.datasets import Example, ImageUnreadable
from streams.errors import DatasetError
from streams.events import DialogueEvent, Question
from streams.images import ImageStore
from streams.labelled import (
    LabelledQuestion,
    LeftOut,
    learnable,
    of_other_domain,
    read_each,
    read_labelled,
    told,
)
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
        example_id="e1", dialogue_id="d1", input=laid_out.input, label="track"
    )


async def test_pixels_are_decoded_when_they_are_looked_at_and_not_kept() -> None:
    """A screenshot takes 442 kB as pixels; miners look at none."""
    event = make.event(make.user("Hello", make.image("i1", PICTURE)), tasks=("intent",))
    (laid_out,) = await read(example(event))
    first, again = laid_out.input.screens[0], laid_out.input.screens[0]
    assert first.pixels is not None
    assert again.pixels is not None
    assert first.pixels is not again.pixels
    decoded = np.asarray(Image.open(io.BytesIO(PICTURE)).convert("RGB"))
    assert first.pixels.tolist() == again.pixels.tolist() == decoded.tolist()
    assert len(laid_out.input.screens[:1]) == 1


async def test_an_example_belongs_to_its_dialogue_and_else_to_itself() -> None:
    """Two moments of `d1`."""
    events = [make.event(event_id=name, tasks=("intent",)) for name in ("e1", "e2")]
    both = await read(*map(example, events))
    assert [(each.example_id, each.dialogue_id) for each in both] == [("e1", "d1"), ("e2", "d1")]
    assert replace(both[0], dialogue_id="").dialogue_id == "e1"


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
        (("intent",), "receipt", '"shop" has no intent label "receipt"; add it'),
        (("intnt",), "track", '"shop" has no task "intnt" (did you mean "intent"?); add it'),
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


def test_what_cannot_be_learned_is_left_out_and_the_rest_goes_on() -> None:
    good, unknown, unlabelled = (
        example(make.event(event_id=name, tasks=("intent",)), label)
        for name, label in (("e1", "track"), ("e2", "trak"), ("e3", None))
    )
    usable, left_out = learnable([unknown, good, unlabelled], DOMAIN)
    assert usable == (good,)
    assert told(left_out) == (
        'set.jsonl:3: "shop" has no intent label "trak" (did you mean "track"?): left out; add it '
        'to the domain pack or correct it to one of "track", "refund", "other"',
        "set.jsonl:3: no label: left out; a training line has `task` and `label`",
    )


def test_of_a_repeated_id_with_one_label_the_first_line_is_taken() -> None:
    event = make.event(tasks=("intent",))
    first, second = replace(example(event), place="a.jsonl:1"), replace(example(event), place="b:2")
    usable, left_out = learnable([first, second], DOMAIN)
    assert usable == (first,)
    assert told(left_out) == (
        "b:2: an earlier line has the same id and label: left out; remove it, or give it its own "
        "event_id",
    )


def test_a_repeated_id_with_several_labels_is_left_out_altogether() -> None:
    event = make.event(tasks=("intent",))
    one, other = (
        replace(example(event, label), place=place)
        for label, place in (("track", "a.jsonl:1"), ("refund", "a.jsonl:2"))
    )
    usable, left_out = learnable([one, other], DOMAIN)
    assert usable == ()
    assert told(left_out) == (
        "a.jsonl:1, a.jsonl:2: example 'e1' has the labels track (intent) and refund (intent): "
        "left out; keep the right one, or give each line its own event_id",
    )


def test_labels_of_two_tasks_do_not_contradict_each_other() -> None:
    """Each task has its own; of the two for intent neither is taken."""
    event = make.event(make.user("hello", make.image("i1", PICTURE)))
    intent, other, scene = (
        example(replace(event, tasks=(task,)), label)
        for task, label in (("intent", "track"), ("intent", "refund"), ("scene", "receipt"))
    )
    assert learnable([intent, scene], DOMAIN) == ((intent, scene), ())
    usable, left_out = learnable([intent, other, scene], DOMAIN)
    assert usable == (scene,)
    assert len(left_out) == 2


def test_two_images_of_one_event_need_ids_of_their_own() -> None:
    """Votes and out-of-fold answers are by example and task, and would mix the images up."""
    images = make.image("i1", PICTURE), make.image("i2", make.png(shade=9))
    one, other = (
        example(make.event(make.user("hello", image), tasks=("scene",)), label)
        for image, label in zip(images, ("receipt", "chat"), strict=True)
    )
    usable, left_out = learnable([one, other], DOMAIN)
    assert usable == ()
    assert {each.cure for each in left_out} == {
        "keep the right one, or give each line its own event_id"
    }


def test_many_lines_of_one_fault_are_one_sentence() -> None:
    wrong = [LeftOut(place=f"a:{n}", why="no label", cure="give one") for n in range(7)]
    assert told(wrong) == ("a:0, a:1, a:2, a:3, a:4 and 2 more: no label: left out; give one",)


def test_unknown_labels_of_a_task_are_one_sentence_with_the_known_ones_once() -> None:
    """Seven labels, each of two examples."""
    given = [
        replace(
            example(make.event(event_id=f"e{n}", tasks=("intent",)), f"x{n % 7}"), place=f"a:{n}"
        )
        for n in range(14)
    ]
    _, left_out = learnable(given, DOMAIN)
    assert told(left_out) == (
        'a:0, a:1, a:2, a:3, a:4 and 9 more: "shop" has no intent label "x0", "x1", "x2", "x3", '
        '"x4" and 2 more: left out; add it to the domain pack or correct it to one of "track", '
        '"refund", "other"',
    )


def test_images_that_are_not_there_are_one_sentence() -> None:
    gone = [
        LeftOut.of_fault(
            f"a:{n}",
            ImageUnreadable(f"a:{n}", Path("/set/images"), f"{n}.png", "No such file or directory"),
        )
        for n in range(7)
    ]
    assert told(gone) == (
        "a:0, a:1, a:2, a:3, a:4 and 2 more: No such file or directory in /set/images for image "
        "0.png, 1.png, 2.png, 3.png, 4.png and 2 more: left out; put it there, or correct or "
        "remove the line",
    )


def test_examples_of_which_no_label_fits_are_of_another_domain() -> None:
    known, unknown, unlabelled, other = (
        example(make.event(tasks=(task,)), label)
        for task, label in (
            ("intent", "track"),
            ("intent", "x"),
            ("intent", None),
            ("mood", "track"),
        )
    )
    assert of_other_domain([unknown, unlabelled, other], DOMAIN)
    assert not of_other_domain([unknown, known], DOMAIN)
    assert not of_other_domain([unlabelled], DOMAIN)
    assert not of_other_domain([], DOMAIN)


async def test_an_image_that_cannot_be_read_is_left_out_and_the_rest_goes_on() -> None:
    broken, whole = (
        make.event(make.user("hi", make.image("i1", content)), event_id=name, tasks=("scene",))
        for name, content in (("e1", b"no image"), ("e2", PICTURE))
    )
    screens = Screens(store=ImageStore(), read_text=FakeReader().read)
    given = [example(broken, "receipt"), example(whole, "receipt")]
    left_out, found = [each async for each in read_each(given, domain=DOMAIN, screens=screens)]
    assert isinstance(left_out, LeftOut)
    assert left_out.place == "set.jsonl:3"
    assert "(image_corrupt)" in left_out.why
    assert isinstance(found, LabelledQuestion)
    assert found.example_id == "e2"


def test_places_are_files_and_lines(tmp_path: Path) -> None:
    assert example(make.event()).place.count(":") == 1
