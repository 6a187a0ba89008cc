"""Rewards on counts that a reader can recount."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store.mining.reward import (
    Counts,
    Mdl,
    NoiseRobust,
    Reward,
    WilsonGain,
    comparable,
    ranked,
    wilson_bound,
)

REWARDS = [
    Mdl(),
    Mdl(literal_cost=0.5, novelty=1.0),
    WilsonGain(),
    WilsonGain(z=0.0, gain_exponent=1.0),
    NoiseRobust(reward=Mdl(), wrong=0.1),
    NoiseRobust(reward=WilsonGain(), wrong=0.3),
]


def counts(
    true_positives: float,
    covered: float,
    *,
    gain: float | None = None,
    positives: int = 10,
    examples: int = 100,
    length: int = 1,
) -> Counts:
    return Counts(
        true_positives=np.array([float(true_positives)]),
        covered=np.array([float(covered)]),
        gain=np.array([float(true_positives if gain is None else gain)]),
        positives=positives,
        examples=examples,
        length=length,
    )


def worth(reward: Reward, counted: Counts) -> float:
    return float(reward(counted)[0])


def test_a_body_is_worth_the_nats_that_it_saves_less_what_its_literals_cost() -> None:
    """π = .1, p = (5 + .1) / (6 + 1); five right, one wrong, two literals of 4 nats."""
    p = 5.1 / 7
    saved = 5 * log(p / 0.1) + log((1 - p) / 0.9) - 8
    assert worth(Mdl(), counts(5, 6, length=2)) == pytest.approx(saved)


def test_what_is_covered_already_saves_less() -> None:
    """Of five positives four weigh 1/4 after an earlier rule: the gain is 2 of 5."""
    fresh = worth(Mdl(), counts(5, 5))
    assert worth(Mdl(), counts(5, 5, gain=2)) == pytest.approx(fresh * (2 / 5) ** 0.5)


def test_a_body_that_is_rarer_among_the_label_than_elsewhere_is_worth_nothing() -> None:
    """It says much, namely that the label is another."""
    assert worth(Mdl(literal_cost=0.0), counts(1, 60)) == 0


def test_a_careful_precision_is_worth_more_the_more_of_the_label_is_new() -> None:
    """W(4 of 4; z = 1) = 4 / 5; 4 of 10 positives; .95 for the second literal."""
    assert worth(WilsonGain(), counts(4, 4, length=2)) == pytest.approx(0.8 * 0.4**0.25 * 0.95)


def test_wilsons_bound_is_the_lower_end_of_his_interval() -> None:
    """8 of 10, z = 1.96: (.8 + .19208 - 1.96 * √(.016 + .009604)) / 1.38416."""
    assert wilson_bound(np.array([8.0]), np.array([10.0]), z=1.96) == pytest.approx(
        0.4902, abs=1e-4
    )


def test_wrong_labels_that_were_to_be_expected_do_not_count_against_a_body() -> None:
    """η = .1 of 100 labels, 20 positive: r = .1 · 20 / 80 = .025.

    Of 40 covered, 18 look positive: t = (18 − .025 · 40) / (1 − .1 − .025) = 17 / .875.
    """
    robust = NoiseRobust(reward=Mdl(), wrong=0.1)
    corrected = robust.corrected(counts(18, 40, gain=9, positives=20))
    assert corrected.true_positives[0] == pytest.approx(17 / 0.875)
    assert corrected.gain[0] == pytest.approx(9 * 17 / 0.875 / 18)


def test_no_more_is_right_than_is_covered_and_no_less_than_none() -> None:
    robust = NoiseRobust(reward=Mdl(), wrong=0.1)
    assert robust.corrected(counts(19, 20, positives=20)).true_positives[0] == 20
    assert robust.corrected(counts(1, 80, positives=20)).true_positives[0] == 0


def test_without_wrong_labels_the_robust_reward_is_the_plain_one() -> None:
    counted = counts(5, 7, gain=3)
    assert worth(NoiseRobust(reward=Mdl(), wrong=0.0), counted) == worth(Mdl(), counted)


@pytest.mark.parametrize("wrong", [-0.1, 0.5])
def test_a_share_of_wrong_labels_out_of_its_range_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"within 0\.\.0\.5"):
        NoiseRobust(reward=Mdl(), wrong=wrong)


@pytest.mark.parametrize("reward", REWARDS)
@pytest.mark.parametrize(("positives", "examples"), [(0, 4), (4, 4), (0, 0)])
def test_labels_that_nothing_or_everything_has_give_finite_rewards(
    reward: Reward, positives: int, examples: int
) -> None:
    counted = counts(positives, examples, positives=positives, examples=examples)
    assert np.isfinite(reward(counted)).all()
    assert np.isfinite(reward.bound(counted)).all()


@pytest.mark.parametrize("reward", REWARDS)
@given(data=st.data())
def test_no_longer_body_exceeds_the_optimistic_bound(reward: Reward, data: st.DataObject) -> None:
    """The searches prune on this: a longer body covers a part of what the shorter one covers."""

    def at_most(highest: int) -> int:
        return data.draw(st.integers(0, highest))

    positives, others = 1 + at_most(30), 1 + at_most(300)
    right, wrong = at_most(positives), at_most(others)
    gain = data.draw(st.floats(0, 1)) * right
    body = counts(right, right + wrong, gain=gain, positives=positives, examples=positives + others)
    kept = at_most(right)
    longer = counts(
        kept,
        kept + at_most(wrong),
        gain=min(gain, kept) * data.draw(st.floats(0, 1)),
        positives=positives,
        examples=positives + others,
        length=2 + at_most(2),
    )
    assert worth(reward, longer) <= float(reward.bound(body)[0]) + 1e-9


def test_values_that_differ_beyond_twelve_digits_compare_equal() -> None:
    once, again = comparable(np.array([1e5 / 3, 1e5 / 3 * (1 + 1e-15)]))
    assert once == again
    assert comparable(np.array([0.1 + 1e-9]))[0] != comparable(np.array([0.1]))[0]


def test_of_equal_values_the_first_ones_rank_first() -> None:
    values = np.array([1.0, 2.0, 1.0, 2.0, 1.0])
    assert ranked(values, 4).tolist() == [1, 3, 0, 2]
    assert ranked(values, 9).tolist() == [1, 3, 0, 2, 4]
