"""One question as the model reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.qwen_vl.geometry import Grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedSample:
    """A prompt in tokens, with its images in patches.

    token_ids: `[S]` int64, no padding; an image's token stands once for each of its units.
    grids: of the images, in the order of their tokens.
    patches: `[ΣP, D]` float32, of all images one after the other; `[0, D]` without images.
    """

    token_ids: NDArray[np.int64]
    grids: tuple[Grid, ...]
    patches: NDArray[np.float32]
