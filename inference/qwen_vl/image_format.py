"""How a checkpoint wants its images: pixels → flattened patches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.qwen_vl.checkpoint import unusable
from inference.qwen_vl.geometry import Grid

IMAGE_FORMAT = "preprocessor_config.json"

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFormat:
    """How a checkpoint wants its images.

    frames: how often the one picture is repeated in a patch, as if it were a film.
    mean, deviation: `[3]` of the channels, of values 0..1.
    """

    patch_px: int
    merge: int
    frames: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def unit_px(self) -> int:
        return self.patch_px * self.merge

    @property
    def patch_values(self) -> int:
        return 3 * self.frames * self.patch_px**2


def image_format(content: bytes, where: Path) -> ImageFormat:
    """The image format that a `preprocessor_config.json` states.

    Args:
        content: of the file.
        where: it was read from, for the error.

    Raises:
        UnusableCheckpoint: it states none.
    """
    try:
        fields = json.loads(content)
        return ImageFormat(
            patch_px=int(fields["patch_size"]),
            merge=int(fields["merge_size"]),
            frames=int(fields["temporal_patch_size"]),
            mean=tuple(map(float, fields["image_mean"])),
            deviation=tuple(map(float, fields["image_std"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise unusable(where, f"states no image format ({error!r})") from error


def patches_of(pixels: Pixels, grid: Grid, images: ImageFormat) -> Floats:
    """An image in flattened patches, those of a unit one after the other.

    Args:
        pixels: `[h, w, 3]` RGB of any size; resized to the grid.
        grid: in patches.
        images: the checkpoint's format.

    Returns:
        `[P, 3 · frames · side²]` float32.

    Source: Wang et al. 2024, "Qwen2-VL", and the image processor published with it.
    """
    side, merge = images.patch_px, images.merge
    size = (grid.columns * side, grid.rows * side)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    resized = picture.resize(size, Image.Resampling.BICUBIC)
    scaled = np.asarray(resized, dtype=np.float32) / 255
    mean, deviation = np.array(images.mean, np.float32), np.array(images.deviation, np.float32)
    values = ((scaled - mean) / deviation).transpose(2, 0, 1)
    rows, columns = grid.rows // merge, grid.columns // merge
    apart = values.reshape(3, rows, merge, side, columns, merge, side)
    ordered = apart.transpose(1, 4, 2, 5, 0, 3, 6).reshape(grid.patches, 3, 1, side, side)
    filmed = np.repeat(ordered, images.frames, axis=2)
    return filmed.reshape(grid.patches, images.patch_values).astype(np.float32)
