"""What a post-training run did: its settings, its curves, its held-out figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from inference.bundle import canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of the weights; `loss` is the weighted mean over its examples."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How the adapter did after `step` steps on the examples it does not learn from."""

    step: int
    weighted_f1: float
    accuracy: float
    log_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """A finished run; the same inputs give the same report.

    identity: what decided the run, by part: digests of checkpoint, examples and settings.
    examples, held_out_examples: how many it learnt from, and how many decided when to stop.
    stopped_early: whether patience ended before the epochs did.
    best_step: after which the weights were kept.
    temperature: fitted on the held-out logits of the kept weights; `ece` is with it.
    """

    task: str
    labels: tuple[str, ...]
    identity: Mapping[str, str]
    settings: Mapping[str, object]
    examples: int
    held_out_examples: int
    trained_weights: int
    steps: tuple[Step, ...]
    held_out: tuple[HeldOut, ...]
    stopped_early: bool
    best_step: int
    weighted_f1: float
    temperature: float
    ece: float

    def to_json(self) -> bytes:
        """As JSON; `from_json` takes it back."""
        return canonical_json(asdict(self)) + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> TrainingReport:
        """Take a report back.

        Raises:
            ValueError: the content is something else.
        """
        try:
            fields = json.loads(content)
            fields["labels"] = tuple(fields["labels"])
            fields["steps"] = tuple(Step(**each) for each in fields["steps"])
            fields["held_out"] = tuple(HeldOut(**each) for each in fields["held_out"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            msg = f"not a training report: {error!r}"
            raise ValueError(msg) from error


def weighted_f1(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """F1 of each label, weighed by its share of the examples.

    Args:
        predicted: `[N]` label indices.
        labels: `[N]` the right ones.

    >>> round(weighted_f1(np.array([0, 1, 1]), np.array([0, 0, 1])), 4)
    0.6667
    """
    count = 1 + max(predicted.max(initial=0), labels.max(initial=0))
    sizes = np.bincount(labels, minlength=count)
    said = np.bincount(predicted, minlength=count)
    hits = np.bincount(labels[predicted == labels], minlength=count)
    f1 = 2 * hits / np.maximum(sizes + said, 1)
    return float((f1 * sizes).sum() / max(1, len(labels)))
