"""What rules may know of a question; unread is not empty."""

from streams.events import Question
from streams.evidence import evidence_for
from tests import factories as make
from tests.fakes import reading

INTENT = Question(task="intent")


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
    evidence = evidence_for(INTENT, event, {"a": reading("Total 12")})
    for channel in ("screen", "screen.top", "screen.bottom", "screen.lines"):
        assert evidence.read(channel) is None


def test_an_image_of_the_agent_is_no_evidence_for_the_intent() -> None:
    event = make.event(make.agent("look", make.image("a")), make.user("hi"))
    assert evidence_for(INTENT, event, {}).read("screen") == ""


def test_lines_lie_at_the_top_the_bottom_or_between() -> None:
    """Ten lines of one tenth each: the middles of two are above 0.2, of two below 0.8."""
    lines = [f"line {letter}" for letter in "abcdefghij"]
    event = make.event(make.user("", make.image("a")))
    evidence = evidence_for(Question(task="scene", image_id="a"), event, {"a": reading(*lines)})
    assert evidence.read("screen") == "\n".join(lines) == evidence.read("screen.lines")
    assert evidence.read("screen.top") == "line a\nline b"
    assert evidence.read("screen.bottom") == "line i\nline j"


def test_a_scene_reads_its_own_image_alone() -> None:
    event = make.event(make.user("", make.image("a"), make.image("b")))
    readings = {"b": reading("Total")}
    assert (
        evidence_for(Question(task="scene", image_id="b"), event, readings).read("screen")
        == "total"
    )
    assert (
        evidence_for(Question(task="scene", image_id="a"), event, readings).read("screen") is None
    )
