"""DialogueEvent → Evidence, for the live path, mining and evaluation alike."""

from collections.abc import Iterable, Mapping

from inference.inputs import ScreenLine
from rule_store import Evidence, Fact, fold
from streams.events import DialogueEvent, Question
from streams.questions import images_read_for
from streams.screen_facts import height_by_width, tallest_text
from streams.screens import ReadImage

# Title bars and bottom bars of phone screenshots end within the outer fifth of the height.
_TOP = 0.2
_BOTTOM = 0.8


def evidence_for(
    question: Question, event: DialogueEvent, screens: Mapping[str, ReadImage]
) -> Evidence:
    """What rules may know of a question: what was said, and the screens it reads.

    Args:
        question: decides whose images count.
        event: the dialogue.
        screens: image id → what was read; images left unread are left out.
    """
    return with_screens(said_in(event), question, event, screens)


def said_in(event: DialogueEvent) -> Evidence:
    """What was said in an event; it is always read, and the same for all its questions."""
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
        },
        facts={"turns": len(user)},
    )


def with_screens(
    said: Evidence, question: Question, event: DialogueEvent, screens: Mapping[str, ReadImage]
) -> Evidence:
    """Add the images of a question to what was said: how many, and what is on them.

    The screen channels and the facts of screens are read when every image the question reads was
    read, which includes having no image; otherwise they are absent, that is unread.
    """
    images = images_read_for(question, event)
    facts = {**said.facts, "images": len(images)}
    if not all(image.image_id in screens for image in images):
        return Evidence(texts=said.texts, facts=facts)
    read = [screens[image.image_id] for image in images]
    lines = [(_middle(line), fold(line.text)) for each in read for line in each.reading.lines]
    screen = _joined(text for _, text in lines)
    return Evidence(
        texts={
            **said.texts,
            "screen": screen,
            "screen.lines": screen,
            "screen.top": _joined(text for middle, text in lines if middle < _TOP),
            "screen.bottom": _joined(text for middle, text in lines if middle > _BOTTOM),
        },
        facts={
            **facts,
            "screen.line_count": sum(bool(text) for _, text in lines),
            **_shape(read[-1] if read else None),
        },
    )


def _shape(latest: ReadImage | None) -> dict[Fact, float]:
    """What is measured of one screen; of none everything is 0."""
    if latest is None:
        white, upright, tallest = 0.0, 0.0, 0.0
    else:
        white = latest.white_share
        upright = height_by_width(latest.image.width, latest.image.height)
        tallest = tallest_text(latest.reading.lines)
    return {
        "screen.white_share": white,
        "screen.height_by_width": upright,
        "screen.tallest_text": tallest,
    }


def _joined(folded: Iterable[str]) -> str:
    return "\n".join(filter(None, folded))


def _middle(line: ScreenLine) -> float:
    """Vertical middle of a line, 0 at the top of the image and 1 at its bottom."""
    _, top, _, bottom = line.box
    return (top + bottom) / 2
