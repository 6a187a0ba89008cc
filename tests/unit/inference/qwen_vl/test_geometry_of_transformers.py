"""The host's integers are those that transformers computes on the way."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.qwen_vl.geometry import (
    Family,
    Grid,
    VisionSpec,
    patch_positions,
    position_taps,
    rope_positions,
    vision_spec,
    windows,
)
from inference.qwen_vl.sample import EncodedSample
from tests.tiny_qwen import NEEDS_TORCH, make_model, random_sample

pytestmark = NEEDS_TORCH

Checkpoint = tuple[Any, VisionSpec]

sides = st.integers(1, 24).map(lambda units: 2 * units)
grids = st.builds(Grid, rows=sides, columns=sides)
questions = st.tuples(
    st.lists(grids, max_size=3).map(tuple), st.integers(1, 9), st.integers(0, 2**31)
)
quick = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module", params=get_args(Family))
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    model = make_model(request.param, hidden=32, layers=2)
    return model, vision_spec(model.config)


@pytest.fixture(scope="module")
def windowed() -> Checkpoint:
    model = make_model("qwen2_5_vl", hidden=32, layers=2)
    return model, vision_spec(model.config)


@pytest.fixture(scope="module")
def tapped() -> Checkpoint:
    model = make_model("qwen3_vl", hidden=32, layers=2)
    return model, vision_spec(model.config)


@quick
@given(batch=st.lists(questions, min_size=1, max_size=4), behind=st.booleans())
def test_rope_positions_are_those_of_get_rope_index(
    checkpoint: Checkpoint, batch: list[tuple[tuple[Grid, ...], int, int]], behind: bool
) -> None:
    import torch

    model, spec = checkpoint
    samples = [random_sample(spec, shown, texts=t, seed=seed) for shown, t, seed in batch]
    token_ids, mask = _padded(samples, behind=behind)
    seen = [(1, grid.rows, grid.columns) for sample in samples for grid in sample.grids]
    positions, _ = model.model.get_rope_index(
        torch.from_numpy(token_ids),
        image_grid_thw=torch.tensor(seen) if seen else None,
        attention_mask=torch.from_numpy(mask),
    )
    for row, sample in enumerate(samples):
        own = rope_positions(sample.token_ids, sample.grids, spec)
        np.testing.assert_array_equal(positions[:, row, mask[row] == 1].numpy(), own)


@quick
@given(grid=grids)
def test_patches_turn_by_the_angles_of_rot_pos_emb(checkpoint: Checkpoint, grid: Grid) -> None:
    model, spec = checkpoint
    visual = model.model.visual
    frequencies = visual.rotary_pos_emb.inv_freq.numpy()
    own = (patch_positions(grid, spec)[..., None] * frequencies).reshape(grid.patches, -1)
    np.testing.assert_allclose(visual.rot_pos_emb(_thw(grid)).numpy(), own, rtol=1e-6)


@quick
@given(grid=grids)
def test_windows_hold_the_units_that_get_window_index_puts_together(
    windowed: Checkpoint, grid: Grid
) -> None:
    model, spec = windowed
    index, ends = model.model.visual.get_window_index(_thw(grid))
    of_units = windows(grid, spec)[:: spec.merge**2]
    np.testing.assert_array_equal(np.argsort(of_units, kind="stable"), index.numpy())
    own_ends = np.cumsum(np.unique(of_units, return_counts=True)[1]) * spec.merge**2
    assert own_ends.tolist() == sorted(set(ends) - {0})


@quick
@given(grid=grids)
def test_taps_read_what_fast_pos_embed_interpolate_reads(tapped: Checkpoint, grid: Grid) -> None:
    model, spec = tapped
    visual = model.model.visual
    taps, weights = position_taps(grid, spec)
    table = visual.pos_embed.weight.detach().numpy()
    own = (table[taps] * weights[..., None]).sum(axis=1)
    theirs = visual.fast_pos_embed_interpolate(_thw(grid)).detach().numpy()
    np.testing.assert_allclose(own, theirs, atol=1e-6)


def _thw(grid: Grid) -> Any:
    import torch

    return torch.tensor([(1, grid.rows, grid.columns)])


def _padded(samples: list[EncodedSample], *, behind: bool) -> tuple[Any, Any]:
    longest = max(len(sample.token_ids) for sample in samples)
    token_ids = np.zeros((len(samples), longest), np.int64)
    mask = np.zeros_like(token_ids)
    for row, sample in enumerate(samples):
        length = len(sample.token_ids)
        real = slice(0, length) if behind else slice(longest - length, longest)
        token_ids[row, real], mask[row, real] = sample.token_ids, 1
    return token_ids, mask
