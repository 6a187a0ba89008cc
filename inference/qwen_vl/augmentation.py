"""Changes of a screenshot that leave what it shows as it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

CROP = 0.04
SHIFT = 0.03
BRIGHTNESS = 0.15


def augmented(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Crop margins, shift and brighten or darken an image, each by a little.

    Screens are read: text is never flipped, rotated or sheared, and no colour is exchanged for
    another.

    Args:
        pixels: `[h, w, 3]` RGB; not changed.
        random: drawn from in the same order whatever the image holds.

    Returns:
        `[h', w', 3]` with `h' > 0.9 h` and `w' > 0.9 w`.
    """
    return _brighter(_shifted(_cropped(pixels, random), random), random)


def _cropped(pixels: Pixels, random: np.random.Generator) -> Pixels:
    height, width, _ = pixels.shape
    sides = random.uniform(0.0, CROP, 4) * (height, height, width, width)
    top, bottom, left, right = sides.astype(int)
    return pixels[top : height - bottom, left : width - right]


def _shifted(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """What is shifted in at the edges is their last row or column."""
    height, width, _ = pixels.shape
    down, right = (random.uniform(-SHIFT, SHIFT, 2) * (height, width)).astype(int)
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    shifted: Pixels = pixels[rows[:, None], columns[None, :]]
    return shifted


def _brighter(pixels: Pixels, random: np.random.Generator) -> Pixels:
    factor = random.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS)
    changed: Pixels = np.clip(pixels * factor + 0.5, 0, 255).astype(np.uint8)
    return changed
