"""How samples are laid out and padded."""

from dataclasses import replace

import numpy as np
import pytest

from inference.qwen_vl.errors import UnusableSamples
from inference.qwen_vl.feeds import Buckets, Shape, least_shape, make_feeds
from inference.qwen_vl.geometry import Grid, VisionSpec
from tests.tiny_qwen import SPECIAL_TOKENS, random_sample

SPEC = VisionSpec(
    family="qwen2_vl",
    image_token_id=SPECIAL_TOKENS.index("<|image_pad|>"),
    merge=2,
    patch_values=12,
    hidden=8,
)
SMALL, TALL = Grid(rows=2, columns=2), Grid(rows=4, columns=2)
WITHOUT = random_sample(SPEC, (), seed=1)
WITH_TWO = random_sample(SPEC, (SMALL, TALL), seed=2)
WITH_ONE = random_sample(SPEC, (TALL,), seed=3)


def test_the_least_shape_counts_all_images_and_the_largest_one() -> None:
    assert least_shape([WITHOUT, WITH_TWO, WITH_ONE]) == Shape(
        questions=3, tokens=len(WITH_TWO.token_ids), images=3, patches=8
    )


def test_questions_without_images_need_no_vision_graph() -> None:
    feeds = make_feeds([WITHOUT], SPEC)
    assert feeds.vision is None
    assert not feeds.decoder["image_index"].any()


def test_image_tokens_find_their_embeddings_past_the_padding_of_images() -> None:
    """Two units are padded to: the first image has one of them, the others both."""
    feeds = make_feeds([WITHOUT, WITH_TWO, WITH_ONE], SPEC)
    index = feeds.decoder["image_index"]
    assert index[0].tolist() == [0] * len(index[0])
    assert index[1][index[1] > 0].tolist() == [1, 3, 4]
    assert index[2][index[2] > 0].tolist() == [5, 6]


def test_padding_stands_behind_and_the_last_token_is_known() -> None:
    shape = Shape(questions=2, tokens=40, images=0, patches=0)
    decoder = make_feeds([WITHOUT], SPEC, shape).decoder
    length = len(WITHOUT.token_ids)
    assert decoder["token_ids"].shape == (2, 40)
    assert decoder["token_ids"][0, :length].tolist() == WITHOUT.token_ids.tolist()
    assert not decoder["token_ids"][0, length:].any()
    assert decoder["last_index"].tolist() == [length - 1, 0]


def test_only_real_patches_are_seen_but_no_image_is_blind() -> None:
    shape = Shape(questions=1, tokens=64, images=3, patches=16)
    vision = make_feeds([WITH_TWO], SPEC, shape).vision
    assert vision is not None
    assert vision["patch_mask"].sum(axis=1).tolist() == [4, 8, 1]
    np.testing.assert_array_equal(vision["patches"][1, :8], WITH_TWO.patches[4:])
    assert not vision["patches"][1, 8:].any()


def test_each_family_is_fed_what_its_graph_asks() -> None:
    windowed = make_feeds([WITH_ONE], replace(SPEC, window_units=4)).vision
    tapped = make_feeds([WITH_ONE], replace(SPEC, grid_side=16)).vision
    assert windowed is not None
    assert tapped is not None
    common = {"patches", "patch_positions", "patch_mask"}
    assert set(windowed) == common | {"windows"}
    assert set(tapped) == common | {"taps", "tap_weights"}


def test_a_shape_is_padded_to_the_least_bucket_that_holds_it() -> None:
    buckets = Buckets(questions=(1, 4), tokens=(32, 64), images=(2,), patches=(8, 16))
    asked = Shape(questions=2, tokens=32, images=1, patches=12)
    assert buckets.fit(asked) == Shape(questions=4, tokens=32, images=2, patches=16)


def test_a_shape_beyond_the_largest_bucket_is_refused_with_its_size() -> None:
    with pytest.raises(UnusableSamples, match="99999 tokens are more than the largest bucket"):
        Buckets().fit(Shape(questions=1, tokens=99_999, images=0, patches=0))


def test_samples_that_do_not_fit_a_shape_are_refused() -> None:
    with pytest.raises(UnusableSamples, match="split the batch"):
        make_feeds([WITHOUT, WITHOUT], SPEC, replace(least_shape([WITHOUT]), tokens=500))


def test_a_shape_that_cuts_a_unit_is_refused() -> None:
    with pytest.raises(UnusableSamples, match="cuts a unit of 4 patches"):
        make_feeds([WITH_ONE], SPEC, replace(least_shape([WITH_ONE]), patches=10))


def test_patches_of_another_checkpoint_are_refused() -> None:
    with pytest.raises(UnusableSamples, match="encode its images with this checkpoint"):
        make_feeds([WITH_ONE], replace(SPEC, patch_values=1176))
