"""What a model is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 relative to the image, each 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenLine:
    """One text line of an image, as read (not folded).

    score: the reader's confidence, 0..1.
    """

    text: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One image as far as a model looks at it.

    width, height: of the image the lines were read from, in pixels.
    pixels: `[h, w, 3]` RGB, of any size with the same aspect; None when only the text is known.
    """

    width: int
    height: int
    lines: tuple[ScreenLine, ...]
    pixels: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """One question to the model.

    texts: folded text by channel (`last`, `user`, `reply`, `agent`), segments joined by newlines.
    screens: for `scene` the one image asked about, for `intent` those of all user turns; may be
        decoded anew whenever they are looked at.
    """

    task: str
    texts: Mapping[str, str]
    screens: Sequence[Screen] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScores:
    """Calibrated probabilities of a task's labels, in the bundle's label order; they sum to 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]

    def best(self, count: int = 1) -> tuple[tuple[str, float], ...]:
        """The likeliest labels, best first; equal ones keep the label order.

        >>> LabelScores(labels=("a", "b", "c"), probabilities=(0.2, 0.5, 0.3)).best(2)
        (('b', 0.5), ('c', 0.3))
        """
        pairs = zip(self.labels, self.probabilities, strict=True)
        return tuple(sorted(pairs, key=lambda pair: -pair[1])[:count])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExample:
    """A question with its right answer.

    dialogue_id: what it is held out with: examples of one dialogue repeat each other. Left out,
        the example id.
    """

    example_id: str
    input: ModelInput
    label: str
    dialogue_id: str = ""

    def __post_init__(self) -> None:
        if not self.dialogue_id:
            object.__setattr__(self, "dialogue_id", self.example_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """What a model of one task must answer.

    descriptions: label → what it means, in the domain's language; labels without one are allowed.
    """

    name: str
    labels: tuple[str, ...]
    descriptions: Mapping[str, str] = field(default_factory=dict)
