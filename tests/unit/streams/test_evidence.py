"""What rules may know of a question; unread is not empty."""

from dataclasses import replace

import pytest

from inference.inputs import Box, ScreenLine
from rule_store import CHANNELS, FACTS
from streams.events import DialogueEvent, Question
from streams.evidence import evidence_for, said_in
from streams.image_checks import check_image
from streams.screens import ReadImage
from tests import factories as make
from tests.fakes import reading

INTENT = Question(task="intent")
SCREEN_FACTS = tuple(fact for fact in FACTS if fact.startswith("screen."))


def shot(
    *texts: str, width: int = 8, height: int = 8, white_share: float = 0.0, box: Box | None = None
) -> ReadImage:
    """A screenshot with lines from its top to its bottom, or all of them in one box."""
    read = reading(*texts)
    if box is not None:
        read = replace(
            read, lines=tuple(ScreenLine(text=text, score=1.0, box=box) for text in texts)
        )
    image = check_image(make.png(width=width, height=height))
    return ReadImage(image=image, reading=read, white_share=white_share)


def with_images(*image_ids: str) -> DialogueEvent:
    return make.event(make.user("hi", *map(make.image, image_ids)))


def test_text_channels_are_always_read() -> None:
    turns = (make.user("One"), make.agent("TWO"), make.user("three"), make.agent("Four"))
    texts = evidence_for(INTENT, make.event(*turns), {}).texts
    assert texts["last"] == "three"
    assert texts["user"] == "one\nthree"
    assert texts["reply"] == "four"
    assert texts["agent"] == "two\nfour"


def test_a_dialogue_without_an_agent_has_an_empty_reply_that_was_read() -> None:
    evidence = evidence_for(INTENT, make.event(make.user("hi")), {})
    assert evidence.read("reply") == ""
    assert evidence.read("agent") == ""


def test_the_latest_user_turn_counts_even_without_text() -> None:
    event = make.event(make.user("hi"), make.user("", make.image()))
    assert evidence_for(INTENT, event, {}).read("last") == ""


def test_without_images_the_screen_was_read_and_is_empty() -> None:
    evidence = evidence_for(INTENT, make.event(make.user("hi")), {})
    for channel in ("screen", "screen.top", "screen.bottom", "screen.lines"):
        assert evidence.read(channel) == ""


def test_one_image_without_a_reading_leaves_the_whole_screen_unread() -> None:
    event = make.event(make.user("hi", make.image("a"), make.image("b")))
    evidence = evidence_for(INTENT, event, {"a": shot("Total 12")})
    for channel in ("screen", "screen.top", "screen.bottom", "screen.lines"):
        assert evidence.read(channel) is None


def test_an_image_of_the_agent_is_no_evidence_for_the_intent() -> None:
    event = make.event(make.agent("look", make.image("a")), make.user("hi"))
    assert evidence_for(INTENT, event, {}).read("screen") == ""


def test_lines_lie_at_the_top_the_bottom_or_between() -> None:
    """Ten lines of one tenth each: the middles of two are above 0.2, of two below 0.8."""
    lines = [f"line {letter}" for letter in "abcdefghij"]
    event = make.event(make.user("", make.image("a")))
    evidence = evidence_for(Question(task="scene", image_id="a"), event, {"a": shot(*lines)})
    assert evidence.read("screen") == "\n".join(lines) == evidence.read("screen.lines")
    assert evidence.read("screen.top") == "line a\nline b"
    assert evidence.read("screen.bottom") == "line i\nline j"


def test_a_scene_reads_its_own_image_alone() -> None:
    event = make.event(make.user("", make.image("a"), make.image("b")))
    own, other = (
        evidence_for(Question(task="scene", image_id=name), event, {"b": shot("Total")})
        for name in "ba"
    )
    assert own.read("screen") == "total"
    assert other.read("screen") is None


def test_the_turns_of_the_user_are_counted_without_looking_at_any_image() -> None:
    event = make.event(make.user("one"), make.agent("two"), make.user(""), make.agent("four"))
    assert said_in(event).facts == {"turns": 2}
    assert evidence_for(INTENT, make.event(make.agent("hello")), {}).facts["turns"] == 0


def test_images_are_counted_as_the_question_reads_them_whether_or_not_they_were_read() -> None:
    """The intent reads those of all user turns; a scene its own, of which there is one."""
    event = make.event(
        make.user("", make.image("a")),
        make.agent("", make.image("theirs")),
        make.user("", make.image("b"), make.image("c")),
    )
    read = {name: shot() for name in ("a", "theirs", "b", "c")}
    for question, count in ((INTENT, 3), (Question(task="scene", image_id="b"), 1)):
        for screens in ({}, read):
            assert evidence_for(question, event, screens).facts["images"] == count


def test_facts_of_the_screen_are_read_with_its_channels() -> None:
    event = with_images("a", "b")
    for screens in ({}, {"a": shot("Total")}):
        unread = evidence_for(INTENT, event, screens)
        assert set(unread.facts) == {"turns", "images"}
        assert set(unread.texts) == {"last", "user", "reply", "agent"}
    read = evidence_for(INTENT, event, {"a": shot("Total"), "b": shot()})
    assert set(read.facts) == set(FACTS)
    assert set(read.texts) == set(CHANNELS)


def test_without_images_the_facts_of_the_screen_were_read_and_are_zero() -> None:
    facts = evidence_for(INTENT, make.event(make.agent("look", make.image())), {}).facts
    assert {fact: facts[fact] for fact in SCREEN_FACTS} == dict.fromkeys(SCREEN_FACTS, 0)
    assert facts["images"] == 0


def test_lines_are_counted_of_all_images_and_the_rest_is_of_the_last_one() -> None:
    """The last one has two lines of half its height, the first has three of a third."""
    first = shot("a", "b", "c", width=4, height=4, white_share=0.9)
    last = shot("d", "e", width=9, height=16, white_share=0.25)
    facts = evidence_for(INTENT, with_images("a", "b"), {"a": first, "b": last}).facts
    assert facts == {
        "turns": 1,
        "images": 2,
        "screen.line_count": 5,
        "screen.white_share": 0.25,
        "screen.height_by_width": 1.7778,  # 16 / 9
        "screen.tallest_text": 0.5,
    }


def test_a_line_that_folds_to_nothing_is_no_line() -> None:
    """So the count is that of the segments a rule can see in the channel."""
    evidence = evidence_for(INTENT, with_images("a"), {"a": shot("Total", " \n ", "12")})
    assert evidence.read("screen") == "total\n00"
    assert evidence.facts["screen.line_count"] == 2


@pytest.mark.parametrize(
    ("box", "height"),
    [((0.0, 0.25, 1.0, 0.375), 0.125), ((0, 0, 1, 1 / 3), 0.3333), ((0.0, 0.9, 1.0, 0.1), 0.0)],
)
def test_the_tallest_text_is_a_share_and_a_box_upside_down_has_no_height(
    box: Box, height: float
) -> None:
    facts = evidence_for(INTENT, with_images("a"), {"a": shot("x", box=box)}).facts
    assert facts["screen.tallest_text"] == height
    assert facts["screen.line_count"] == 1


def test_an_image_without_text_has_no_tallest_text() -> None:
    facts = evidence_for(INTENT, with_images("a"), {"a": shot(white_share=1.0)}).facts
    assert (facts["screen.line_count"], facts["screen.tallest_text"]) == (0, 0)
    assert (facts["screen.white_share"], facts["screen.height_by_width"]) == (1, 1)
