"""Covering: each search looks for what the earlier ones left."""

import numpy as np
import pytest

from rule_store.mining.beam import BeamSearch
from rule_store.mining.covering import Covering, CoveringSettings, flags_of, mine_label, useful
from rule_store.mining.found import Search
from rule_store.mining.proposals import Statistical
from rule_store.mining.reward import NoiseRobust, Reward, WilsonGain
from rule_store.mining.scan import Limits
from rule_store.mining.search import TreeSearch, TreeSettings
from rule_store.mining.table import Table
from tests.unit.rule_store.mining.eight import table

# a says the first half of the labels' examples, b the second; c is a but for one example.
HALVES = table(
    {"a": "111111 000000 000000000000", "b": "000000 111111 000000000000",
     "c": "111110 000000 000000000000", "d": "111111 111111 111111111111"},
    "+" * 12 + "-" * 12,
)  # fmt: skip
SEARCHES: list[Search] = [TreeSearch(), BeamSearch()]


def mined(
    rows: Table = HALVES,
    *,
    search: Search = SEARCHES[0],
    settings: CoveringSettings | None = None,
    reward: Reward | None = None,
    weights: np.ndarray | None = None,
) -> Covering:
    return mine_label(
        rows,
        0,
        search=search,
        reward=reward or WilsonGain(),
        proposer=Statistical(),
        settings=settings or CoveringSettings(),
        seed=0,
        weights=weights,
    )


@pytest.mark.parametrize("search", SEARCHES)
def test_rules_complement_each_other_and_none_says_nearly_what_another_does(
    search: Search,
) -> None:
    """c covers five of a's six examples: Jaccard 5/6, above .7."""
    found = mined(search=search)
    assert [each.body for each in found.bodies] == [frozenset({0}), frozenset({2})]
    assert [(each.true_positives, each.covered) for each in found.bodies] == [(6, 6), (6, 6)]


def test_what_a_body_covers_weighs_less_for_the_next() -> None:
    """W(6 of 6) = 6/7; of twelve positives six are new each time."""
    assert [each.reward for each in mined().bodies] == pytest.approx([6 / 7 * 0.5**0.25] * 2)


def test_covering_stops_when_little_weight_is_left() -> None:
    """After a, 6 · .3 + 6 = 7.8 of 12 are left, 65 %; after b 3.6, 30 %."""
    assert len(mined(settings=CoveringSettings(remaining=0.65)).searches) == 1
    assert len(mined(settings=CoveringSettings(remaining=0.64)).searches) == 2
    assert len(mined(settings=CoveringSettings(remaining=0.30)).searches) == 2
    assert len(mined(settings=CoveringSettings(remaining=0.29)).searches) == 3


def test_covering_stops_at_its_size() -> None:
    assert len(mined(settings=CoveringSettings(size=1)).bodies) == 1


def test_covering_stops_below_the_least_reward() -> None:
    assert mined(settings=CoveringSettings(reward=0.9)).bodies == ()


def test_examples_of_no_weight_need_no_rule() -> None:
    weights = np.array([0.0] * 6 + [1.0] * 18)
    assert [each.body for each in mined(weights=weights).bodies] == [frozenset({2})]


def test_a_label_without_examples_gets_no_rule() -> None:
    assert mined(table({"a": "1100"}, "----")).bodies == ()


def test_a_search_uses_the_predicates_that_tell_and_those_that_rule_out() -> None:
    """e holds for no + and six -: worth a negation; d holds for all and is worth nothing."""
    rows = table(
        {"d": "1" * 24, "a": "1" * 6 + "0" * 18, "e": "0" * 12 + "1" * 6 + "0" * 6},
        "+" * 12 + "-" * 12,
    )
    assert useful(rows, 0, predicates=10, exclusions=10).tolist() == [1, 2]
    assert useful(rows, 0, predicates=10, exclusions=0).tolist() == [1]


def test_a_small_share_of_wrong_labels_does_not_hide_the_rule() -> None:
    """Of 20 + and 80 -, a holds for 14 and 4, b for 9 and none.

    Plainly a is worth .667 · .7^.25 = .61 and b .9 · .45^.25 = .74. With a fifth of the labels
    wrong a's 18 are expected to hold 17.5 right ones, (14 - .05 · 18) / .75; b's 9 stay 9.
    """
    rows = table(
        {"a": "1" * 14 + "0" * 6 + "1" * 4 + "0" * 76, "b": "0" * 11 + "1" * 9 + "0" * 80},
        "+" * 20 + "-" * 80,
    )
    plain, robust = WilsonGain(), NoiseRobust(reward=WilsonGain(), wrong=0.2)
    single = TreeSearch(settings=TreeSettings(limits=Limits(length=1)))
    assert mined(rows, reward=plain, search=single).bodies[0].body == frozenset({2})
    assert mined(rows, reward=robust, search=single).bodies[0].body == frozenset({0})


def test_a_mask_unpacks_to_one_flag_an_example() -> None:
    assert flags_of(HALVES.words[1], 24).tolist() == [False] * 6 + [True] * 6 + [False] * 12
