"""Encoded samples → the inputs of the two graphs, padded to one shape.

Letters in shapes: `B` questions, `S` tokens a question, `I` images, `P` patches an image,
`D` numbers a patch, `m²` patches a unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.qwen_vl.errors import UnusableSamples
from inference.qwen_vl.geometry import (
    Grid,
    Integers,
    VisionSpec,
    patch_positions,
    position_taps,
    rope_positions,
    windows,
)
from inference.qwen_vl.sample import EncodedSample

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The padded sizes of one run: `B`, `S`, `I` and `P`."""

    questions: int
    tokens: int
    images: int
    patches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """The sizes that runs are padded to, each ascending; a GPU has every one of them warm.

    patches: each divides by m², so that a unit is never cut.
    """

    questions: tuple[int, ...] = (1, 2, 4, 8)
    tokens: tuple[int, ...] = (64, 128, 256, 384, 512, 768, 1024, 1536, 2048)
    images: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24)
    patches: tuple[int, ...] = (64, 128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)

    def fit(self, shape: Shape) -> Shape:
        """The least bucket that holds a shape; no images stay no images.

        Raises:
            UnusableSamples: it is larger than every bucket.

        >>> Buckets().fit(Shape(questions=3, tokens=100, images=0, patches=0))
        Shape(questions=4, tokens=128, images=0, patches=0)
        """
        return Shape(
            questions=_fit("questions", shape.questions, self.questions),
            tokens=_fit("tokens", shape.tokens, self.tokens),
            images=_fit("images", shape.images, (0, *self.images)),
            patches=_fit("patches", shape.patches, (0, *self.patches)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """What the two graphs are run with.

    vision: None when no question has an image: the vision graph need not run.
    decoder: without the image embeddings, which the vision graph gives.
    questions: how many rows of the answer are questions; those behind are padding.
    """

    vision: Arrays | None
    decoder: Arrays
    questions: int


def least_shape(samples: Sequence[EncodedSample]) -> Shape:
    """The smallest shape that holds the samples."""
    patches = [grid.patches for sample in samples for grid in sample.grids]
    return Shape(
        questions=len(samples),
        tokens=max(len(sample.token_ids) for sample in samples),
        images=len(patches),
        patches=max(patches, default=0),
    )


def make_feeds(
    samples: Sequence[EncodedSample], spec: VisionSpec, shape: Shape | None = None
) -> Feeds:
    """Lay samples out for one run of both graphs.

    Args:
        samples: one a question, at least one.
        spec: of the checkpoint they were encoded for.
        shape: what to pad to; left out, the smallest that holds them.

    Raises:
        UnusableSamples: the samples do not fit the shape, or a sample is not what it says.
    """
    least = least_shape(samples)
    shape = shape or least
    if any(getattr(least, size) > getattr(shape, size) for size in Shape.__slots__):
        raise UnusableSamples(f"{least} does not fit {shape}; split the batch")
    if shape.patches % spec.merge**2:
        raise UnusableSamples(
            f"{shape} cuts a unit of {spec.merge**2} patches; pad to a multiple of it"
        )
    return Feeds(
        vision=_vision_feeds(samples, spec, shape) if least.images else None,
        decoder=_decoder_feeds(samples, spec, shape),
        questions=len(samples),
    )


def _fit(size: str, needed: int, ladder: Sequence[int]) -> int:
    for step in ladder:
        if step >= needed:
            return step
    raise UnusableSamples(
        f"{needed} {size} are more than the largest bucket of {ladder[-1]}; send less"
    )


def _vision_feeds(samples: Sequence[EncodedSample], spec: VisionSpec, shape: Shape) -> Arrays:
    """The vision graph's inputs: patches `[I, P, D]` and what the host knows of each of them."""
    images, patches = shape.images, shape.patches
    feeds: dict[str, NDArray[Any]] = {
        "patches": np.zeros((images, patches, spec.patch_values), np.float32),
        "patch_positions": np.zeros((images, patches, 2), np.int64),
        "patch_mask": np.zeros((images, patches), np.bool_),
    }
    # An image of padding alone would attend to nothing, which is NaN in half precision.
    feeds["patch_mask"][:, 0] = True
    if spec.window_units:
        feeds["windows"] = np.full((images, patches), -1, np.int64)
    if spec.grid_side:
        feeds["taps"] = np.zeros((images, patches, 4), np.int64)
        feeds["tap_weights"] = np.zeros((images, patches, 4), np.float32)
    for image, (grid, pixels) in enumerate(_images(samples, spec)):
        real = np.s_[image, : grid.patches]
        feeds["patches"][real] = pixels
        feeds["patch_positions"][real] = patch_positions(grid, spec)
        feeds["patch_mask"][real] = True
        if spec.window_units:
            feeds["windows"][real] = windows(grid, spec)
        if spec.grid_side:
            feeds["taps"][real], feeds["tap_weights"][real] = position_taps(grid, spec)
    return feeds


def _images(
    samples: Sequence[EncodedSample], spec: VisionSpec
) -> Iterator[tuple[Grid, NDArray[np.float32]]]:
    for sample in samples:
        needed = (sum(grid.patches for grid in sample.grids), spec.patch_values)
        if sample.patches.shape != needed:
            raise UnusableSamples(
                f"the sample has patches {sample.patches.shape}, its grids need {needed}; "
                "encode its images with this checkpoint"
            )
        at = 0
        for grid in sample.grids:
            yield grid, sample.patches[at : at + grid.patches]
            at += grid.patches


def _decoder_feeds(samples: Sequence[EncodedSample], spec: VisionSpec, shape: Shape) -> Arrays:
    """The decoder's inputs, padded behind each question, where the causal mask hides it.

    image_index: `[B, S]`; 0 is text, n the n-th embedding of the vision graph, padding counted.
    last_index: `[B]`; where each question's last token stands.
    """
    token_ids = np.zeros((shape.questions, shape.tokens), np.int64)
    positions = np.zeros((3, shape.questions, shape.tokens), np.int64)
    image_index = np.zeros_like(token_ids)
    last_index = np.zeros(shape.questions, np.int64)
    first_image = 0
    for row, sample in enumerate(samples):
        length = len(sample.token_ids)
        token_ids[row, :length] = sample.token_ids
        positions[:, row, :length] = rope_positions(sample.token_ids, sample.grids, spec)
        at_image = np.flatnonzero(sample.token_ids == spec.image_token_id)
        image_index[row, at_image] = _embeddings(sample.grids, first_image, spec, shape) + 1
        last_index[row] = length - 1
        first_image += len(sample.grids)
    return {
        "token_ids": token_ids,
        "positions": positions,
        "image_index": image_index,
        "last_index": last_index,
    }


def _embeddings(
    grids: Sequence[Grid], first_image: int, spec: VisionSpec, shape: Shape
) -> Integers:
    """The rows of the vision graph's answer that hold these images' units, in order."""
    units = shape.patches // spec.merge**2
    ranges = [
        (first_image + image) * units + np.arange(grid.patches // spec.merge**2)
        for image, grid in enumerate(grids)
    ]
    return np.concatenate([np.zeros(0, np.int64), *ranges])
