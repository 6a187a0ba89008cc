"""Mining and training, run apart, hold out the same examples."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.folds import fold as fold_of_training
from rule_store.folds import fold, is_admission


@given(name=st.text(), seed=st.integers(0, 2**64), folds=st.integers(2, 20))
def test_mining_holds_out_what_training_holds_out(name: str, seed: int, folds: int) -> None:
    assert fold(name, seed=seed, folds=folds) == fold_of_training(name, seed=seed, folds=folds)


def test_the_defaults_are_those_of_training() -> None:
    names = [f"d{number}" for number in range(100)]
    assert [fold(name) for name in names] == [fold_of_training(name) for name in names]


def test_the_admission_split_is_the_documented_hash() -> None:
    numbers = {
        name: int(hashlib.sha256(f"admission:{name}".encode()).hexdigest(), 16)
        for name in ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
    }
    assert {name: is_admission(name) for name in numbers} == {
        name: number % 10 == 0 for name, number in numbers.items()
    }


def test_one_example_in_ten_is_for_admission() -> None:
    assert 900 <= sum(is_admission(f"example {number}") for number in range(10_000)) <= 1100


@pytest.mark.parametrize("seed", [0, 1])
def test_the_admission_split_is_spread_over_all_folds(seed: int) -> None:
    names = (f"example {number}" for number in range(10_000))
    sizes = Counter(fold(name, seed=seed) for name in names if is_admission(name))
    assert set(sizes) == set(range(5))
    assert all(150 <= size <= 250 for size in sizes.values())
