"""What an event asks: one place decides it for workers, demo, tests and the counting of losses."""

import pytest

from streams.errors import InvalidEvent
from streams.events import DialogueEvent, Question, Turn
from streams.questions import images_read_for, questions
from tests import factories as make

DOMAIN = make.domain()
INTENT = Question(task="intent")


def scene(image_id: str) -> Question:
    return Question(task="scene", image_id=image_id)


def reason_of(event: DialogueEvent) -> str:
    with pytest.raises(InvalidEvent) as caught:
        questions(event, DOMAIN)
    return caught.value.reason


@pytest.mark.parametrize(
    ("turns", "asked"),
    [
        ((make.user("hi"),), (INTENT,)),
        ((make.user("hi", make.image("a")),), (INTENT, scene("a"))),
        ((make.user("", make.image("a"), make.image("b")),), (scene("a"), scene("b"))),
        ((make.user(" \n", make.image("a")),), (scene("a"),)),
        ((make.user("hi", make.image("a")), make.user("and?")), (INTENT,)),
        ((make.user("hi", make.image("a")), make.agent("yes?")), ()),
        ((make.user("hi"), make.agent("look", make.image("a"))), (scene("a"),)),
    ],
)
def test_the_latest_turn_decides_what_is_asked(
    turns: tuple[Turn, ...], asked: tuple[Question, ...]
) -> None:
    assert questions(make.event(*turns), DOMAIN) == asked


def test_tasks_in_the_event_say_it_outright() -> None:
    turns = (make.user("hi", make.image("a")), make.agent("yes?"))
    assert questions(make.event(*turns, tasks=("intent",)), DOMAIN) == (INTENT,)
    latest = make.user("hi", make.image("a"))
    assert questions(make.event(latest, tasks=("scene",)), DOMAIN) == (scene("a"),)
    assert questions(make.event(latest, tasks=()), DOMAIN) == ()


def test_a_task_named_twice_is_asked_once() -> None:
    assert questions(make.event(tasks=("intent", "intent")), DOMAIN) == (INTENT,)


def test_only_tasks_of_the_domain_are_asked() -> None:
    only_intent = make.domain(labels={"intent": ("track", "refund", "other")})
    assert questions(make.event(make.user("hi", make.image())), only_intent) == (INTENT,)


def test_a_foreign_domain_is_refused() -> None:
    assert reason_of(make.event(domain="pharmacy")) == "foreign_domain"


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_dialogue_without_text_and_image_is_refused(text: str) -> None:
    assert reason_of(make.event(make.user(text), make.agent(""))) == "empty_dialogue"


def test_a_dialogue_with_text_or_image_anywhere_is_not_empty() -> None:
    assert questions(make.event(make.agent("hello"), make.user("")), DOMAIN) == ()
    assert questions(make.event(make.user("", make.image()), make.agent("")), DOMAIN) == ()


def test_an_unknown_task_is_refused_and_not_quoted() -> None:
    event = make.event(tasks=("intent", "mood"))
    assert reason_of(event) == "unknown_task"
    with pytest.raises(InvalidEvent) as caught:
        questions(event, DOMAIN)
    assert "mood" not in caught.value.detail


def test_a_scene_without_an_image_is_refused() -> None:
    turns = (make.user("hi", make.image()), make.user("and?"))
    assert reason_of(make.event(*turns, tasks=("scene",))) == "invalid_event"


def test_intent_reads_the_images_of_all_user_turns_and_scene_its_own() -> None:
    a, b, c = make.image("a"), make.image("b"), make.image("c")
    event = make.event(make.user("", a), make.agent("", b), make.user("hi", c))
    assert images_read_for(INTENT, event) == (a, c)
    assert images_read_for(scene("b"), event) == (b,)
