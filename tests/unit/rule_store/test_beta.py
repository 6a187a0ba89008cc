"""What is believed of a share."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store import beta
from rule_store.beta import log_likelihood, quantile, share_below

parameters = st.floats(0.1, 2000.0)
shares = st.floats(0.01, 0.99)


@pytest.mark.parametrize("bound", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_whole_parameters_count_coins(bound: float) -> None:
    """The third smallest of five uniform numbers is below the bound when at least three are."""
    expected = sum(math.comb(5, n) * bound**n * (1 - bound) ** (5 - n) for n in (3, 4, 5))
    assert share_below(bound, 3, 3) == pytest.approx(expected, abs=1e-12)


@given(share=shares, right=parameters, wrong=parameters)
def test_the_quantile_undoes_the_share_below(share: float, right: float, wrong: float) -> None:
    bound = quantile(share, right, wrong)
    assert share_below(bound - 1e-9, right, wrong) <= share + 1e-9
    assert share_below(bound + 1e-9, right, wrong) >= share - 1e-9


@given(share=shares, right=parameters, wrong=parameters)
def test_halving_finds_the_same_quantile(share: float, right: float, wrong: float) -> None:
    """Thirty halvings of [0, 1], the plain way."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        is_below = share_below(middle, right, wrong) < share
        low, high = (middle, high) if is_below else (low, middle)
    assert quantile(share, right, wrong) == (low + high) / 2


@pytest.mark.parametrize(("right", "wrong"), [(1.0, 1.0), (30.0, 8.0), (60.0, 3.0), (900.0, 100.0)])
@pytest.mark.parametrize("share", [0.025, 0.975])
def test_a_quantile_takes_a_few_steps(
    monkeypatch: pytest.MonkeyPatch, share: float, right: float, wrong: float
) -> None:
    """Halving takes thirty; above the mean each asks for its mirror image, which counts twice."""
    steps = []

    def spy(bound: float, one: float, other: float) -> float:
        steps.append(bound)
        return share_below(bound, one, other)

    monkeypatch.setattr(beta, "share_below", spy)
    quantile(share, right, wrong)
    assert len(steps) <= 22


@given(bound=shares, right=parameters, wrong=parameters)
def test_right_and_wrong_mirror_each_other(bound: float, right: float, wrong: float) -> None:
    mirrored = 1 - share_below(1 - bound, wrong, right)
    assert share_below(bound, right, wrong) == pytest.approx(mirrored, abs=1e-9)


@pytest.mark.parametrize("parameter", [1e-12, 1e-3, 1e6])
def test_extreme_parameters_have_a_quantile(parameter: float) -> None:
    """Beta(a, a) is symmetric, whatever a."""
    assert share_below(0.5, parameter, parameter) == pytest.approx(0.5)
    assert 0.0 <= quantile(0.025, parameter, 10.0) <= quantile(0.975, parameter, 10.0) <= 1.0


def test_a_strong_mean_makes_outcomes_independent() -> None:
    """With all shares at the mean, the likelihood is that of coins: .75² · .25."""
    found = log_likelihood([(2, 1)], [0.75], 1e9)
    assert math.exp(found) == pytest.approx(0.75**2 * 0.25, rel=1e-6)
