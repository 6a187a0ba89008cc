"""DialogueEvent → Evidence, for the live path, mining and evaluation alike."""

from collections.abc import Iterable, Mapping

from inference.inputs import ScreenLine
from inference.reading import Reading
from rule_store import Evidence
from streams.events import DialogueEvent, Question, Speaker
from streams.questions import images_read_for

# Title bars and bottom bars of phone screenshots end within the outer fifth of the height.
_TOP = 0.2
_BOTTOM = 0.8


def evidence_for(
    question: Question, event: DialogueEvent, readings: Mapping[str, Reading]
) -> Evidence:
    """What rules may know of a question.

    The text channels are always read. The screen channels are read when every image the question
    reads has a reading, which includes having no image; otherwise they are absent, that is unread.

    Args:
        question: decides whose images count.
        event: the dialogue.
        readings: image id → what was read from it.
    """
    segments = _text_segments(event)
    images = images_read_for(question, event)
    if all(image.image_id in readings for image in images):
        lines = [line for image in images for line in readings[image.image_id].lines]
        segments |= _screen_segments(lines)
    return Evidence.of(segments)


def _text_segments(event: DialogueEvent) -> dict[str, Iterable[str]]:
    user = _said_by(event, "user")
    agent = _said_by(event, "agent")
    return {"last": user[-1:], "user": user, "reply": agent[-1:], "agent": agent}


def _said_by(event: DialogueEvent, speaker: Speaker) -> list[str]:
    return [turn.text for turn in event.turns if turn.speaker == speaker]


def _screen_segments(lines: list[ScreenLine]) -> dict[str, Iterable[str]]:
    texts = [line.text for line in lines]
    return {
        "screen": texts,
        "screen.lines": texts,
        "screen.top": [line.text for line in lines if _middle(line) < _TOP],
        "screen.bottom": [line.text for line in lines if _middle(line) > _BOTTOM],
    }


def _middle(line: ScreenLine) -> float:
    """Vertical middle of a line, 0 at the top of the image and 1 at its bottom."""
    _, top, _, bottom = line.box
    return (top + bottom) / 2
