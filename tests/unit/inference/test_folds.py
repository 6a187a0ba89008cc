"""Folds depend on the seed and the example id alone."""

import hashlib
from collections import Counter

from inference.folds import fold


def test_the_fold_is_the_documented_hash() -> None:
    number = int(hashlib.sha256(b"7:d0042").hexdigest(), 16)
    assert fold("d0042", seed=7, folds=5) == number % 5


def test_folds_are_about_equal() -> None:
    sizes = Counter(fold(f"example {number}") for number in range(5000))
    assert set(sizes) == set(range(5))
    assert all(900 <= size <= 1100 for size in sizes.values())


def test_another_seed_holds_out_others() -> None:
    names = [f"example {number}" for number in range(100)]
    assert [fold(name, seed=1) for name in names] != [fold(name, seed=2) for name in names]
