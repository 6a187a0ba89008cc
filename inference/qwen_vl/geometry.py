"""Where tokens and patches stand: every integer of the two graphs, computed on the host.

Letters in shapes: `S` tokens of a question, `P` patches of an image, `m` patches along the side of
a unit (what the vision graph merges into one token), `U = P / m²` units of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inference.qwen_vl.errors import UnusableCheckpoint, UnusableSamples

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]
Family = Literal["qwen2_vl", "qwen2_5_vl", "qwen3_vl"]

FAMILIES: tuple[str, ...] = get_args(Family)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """An image in patches, rows by columns."""

    rows: int
    columns: int

    @property
    def patches(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSpec:
    """What the host must know of a checkpoint to feed its two graphs.

    image_token_id: the token that stands once for every unit of an image.
    merge: `m`.
    patch_values: numbers in one flattened patch: channels x frames x side x side.
    hidden: width of an image embedding.
    window_units: side of an attention window in units; 0 where every block sees the whole image.
    whole_blocks: with windows, the blocks that see the whole image all the same.
    grid_side: side of the learnt position table, interpolated by taps; 0 where there is none.
    deepstack_blocks: the blocks whose output also goes into the decoder, in ascending order.
    """

    family: Family
    image_token_id: int
    merge: int
    patch_values: int
    hidden: int
    window_units: int = 0
    whole_blocks: tuple[int, ...] = ()
    grid_side: int = 0
    deepstack_blocks: tuple[int, ...] = ()


def vision_spec(config: Any) -> VisionSpec:
    """Read the spec off a checkpoint's transformers configuration.

    Raises:
        UnusableCheckpoint: it is of another family, or does what no graph of ours does.
    """
    if config.model_type not in FAMILIES:
        raise UnusableCheckpoint(
            f"the checkpoint is a {config.model_type!r}; use one of {', '.join(FAMILIES)}"
        )
    vision, text = config.vision_config, config.text_config
    if getattr(text, "use_sliding_window", False):
        raise UnusableCheckpoint("its decoder's attention slides; use a checkpoint whose does not")
    channels = getattr(vision, "in_channels", 3)
    positions = getattr(vision, "num_position_embeddings", 0)
    window_px = getattr(vision, "window_size", 0)
    return VisionSpec(
        family=config.model_type,
        image_token_id=config.image_token_id,
        merge=vision.spatial_merge_size,
        patch_values=channels * vision.temporal_patch_size * vision.patch_size**2,
        hidden=text.hidden_size,
        window_units=window_px // vision.spatial_merge_size // vision.patch_size,
        whole_blocks=tuple(getattr(vision, "fullatt_block_indexes", ())),
        grid_side=int(positions**0.5),
        deepstack_blocks=tuple(sorted(getattr(vision, "deepstack_visual_indexes", ()))),
    )


def spec_from_json(fields: Mapping[str, Any]) -> VisionSpec:
    """The spec again, of the fields that `dataclasses.asdict` gave and JSON carried.

    Raises:
        ValueError: a field is missing, unknown or not of its kind.
    """
    if fields.get("family") not in FAMILIES:
        raise ValueError(f"family {fields.get('family')!r} is not one of {', '.join(FAMILIES)}")
    lists = {"whole_blocks", "deepstack_blocks"}
    try:
        values: dict[str, Any] = {
            name: tuple(v) if name in lists else v for name, v in fields.items()
        }
        spec = VisionSpec(**values)
    except TypeError as error:
        raise ValueError(f"not the fields of a vision spec ({error})") from error
    numbers = [n for name in values if name != "family" for n in np.ravel(values[name]).tolist()]
    if not all(type(number) is int for number in numbers):
        raise ValueError(f"a vision spec holds whole numbers, not {numbers}")
    return spec


def rope_positions(token_ids: Integers, grids: Sequence[Grid], spec: VisionSpec) -> Integers:
    """Each token's place in time, height and width (M-RoPE).

    Text counts on in all three; the tokens of an image share one time and spread over its rows and
    columns; the text behind goes on after the larger of the two.

    Args:
        token_ids: `[S]`, without padding.
        grids: of the images, in the order of their tokens.
        spec: tells image tokens from text, and patches a unit.

    Returns:
        `[3, S]`.

    Raises:
        UnusableSamples: the image tokens are not those of the grids.

    Source: Wang et al. 2024, "Qwen2-VL", section 2.1.

    >>> spec = VisionSpec(
    ...     family="qwen2_vl", image_token_id=9, merge=2, patch_values=1176, hidden=64
    ... )
    >>> rope_positions(np.array([5, 9, 9, 6]), [Grid(rows=2, columns=4)], spec).tolist()
    [[0, 1, 1, 3], [0, 1, 1, 3], [0, 1, 2, 3]]
    """
    check_image_tokens(token_ids, grids, spec)
    steps = np.ones((3, len(token_ids)), np.int64)
    positions = np.empty((3, len(token_ids)), np.int64)
    image_tokens = np.flatnonzero(token_ids == spec.image_token_id)
    at, here, used = 0, 0, 0
    for grid in grids:
        rows, columns = grid.rows // spec.merge, grid.columns // spec.merge
        start = int(image_tokens[used])
        positions[:, at:start] = here + np.cumsum(steps[:, at:start], axis=1) - 1
        here += start - at
        at, used = start + rows * columns, used + rows * columns
        positions[:, start:at] = here
        positions[1, start:at] += np.repeat(np.arange(rows), columns)
        positions[2, start:at] += np.tile(np.arange(columns), rows)
        here += max(rows, columns)
    positions[:, at:] = here + np.arange(len(token_ids) - at)
    return positions


def check_image_tokens(token_ids: Integers, grids: Sequence[Grid], spec: VisionSpec) -> None:
    """Refuse a question whose image tokens are not as many as its images' units.

    Raises:
        UnusableSamples: says both numbers.
    """
    ragged = [grid for grid in grids if grid.rows % spec.merge or grid.columns % spec.merge]
    if ragged:
        problem = f"{ragged[0]} does not divide by {spec.merge}; encode the image again"
        raise UnusableSamples(problem)
    found = int((token_ids == spec.image_token_id).sum())
    needed = sum(grid.patches for grid in grids) // spec.merge**2
    if found != needed:
        raise UnusableSamples(
            f"the question has {found} image tokens, its images need {needed}; "
            "encode its text without special tokens and its images with this checkpoint"
        )


def patch_positions(grid: Grid, spec: VisionSpec) -> Integers:
    """Row and column of each patch, unit by unit as the encoder lays them out.

    Returns:
        `[P, 2]`.
    """
    rows, columns = np.indices((grid.rows, grid.columns))
    return by_unit(np.stack([rows, columns], axis=-1), spec)


def windows(grid: Grid, spec: VisionSpec) -> Integers:
    """The attention window of each patch, numbered row by row.

    Attention does not mind the order of its tokens: with every patch's window known, the
    permutation of Qwen2.5-VL into windows and back is not needed.

    Returns:
        `[P]`.

    Source: Bai et al. 2025, "Qwen2.5-VL", section 2.1.1.
    """
    unit = patch_positions(grid, spec) // spec.merge // spec.window_units
    across = -(-grid.columns // (spec.merge * spec.window_units))
    numbers: Integers = unit[:, 0] * across + unit[:, 1]
    return numbers


def position_taps(grid: Grid, spec: VisionSpec) -> tuple[Integers, Floats]:
    """How each patch reads the learnt position table: bilinearly, from its four neighbours.

    Returns:
        `[P, 4]` rows of the table and `[P, 4]` their weights, which sum to 1.

    Source: the Qwen3-VL model code; align-corners interpolation of a square table.
    """
    last = spec.grid_side - 1
    row = np.linspace(0, last, grid.rows, dtype=np.float32)[:, None]
    column = np.linspace(0, last, grid.columns, dtype=np.float32)[None, :]
    upper, left = row.astype(np.int64), column.astype(np.int64)
    lower, right = np.minimum(upper + 1, last), np.minimum(left + 1, last)
    down, over = row - upper, column - left
    corners = ((upper, left), (upper, right), (lower, left), (lower, right))
    shares = ((1 - down, 1 - over), (1 - down, over), (down, 1 - over), (down, over))
    taps = np.stack([y * spec.grid_side + x for y, x in corners], axis=-1)
    weights = np.stack([y * x for y, x in shares], axis=-1)
    return by_unit(taps, spec), by_unit(weights.astype(np.float32), spec)


def by_unit(values: NDArray[Any], spec: VisionSpec) -> NDArray[Any]:
    """`[rows, columns, n]` of an image's patches → `[P, n]`, the m² patches of a unit together."""
    rows, columns, width = values.shape
    m = spec.merge
    units = values.reshape(rows // m, m, columns // m, m, width).swapaxes(1, 2)
    return units.reshape(rows * columns, width)
