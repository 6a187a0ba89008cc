"""How a checkpoint is post-trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from inference.errors import TrainingRefused
from inference.qwen_vl.prompt import PromptSettings

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostTrainingSettings:
    """What decides the adapter, beside checkpoint and examples.

    rank, scaling: of LoRA: a layer's change is `scaling / rank · B A`.
    learning_rate: the highest; it climbs for the first `warm_up_share` of all steps and falls
        along half a cosine to 0.
    batch_size: examples a step; `micro_batch` of them are in memory at once.
    class_weighting: 0 weighs every example the same, 1 every label.
    augment: change the images a little each time they are seen.
    folds, held_out_fold, fold_seed: the dialogues that only decide when to stop.
    patience: epochs without a better held-out weighted F1 before it stops.
    checkpoint_every_steps: how much work a killed run may lose.
    device: `auto` takes the GPU if there is one; on a GPU it trains in bf16.
    """

    prompt: PromptSettings = field(default_factory=PromptSettings)
    rank: int = 8
    scaling: int = 16
    dropout: float = 0.0
    learning_rate: float = 2e-4
    warm_up_share: float = 0.05
    weight_decay: float = 0.01
    highest_gradient_norm: float = 1.0
    epochs: int = 6
    batch_size: int = 16
    micro_batch: int = 4
    class_weighting: float = 0.5
    augment: bool = True
    gradient_checkpointing: bool = True
    folds: int = 5
    held_out_fold: int = 0
    fold_seed: int = 0
    patience: int = 2
    seed: int = 0
    checkpoint_every_steps: int = 50
    device: Device = "auto"

    def __post_init__(self) -> None:
        counts = {
            "rank": self.rank,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "micro_batch": self.micro_batch,
            "patience": self.patience,
            "checkpoint_every_steps": self.checkpoint_every_steps,
        }
        for name, count in counts.items():
            if count < 1:
                raise TrainingRefused(f"{name} is {count}; give 1 or more")
        if not 0 <= self.held_out_fold < self.folds:
            raise TrainingRefused(
                f"held_out_fold is {self.held_out_fold} of {self.folds} folds; "
                f"give 0 to {self.folds - 1}"
            )
