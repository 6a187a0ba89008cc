"""Of many rules a few that complement each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rule_store.mining.cover import CoverSettings, cover

# Six examples: four of label 0, two of label 1.
LABELS = np.array([0, 0, 0, 0, 1, 1], dtype=np.int32)
WIDE = [True, True, True, False, False, False]
ALSO_WIDE = [True, True, True, False, True, False]
REST = [False, False, False, True, False, False]
OTHER = [False, False, False, False, True, True]


def chosen(
    *fires: list[bool],
    implied: tuple[int, ...],
    reliability: tuple[float, ...],
    settings: CoverSettings | None = None,
) -> tuple[int, ...]:
    return cover(
        np.array(fires, dtype=np.bool_).reshape(-1, len(LABELS)),
        np.array(implied, dtype=np.int32),
        labels=LABELS,
        reliability=np.array(reliability),
        settings=settings or CoverSettings(),
    )


def test_the_rule_that_brings_most_is_chosen_first() -> None:
    """0.9 · 3, then 0.9 · 2, then 0.9 · 1."""
    found = chosen(REST, OTHER, WIDE, implied=(0, 1, 0), reliability=(0.9, 0.9, 0.9))
    assert found == (2, 1, 0)


def test_a_reliable_rule_beats_a_wide_one() -> None:
    """0.9 · 2 against 0.5 · 3."""
    assert chosen(WIDE, OTHER, implied=(0, 1), reliability=(0.5, 0.9)) == (1, 0)


def test_what_is_covered_already_weighs_less() -> None:
    """After the wide rule its twin brings 0.3 · 3 · 0.9 = 0.81, the rest 0.9."""
    settings = CoverSettings(overlap=1.0)
    found = chosen(
        WIDE, ALSO_WIDE, REST, implied=(0, 0, 0), reliability=(0.95, 0.9, 0.9), settings=settings
    )
    assert found == (0, 2, 1)


def test_two_rules_of_a_label_may_not_cover_the_same() -> None:
    """They share three of four examples: 0.75."""
    strict, lax = CoverSettings(overlap=0.7), CoverSettings(overlap=0.75)
    assert chosen(WIDE, ALSO_WIDE, settings=strict, implied=(0, 0), reliability=(0.9, 0.8)) == (0,)
    assert chosen(WIDE, ALSO_WIDE, settings=lax, implied=(0, 0), reliability=(0.9, 0.8)) == (0, 1)


def test_rules_of_two_labels_may_cover_the_same() -> None:
    found = chosen(ALSO_WIDE, ALSO_WIDE, implied=(0, 1), reliability=(0.7, 0.3))
    assert found == (0, 1)


def test_no_more_than_the_size_given_are_chosen() -> None:
    settings = CoverSettings(at_most=2)
    found = chosen(
        REST, OTHER, WIDE, implied=(0, 1, 0), reliability=(0.9, 0.9, 0.9), settings=settings
    )
    assert found == (2, 1)


def test_without_a_size_twenty_are_chosen_for_each_label() -> None:
    """Of 60 rules that each bring an example of their own, for two labels."""
    found = cover(
        np.eye(60, dtype=np.bool_),
        np.array([0, 1] * 30, dtype=np.int32),
        labels=np.array([0, 1] * 30, dtype=np.int32),
        reliability=np.full(60, 0.9),
        settings=CoverSettings(),
    )
    assert found == tuple(range(40))


def test_unreliable_rules_are_left_out() -> None:
    settings = CoverSettings(least_reliability=0.5)
    found = chosen(WIDE, OTHER, implied=(0, 1), reliability=(0.5, 0.49), settings=settings)
    assert found == (0,)


def test_a_rule_that_brings_too_little_is_left_out() -> None:
    """0.9 · 3 and 0.9 · 1, which is not the 1 asked for."""
    settings = CoverSettings(least_gain=1.0)
    found = chosen(WIDE, REST, implied=(0, 0), reliability=(0.9, 0.9), settings=settings)
    assert found == (0,)


def test_a_rule_without_a_positive_is_left_out() -> None:
    assert chosen(OTHER, implied=(0,), reliability=(0.9,)) == ()


def test_of_equals_the_first_is_chosen_first() -> None:
    settings = CoverSettings(overlap=1.0)
    found = chosen(WIDE, WIDE, implied=(0, 0), reliability=(0.9, 0.9), settings=settings)
    assert found == (0, 1)


def test_rules_that_are_kept_are_chosen_first_whatever_they_bring() -> None:
    """Two that cover the same and no positive are kept; the size is that of the others."""
    rules = np.array([WIDE, REST, OTHER, OTHER], dtype=np.bool_)
    found = cover(
        rules,
        np.array([0, 0, 0, 0], dtype=np.int32),
        labels=LABELS,
        reliability=np.array([0.9, 0.9, 0.1, 0.1]),
        settings=CoverSettings(at_most=1),
        kept=(3, 2),
    )
    assert found == (3, 2, 0)


def test_a_rule_that_covers_what_a_kept_one_covers_is_left_out() -> None:
    found = cover(
        np.array([WIDE, ALSO_WIDE], dtype=np.bool_),
        np.array([0, 0], dtype=np.int32),
        labels=LABELS,
        reliability=np.array([0.9, 0.9]),
        settings=CoverSettings(overlap=0.7),
        kept=(1,),
    )
    assert found == (1,)


def test_even_a_rule_that_is_kept_must_be_reliable_enough() -> None:
    found = cover(
        np.array([WIDE, OTHER], dtype=np.bool_),
        np.array([0, 1], dtype=np.int32),
        labels=LABELS,
        reliability=np.array([0.9, 0.1]),
        settings=CoverSettings(least_reliability=0.2),
        kept=(1,),
    )
    assert found == (0,)


@pytest.mark.parametrize("rules", [0, 1])
def test_a_cover_of_nothing_is_empty(rules: int) -> None:
    nothing = [[False] * len(LABELS)] * rules
    assert chosen(*nothing, implied=(0,) * rules, reliability=(0.9,) * rules) == ()


@given(
    fires=arrays(np.bool_, (8, len(LABELS))),
    implied=arrays(np.int32, 8, elements=st.integers(0, 1)),
    size=st.integers(0, 8),
)
def test_a_smaller_cover_is_the_beginning_of_a_larger(
    fires: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    implied: np.ndarray[tuple[int], np.dtype[np.int32]],
    size: int,
) -> None:
    reliability = np.linspace(0.2, 0.9, 8)
    whole = cover(fires, implied, labels=LABELS, reliability=reliability, settings=CoverSettings())
    part = cover(
        fires, implied, labels=LABELS, reliability=reliability, settings=CoverSettings(at_most=size)
    )
    assert part == whole[:size]
    assert len(set(whole)) == len(whole)
