"""Label descriptions as examples: what is written down about a label is learnt like a message."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.compact.observed import Knowledge, Observed, Observer
from inference.inputs import ModelInput, Screen, ScreenLine

PLACE = (0.0, 0.0, 1.0, 0.1)


def text_lessons(knowledge: Knowledge) -> tuple[Observed, ...]:
    """One question a label, in label order, whose customer says the label's name and meaning."""
    return tuple(
        Observer(knowledge).observe(ModelInput(task="", texts={"last": said, "user": said}))
        for said in knowledge.descriptions.values()
    )


def screen_lessons(knowledge: Knowledge) -> tuple[Observed, ...]:
    """One question a label, in label order, whose screen shows the label's name and meaning."""
    lessons = []
    for shown in knowledge.descriptions.values():
        lines = tuple(ScreenLine(text=line, score=1.0, box=PLACE) for line in shown.split("\n"))
        screen = Screen(width=1, height=2, lines=lines)
        counted = Observer(knowledge).observe(ModelInput(task="", texts={}, screens=(screen,)))
        lessons.append(Observed(counts=counted.counts, facts=None))  # it looks like nothing
    return tuple(lessons)


def balanced(labels: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """How much each example counts, so that every label with examples weighs the same.

    `labels` ends with one lesson of each label. The lesson of a label without examples counts
    as little as an example of the commonest label: nothing says yet that the label ever occurs.

    >>> balanced(np.array([0, 0, 0, 1, 0, 1, 2]), 3).tolist()
    [0.75, 0.75, 0.75, 1.5, 0.75, 1.5, 0.75]
    """
    sizes = np.bincount(labels, minlength=count)
    known = sizes > 1
    if not known.any():
        return np.ones(len(labels))
    weight = sizes[known].sum() / (known.sum() * sizes)
    weight[~known] = weight[known].min()
    return np.asarray(weight[labels], dtype=np.float64)


def with_lessons(
    examples: Sequence[Observed], labels: NDArray[np.int64], lessons: Sequence[Observed]
) -> tuple[list[Observed], NDArray[np.int64]]:
    """Examples and their labels, followed by one lesson of each label."""
    taught = np.concatenate([labels, np.arange(len(lessons), dtype=np.int64)])
    return [*examples, *lessons], taught
