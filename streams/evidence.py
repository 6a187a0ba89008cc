"""DialogueEvent → Evidence, for the live path, mining and evaluation alike."""

from collections.abc import Iterable, Mapping

from inference.inputs import ScreenLine
from inference.reading import Reading
from rule_store import Evidence, fold
from streams.events import DialogueEvent, Question
from streams.questions import images_read_for

# Title bars and bottom bars of phone screenshots end within the outer fifth of the height.
_TOP = 0.2
_BOTTOM = 0.8


def evidence_for(
    question: Question, event: DialogueEvent, readings: Mapping[str, Reading]
) -> Evidence:
    """What rules may know of a question: what was said, and the screens it reads.

    Args:
        question: decides whose images count.
        event: the dialogue.
        readings: image id → what was read from it.
    """
    return with_screens(said_in(event), question, event, readings)


def said_in(event: DialogueEvent) -> Evidence:
    """The text channels of an event; they are always read, and the same for all its questions."""
    # Each turn is folded once: folding is what an outsider's text can make dear.
    turns = [(turn.speaker, fold(turn.text)) for turn in event.turns]
    user = [text for speaker, text in turns if speaker == "user"]
    agent = [text for speaker, text in turns if speaker == "agent"]
    return Evidence(
        texts={
            "last": _joined(user[-1:]),
            "user": _joined(user),
            "reply": _joined(agent[-1:]),
            "agent": _joined(agent),
        }
    )


def with_screens(
    said: Evidence, question: Question, event: DialogueEvent, readings: Mapping[str, Reading]
) -> Evidence:
    """Add the screen channels of a question to what was said.

    They are read when every image the question reads has a reading, which includes having no
    image; otherwise they are absent, that is unread.
    """
    images = images_read_for(question, event)
    if not all(image.image_id in readings for image in images):
        return said
    lines = [
        (_middle(line), fold(line.text))
        for image in images
        for line in readings[image.image_id].lines
    ]
    screen = _joined(text for _, text in lines)
    return Evidence(
        texts={
            **said.texts,
            "screen": screen,
            "screen.lines": screen,
            "screen.top": _joined(text for middle, text in lines if middle < _TOP),
            "screen.bottom": _joined(text for middle, text in lines if middle > _BOTTOM),
        }
    )


def _joined(folded: Iterable[str]) -> str:
    return "\n".join(filter(None, folded))


def _middle(line: ScreenLine) -> float:
    """Vertical middle of a line, 0 at the top of the image and 1 at its bottom."""
    _, top, _, bottom = line.box
    return (top + bottom) / 2
