"""An augmented screenshot still says what it said."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.qwen_vl.augmentation import augmented

Pixels = NDArray[np.uint8]


def corners() -> Pixels:
    """Black but for one corner each in red, green and blue."""
    pixels = np.zeros((120, 60, 3), dtype=np.uint8)
    pixels[:60, :30, 0] = pixels[:60, 30:, 1] = pixels[60:, :30, 2] = 200
    return pixels


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_flipped_or_turned_and_no_colour_exchanged(seed: int) -> None:
    changed = augmented(corners(), np.random.default_rng(seed))
    height, width, _ = changed.shape
    quarter, third = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    found = [[int(v > 100) for v in changed[y, x]] for y in quarter for x in third]
    assert found == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (120, 60)])
def test_an_image_of_any_size_keeps_more_than_nine_tenths(shape: tuple[int, int]) -> None:
    for seed in range(20):
        changed = augmented(np.zeros((*shape, 3), np.uint8), np.random.default_rng(seed))
        assert changed.dtype == np.uint8
        assert changed.shape[0] > 0.9 * shape[0]
        assert changed.shape[1] > 0.9 * shape[1]


def test_the_same_randomness_gives_the_same_image_and_leaves_the_original() -> None:
    original = corners()
    first, second = (augmented(original, np.random.default_rng(3)) for _ in range(2))
    other = augmented(original, np.random.default_rng(4))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert np.array_equal(original, corners())
