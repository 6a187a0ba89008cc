"""Positions, windows and taps, without torch."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.qwen_vl.errors import UnusableCheckpoint, UnusableSamples
from inference.qwen_vl.geometry import (
    Grid,
    VisionSpec,
    patch_positions,
    position_taps,
    rope_positions,
    spec_from_json,
    vision_spec,
    windows,
)

IMAGE = 9
SPEC = VisionSpec(family="qwen2_vl", image_token_id=IMAGE, merge=2, patch_values=1176, hidden=64)
sides = st.integers(1, 12).map(lambda units: 2 * units)


def test_text_counts_on_alike_in_all_three_dimensions() -> None:
    assert rope_positions(np.array([4, 5, 6]), [], SPEC).tolist() == [[0, 1, 2]] * 3


def test_two_images_side_by_side_each_begin_where_the_last_ended() -> None:
    grids = [Grid(rows=2, columns=2), Grid(rows=4, columns=2)]
    positions = rope_positions(np.array([4, IMAGE, IMAGE, IMAGE, 5]), grids, SPEC)
    assert positions.tolist() == [[0, 1, 2, 2, 4], [0, 1, 2, 3, 4], [0, 1, 2, 2, 4]]


def test_more_image_tokens_than_units_are_refused_with_both_numbers() -> None:
    with pytest.raises(UnusableSamples, match="has 2 image tokens, its images need 1"):
        rope_positions(np.array([IMAGE, IMAGE]), [Grid(rows=2, columns=2)], SPEC)


def test_an_image_that_cuts_a_unit_is_refused() -> None:
    with pytest.raises(UnusableSamples, match="does not divide by 2"):
        rope_positions(np.array([IMAGE]), [Grid(rows=3, columns=2)], SPEC)


def test_the_patches_of_a_unit_follow_each_other() -> None:
    assert patch_positions(Grid(rows=2, columns=4), SPEC).tolist() == [
        *([0, 0], [0, 1], [1, 0], [1, 1]),
        *([0, 2], [0, 3], [1, 2], [1, 3]),
    ]


def test_windows_at_the_edge_are_cut_short() -> None:
    spec = replace(SPEC, window_units=2)
    of_units = windows(Grid(rows=2, columns=10), spec)[::4]
    assert of_units.tolist() == [0, 0, 1, 1, 2]


@given(rows=sides, columns=sides, grid_side=st.integers(2, 48))
def test_each_patch_reads_the_position_table_with_weights_that_sum_to_one(
    rows: int, columns: int, grid_side: int
) -> None:
    taps, weights = position_taps(
        Grid(rows=rows, columns=columns), replace(SPEC, grid_side=grid_side)
    )
    assert taps.min() >= 0
    assert taps.max() < grid_side**2
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_a_spec_survives_json() -> None:
    spec = replace(SPEC, whole_blocks=(7, 15), deepstack_blocks=(5, 11), window_units=4)
    assert spec_from_json(json.loads(json.dumps(asdict(spec)))) == spec


@pytest.mark.parametrize(
    "change",
    [
        {"family": "llava"},
        {"merge": "2"},
        {"merge": True},
        {"unknown": 1},
        {"whole_blocks": None},
    ],
)
def test_a_spec_of_wrong_fields_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        spec_from_json({**asdict(SPEC), **change})


def test_a_checkpoint_of_another_family_is_refused_by_name() -> None:
    with pytest.raises(UnusableCheckpoint, match="'llava'; use one of qwen2_vl"):
        vision_spec(SimpleNamespace(model_type="llava"))
