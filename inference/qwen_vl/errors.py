"""What can go wrong between a Qwen-VL checkpoint and its graphs.

InferenceError
├── UnusableCheckpoint     the checkpoint is of another family, or does what no graph of ours does
├── UnusableSamples        the encoded samples are not of this checkpoint, or too few kinds of them
└── InvalidBundle
    └── ParityBroken       the graphs do not answer as the checkpoint does; never served
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import InferenceError, InvalidBundle

if TYPE_CHECKING:
    from inference.qwen_vl.parity import Parity, Tolerance


class UnusableCheckpoint(InferenceError):
    """The checkpoint cannot become two graphs; the message says which can."""


class UnusableSamples(InferenceError):
    """The encoded samples cannot be fed to the graphs as they are."""


class ParityBroken(InvalidBundle):
    """The graphs do not answer as the checkpoint does."""

    def __init__(self, path: Path, parity: Parity, tolerance: Tolerance) -> None:
        super().__init__(
            path,
            f"answers {parity.questions} questions unlike torch: logits by up to "
            f"{parity.logit_difference:.2e} (allowed {tolerance.logit:.0e}), probabilities by "
            f"{parity.probability_difference:.2e} (allowed {tolerance.probability:.0e}), "
            f"{parity.other_labels} other labels",
            cure="export with the pinned versions of the extra mllm, or state a wider tolerance",
        )
        self.parity = parity
        self.tolerance = tolerance
