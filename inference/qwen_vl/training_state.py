"""Where a post-training run stands, on disk: what a killed run goes on from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inference.bundle import canonical_json
from inference.errors import TrainingRefused
from inference.inputs import TaskSpec, TrainingExample
from inference.qwen_vl.checkpoint import checkpoint_digest
from inference.qwen_vl.post_training_settings import PostTrainingSettings
from inference.qwen_vl.training_report import HeldOut, Step

STATE = "state.pt"
NOT_DECISIVE = ("checkpoint_every_steps",)


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """Everything that goes on changing.

    epoch, batch: the next batch to learn from.
    best: name → weight, at the step with the best held-out weighted F1.
    """

    epoch: int = 0
    batch: int = 0
    steps: list[Step] = field(default_factory=list)
    held_out: list[HeldOut] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)

    def best_at(self) -> int:
        """Which of the held-out figures is the best; the first of equals, −1 before any."""
        if not self.held_out:
            return -1
        f1 = [each.weighted_f1 for each in self.held_out]
        return f1.index(max(f1))

    def patience_ended(self, patience: int) -> bool:
        return len(self.held_out) - 1 - self.best_at() >= patience


def identity_of(
    base: Path,
    examples: Sequence[TrainingExample],
    task: TaskSpec,
    settings: PostTrainingSettings,
) -> dict[str, str]:
    """Digests of what decides a run, by part."""
    said = hashlib.sha256()
    for example in examples:
        said.update(_example_bytes(example))
    fields = {name: v for name, v in asdict(settings).items() if name not in NOT_DECISIVE}
    described = [list(task.labels), dict(task.descriptions)]
    return {
        "base checkpoint": checkpoint_digest(base),
        "examples": said.hexdigest(),
        "labels": hashlib.sha256(canonical_json([task.name, *described])).hexdigest(),
        "settings": hashlib.sha256(canonical_json(fields)).hexdigest(),
    }


def refuse_other(found: Mapping[str, str], identity: Mapping[str, str], where: Path) -> None:
    """Refuse to go on with what another run began.

    Raises:
        TrainingRefused: names the parts that differ.
    """
    other = [part for part, digest in identity.items() if found.get(part) != digest]
    if other:
        raise TrainingRefused(
            f"{where} is of a run with other {' and '.join(other)}; "
            "give what that run was given, or name a new folder"
        )


def save_state(
    folder: Path, state: TrainingState, *, identity: Mapping[str, str], tensors: Mapping[str, Any]
) -> None:
    """Write the state so that a kill at any moment leaves the old one or the new one.

    Args:
        folder: of the run.
        state: where it stands.
        identity: what decides the run.
        tensors: current weights, optimizer and random generators.
    """
    import torch

    content = {
        "identity": dict(identity),
        "epoch": state.epoch,
        "batch": state.batch,
        "steps": [asdict(each) for each in state.steps],
        "held_out": [asdict(each) for each in state.held_out],
        "best": state.best,
        "tensors": dict(tensors),
    }
    new = folder / f"{STATE}.new"
    with new.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / STATE)


def load_state(
    folder: Path, *, identity: Mapping[str, str]
) -> tuple[TrainingState, dict[str, Any]] | None:
    """Take a state back, with the tensors saved beside it; None where there is none.

    Raises:
        TrainingRefused: the state is of another run, or cannot be read.
    """
    import torch

    where = folder / STATE
    if not where.is_file():
        return None
    try:
        # Tensors and plain values only: a state is never allowed to bring code.
        content = torch.load(where, map_location="cpu", weights_only=True)
        state = TrainingState(
            epoch=content["epoch"],
            batch=content["batch"],
            steps=[Step(**each) for each in content["steps"]],
            held_out=[HeldOut(**each) for each in content["held_out"]],
            best=content["best"],
        )
        found, tensors = content["identity"], content["tensors"]
    except Exception as error:  # what unpickling raises has no common base
        raise TrainingRefused(
            f"{where} cannot be read ({type(error).__name__}); delete it to begin anew"
        ) from error
    refuse_other(found, identity, where)
    return state, tensors


def _example_bytes(example: TrainingExample) -> bytes:
    question = example.input
    screens = [
        {
            "size": [screen.width, screen.height],
            "lines": [[line.text, line.score, list(line.box)] for line in screen.lines],
            "pixels": None
            if screen.pixels is None
            else [
                list(screen.pixels.shape),
                hashlib.sha256(screen.pixels.tobytes()).hexdigest(),
            ],
        }
        for screen in question.screens
    ]
    fields = [example.example_id, example.dialogue_id, example.label]
    return canonical_json([*fields, question.task, dict(question.texts), screens])
