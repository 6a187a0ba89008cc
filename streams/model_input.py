"""What the model sees of a question: folded texts, screen lines and pixels."""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.inputs import ModelInput, Screen
from rule_store import Evidence
from streams.events import DialogueEvent, Question
from streams.questions import images_read_for
from streams.screens import ReadImage

_TEXT_CHANNELS = ("last", "user", "reply", "agent")
# Layout and colour survive at this size, and a batch of screens stays small in memory.
_PIXELS_SIDE = 384


def model_input(
    question: Question,
    event: DialogueEvent,
    evidence: Evidence,
    screens: Mapping[str, ReadImage],
) -> ModelInput:
    """Translate a question for the model.

    Args:
        question: what is asked.
        event: the dialogue it is asked of.
        evidence: of the same question; its text channels are already folded.
        screens: image id → what was read; images left unread are left out.
    """
    read = [
        screens[image.image_id]
        for image in images_read_for(question, event)
        if image.image_id in screens
    ]
    return ModelInput(
        task=question.task,
        texts={channel: evidence.read(channel) or "" for channel in _TEXT_CHANNELS},
        screens=tuple(
            Screen(
                width=screen.image.width,
                height=screen.image.height,
                lines=screen.reading.lines,
                pixels=_pixels(screen.image.content),
            )
            for screen in read
        ),
    )


def _pixels(content: bytes) -> NDArray[np.uint8]:
    """`[h, w, 3]` RGB, the longer side at most `_PIXELS_SIDE`; the intake has checked the bytes."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (_PIXELS_SIDE, _PIXELS_SIDE))
        rgb = image.convert("RGB")
    rgb.thumbnail((_PIXELS_SIDE, _PIXELS_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(rgb, dtype=np.uint8)
