"""Which examples are learnt from, and which only decide when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.errors import TrainingRefused
from inference.folds import fold
from inference.inputs import TaskSpec, TrainingExample
from inference.qwen_vl.post_training_settings import PostTrainingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A task's examples in two parts that share no dialogue."""

    learnt: tuple[TrainingExample, ...]
    held_out: tuple[TrainingExample, ...]


def split_examples(
    examples: Sequence[TrainingExample], task: TaskSpec, settings: PostTrainingSettings
) -> Split:
    """Hold out the dialogues of one fold.

    Raises:
        TrainingRefused: a label is not the task's, or a part is empty.
    """
    learnt: list[TrainingExample] = []
    held_out: list[TrainingExample] = []
    for example in examples:
        if example.label not in task.labels:
            raise TrainingRefused(
                f"example {example.example_id} has label {example.label!r}, which task "
                f"{task.name} does not; correct the example or add the label to the pack"
            )
        held = fold(example.dialogue_id, seed=settings.fold_seed, folds=settings.folds)
        (held_out if held == settings.held_out_fold else learnt).append(example)
    if not learnt or not held_out:
        raise TrainingRefused(
            f"task {task.name} has {len(learnt)} examples to learn from and {len(held_out)} held "
            f"out in fold {settings.held_out_fold}; add labelled dialogues of it, or hold out "
            "another fold"
        )
    return Split(learnt=tuple(learnt), held_out=tuple(held_out))
