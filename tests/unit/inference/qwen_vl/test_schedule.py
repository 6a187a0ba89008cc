"""Order and weights of training depend on numbers alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.qwen_vl.schedule import class_weights, epoch_batches, learning_rate


@given(
    lengths=st.lists(st.integers(1, 2_000), min_size=1, max_size=200),
    batch_size=st.integers(1, 16),
    epoch=st.integers(0, 5),
)
def test_every_example_is_seen_once_an_epoch(
    lengths: list[int], batch_size: int, epoch: int
) -> None:
    batches = epoch_batches(lengths, batch_size=batch_size, seed=1, epoch=epoch)
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)


def test_epochs_and_seeds_differ_and_repeat() -> None:
    lengths = [5] * 50
    orders = [
        epoch_batches(lengths, batch_size=4, seed=seed, epoch=epoch)
        for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))
    ]
    assert orders[0] == orders[3]
    assert len(set(orders)) == 3


def test_a_batch_holds_examples_about_equally_long() -> None:
    lengths = np.random.default_rng(0).integers(100, 1_000, 320).tolist()
    batches = epoch_batches(lengths, batch_size=8, seed=0, epoch=0)
    padded = sum(len(batch) * max(lengths[at] for at in batch) for batch in batches)
    assert padded <= 1.12 * sum(lengths)


@given(sizes=st.lists(st.integers(0, 30), min_size=2, max_size=6), weighting=st.floats(0, 1))
def test_weights_have_mean_one_and_fall_with_size(sizes: list[int], weighting: float) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    if not len(labels):
        return
    weights = class_weights(labels, len(sizes), weighting=weighting)
    assert weights[labels].mean() == pytest.approx(1.0)
    known = sorted((size, -weight) for size, weight in zip(sizes, weights, strict=True) if size)
    assert known == sorted(known, key=lambda pair: pair[1])


def test_the_rate_climbs_to_its_highest_and_ends_near_nothing() -> None:
    rates = [learning_rate(n, steps=100, highest=3.0, warm_up_share=0.1) for n in range(100)]
    assert max(rates) == 3.0
    assert rates.index(3.0) == 9
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.01
