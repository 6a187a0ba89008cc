"""Trains the compact bundle: one linear model a task, from nothing, in a minute on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import (
    OUT_OF_FOLD,
    TASK_NAME,
    Bundle,
    BundleTask,
    canonical_json,
    write_bundle,
)
from inference.calibration import calibrate, ece, fit_temperature, log_loss
from inference.compact.features import FeatureSpace, to_json
from inference.compact.fitting import Linear, fit_linear, sparse_rows, to_onnx
from inference.compact.lessons import balanced, screen_lessons, text_lessons, with_lessons
from inference.compact.observed import Knowledge, Observed, Observer
from inference.compact.profiles import PROFILES, Profile, applicable
from inference.errors import TrainingRefused
from inference.folds import fold
from inference.inputs import TaskSpec, TrainingExample

RECIPE = "compact"
FOLDS = 5
LEAST_EXAMPLES = 2

Floats = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A task with its examples, counted once for all folds."""

    spec: TaskSpec
    knowledge: Knowledge
    ids: tuple[str, ...]
    observed: tuple[Observed, ...]
    labels: NDArray[np.int64]
    folds: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldOut:
    """How a profile does on examples it did not learn from; logits `[N, C]`."""

    profile: Profile
    logits: Floats
    temperature: float
    loss: float


