"""What the model sees of a question: folded texts, screen lines and pixels."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

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
    shown = tuple(map(_screen, _read_for(question, event, screens)))
    return ModelInput(task=question.task, texts=_texts(evidence), screens=shown)


def model_input_on_demand(
    question: Question,
    event: DialogueEvent,
    evidence: Evidence,
    screens: Mapping[str, ReadImage],
) -> ModelInput:
    """Translate a question for a model that may ask it much later, or never.

    It takes what `model_input` takes, and holds the images as they are encoded, a tenth of their
    pixels, until its screens are looked at.
    """
    shown = _ScreensOnDemand(read=_read_for(question, event, screens))
    return ModelInput(task=question.task, texts=_texts(evidence), screens=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScreensOnDemand(Sequence[Screen]):
    """Screens that are decoded whenever they are looked at, and not kept."""

    read: tuple[ReadImage, ...]

    def __len__(self) -> int:
        return len(self.read)

    @overload
    def __getitem__(self, at: int) -> Screen: ...
    @overload
    def __getitem__(self, at: slice) -> "_ScreensOnDemand": ...
    def __getitem__(self, at: int | slice) -> "Screen | _ScreensOnDemand":
        if isinstance(at, slice):
            return _ScreensOnDemand(read=self.read[at])
        return _screen(self.read[at])


def _read_for(
    question: Question, event: DialogueEvent, screens: Mapping[str, ReadImage]
) -> tuple[ReadImage, ...]:
    return tuple(
        screens[image.image_id]
        for image in images_read_for(question, event)
        if image.image_id in screens
    )


def _texts(evidence: Evidence) -> dict[str, str]:
    return {channel: evidence.read(channel) or "" for channel in _TEXT_CHANNELS}


def _screen(read: ReadImage) -> Screen:
    return Screen(
        width=read.image.width,
        height=read.image.height,
        lines=read.reading.lines,
        pixels=_pixels(read.image.content),
    )


def _pixels(content: bytes) -> NDArray[np.uint8]:
    """`[h, w, 3]` RGB, the longer side at most `_PIXELS_SIDE`; the intake has checked the bytes."""
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (_PIXELS_SIDE, _PIXELS_SIDE))
        rgb = image.convert("RGB")
    rgb.thumbnail((_PIXELS_SIDE, _PIXELS_SIDE), Image.Resampling.BILINEAR)
    return np.asarray(rgb, dtype=np.uint8)