def train(
    tasks: Sequence[TaskSpec],
    examples: Sequence[TrainingExample],
    concepts: Mapping[str, Sequence[str]],
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Bundle:
    """Train one model a task and write them as a bundle.

    Each task tries the profiles its examples have evidence for, keeps the one with the least
    held-out log-loss, fits the temperature on the same held-out logits, and learns once more
    from all examples.

    Args:
        tasks: what the bundle must answer, in the domain's order.
        examples: of all tasks; each task needs two or more.
        concepts: the lexicon: concept → phrases.
        out: the folder to write; an older bundle there is replaced.
        seed: of the folds.
        progress: told a sentence at each step.

    Raises:
        TrainingRefused: an example names a task or label that is not there, or a task has too few.
        MissingExtra: scikit-learn or skl2onnx is not installed.
    """
    say = progress or _silent
    _refuse_unusable(tasks, examples)
    files: dict[str, bytes] = {}
    rows: list[bytes] = []
    entries: dict[str, BundleTask] = {}
    figures: dict[str, object] = {}
    for spec in tasks:
        chosen = [example for example in examples if example.input.task == spec.name]
        say(f"{spec.name}: counting the features of {len(chosen)} examples")
        task = _count(spec, chosen, concepts, seed)
        best = _best_profile(task, say)
        say(f"{spec.name}: learning from all examples")
        entries[spec.name], written = _learn(task, best)
        files |= written
        rows += _out_of_fold_rows(task, best)
        figures[spec.name] = _figures(task, best)
        say(f"{spec.name}: {figures[spec.name]}")
    files[OUT_OF_FOLD] = b"".join(rows)
    facts = {"seed": seed, "folds": FOLDS, "held_out": figures}
    return write_bundle(out, recipe=RECIPE, tasks=entries, files=files, facts=facts)


def _learn(task: _Task, best: _HeldOut) -> tuple[BundleTask, dict[str, bytes]]:
    """The task's entry in the manifest and its files, learnt from all its examples."""
    name = task.spec.name
    space, model = _fit(task, best.profile, np.arange(len(task.ids)))
    entry = BundleTask(
        labels=task.spec.labels,
        graph=f"{name}.onnx",
        features=f"{name}.features.json",
        temperature=best.temperature,
    )
    return entry, {
        entry.graph: to_onnx(model, f"kdsl-{name}"),
        entry.features: to_json(space, task.knowledge),
    }


def _fit(task: _Task, profile: Profile, chosen: NDArray[np.int64]) -> tuple[FeatureSpace, Linear]:
    """Learn from the chosen examples and from what is written about the labels."""
    lessons = (screen_lessons if profile.taught_by == "screen" else text_lessons)(task.knowledge)
    examples = [task.observed[at] for at in chosen]
    observed, labels = with_lessons(examples, task.labels[chosen], lessons)
    space = FeatureSpace.fit(observed, profile.weights, labels if profile.informed else None)
    count = len(task.spec.labels)
    model = fit_linear(
        sparse_rows(space, observed),
        labels,
        balanced(labels, count),
        count=count,
        strength=profile.strength,
    )
    return space, model


def _refuse_unusable(tasks: Sequence[TaskSpec], examples: Sequence[TrainingExample]) -> None:
    labels = {spec.name: frozenset(spec.labels) for spec in tasks}
    if not labels or len(labels) != len(tasks):
        raise TrainingRefused("name each task once, and at least one")
    for name in labels:
        if not TASK_NAME.fullmatch(name):
            raise TrainingRefused(f"task {name!r} must be letters, digits, '-' and '_'")
    for example in examples:
        known = labels.get(example.input.task)
        if known is None:
            raise TrainingRefused(
                f"example {example.example_id} is of task {example.input.task!r}, "
                f"the domain has {', '.join(labels)}; correct the example"
            )
        if example.label not in known:
            raise TrainingRefused(
                f"example {example.example_id} has label {example.label!r}, which task "
                f"{example.input.task} does not; correct the example or add the label to the pack"
            )
    for name in labels:
        count = sum(example.input.task == name for example in examples)
        if count < LEAST_EXAMPLES:
            raise TrainingRefused(
                f"task {name} has {count} examples; add labelled dialogues of it, "
                "or train for a domain pack without the task"
            )


def _count(
    spec: TaskSpec,
    examples: Sequence[TrainingExample],
    concepts: Mapping[str, Sequence[str]],
    seed: int,
) -> _Task:
    knowledge = Knowledge.of(spec, concepts)
    observer = Observer(knowledge)
    index = {label: at for at, label in enumerate(spec.labels)}
    ids = tuple(example.example_id for example in examples)
    return _Task(
        spec=spec,
        knowledge=knowledge,
        ids=ids,
        observed=tuple(observer.observe(example.input) for example in examples),
        labels=np.array([index[example.label] for example in examples], dtype=np.int64),
        folds=np.array(
            [fold(each.dialogue_id, seed=seed, folds=FOLDS) for each in examples], dtype=np.int64
        ),
    )


def _best_profile(task: _Task, say: Progress) -> _HeldOut:
    """The profile with the least held-out log-loss; the earlier one of equals."""
    tried = []
    for profile in applicable(PROFILES, task.observed):
        say(f"{task.spec.name}: profile {profile.name} on {FOLDS} folds")
        logits = _held_out_logits(task, profile)
        temperature = fit_temperature(logits, task.labels)
        loss = log_loss(logits, task.labels, temperature)
        tried.append(_HeldOut(profile=profile, logits=logits, temperature=temperature, loss=loss))
    return min(tried, key=lambda held_out: held_out.loss)


def _held_out_logits(task: _Task, profile: Profile) -> Floats:
    """`[N, C]`: each example scored by a model that did not learn from its fold."""
    logits = np.zeros((len(task.ids), len(task.spec.labels)))
    for held in range(FOLDS):
        out, rest = np.flatnonzero(task.folds == held), np.flatnonzero(task.folds != held)
        if len(out) == 0:
            continue
        space, model = _fit(task, profile, rest)
        logits[out] = model.logits(sparse_rows(space, [task.observed[at] for at in out]))
    return logits


def _out_of_fold_rows(task: _Task, best: _HeldOut) -> list[bytes]:
    probabilities = calibrate(best.logits, best.temperature)
    return [
        canonical_json(
            {
                "example_id": example_id,
                "task": task.spec.name,
                "fold": int(held),
                "probabilities": [round(float(p), 8) for p in row],
            }
        )
        + b"\n"
        for example_id, held, row in zip(task.ids, task.folds, probabilities, strict=True)
    ]


def _figures(task: _Task, best: _HeldOut) -> dict[str, object]:
    probabilities = calibrate(best.logits, best.temperature)
    right = probabilities.argmax(axis=1) == task.labels
    return {
        "profile": best.profile.name,
        "examples": len(task.ids),
        "accuracy": round(float(right.mean()), 4),
        "log_loss": round(best.loss, 4),
        "ece": round(ece(probabilities, task.labels), 4),
    }


def _silent(_: str) -> None:
    return None
