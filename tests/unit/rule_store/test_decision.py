"""Decision: verdicts and votes."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store import (
    Abstained,
    Answered,
    Evaluation,
    ReliabilityMissing,
    Rule,
    Vote,
    agreed,
    cast_votes,
    decide,
    settle,
    sum_votes,
    weigh_labels,
)
from tests.rules import has, rule

TRACK, PARCEL, REFUND = rule(has("a")), rule(has("b")), rule(has("c"), label="refund")
RELIABILITY = {TRACK.id: 0.8, PARCEL.id: 0.9, REFUND.id: 0.7}


def evaluation(*fired: Rule, undecided: tuple[Rule, ...] = ()) -> Evaluation:
    return Evaluation(fired=fired, undecided=undecided)


def test_agreeing_rules_answer_with_the_best_reliability() -> None:
    verdict = decide(evaluation(TRACK, PARCEL), reliability=RELIABILITY, answer_at=0.9)
    assert verdict == Answered(label="track", reliability=0.9, rules=(TRACK.id, PARCEL.id))


def test_no_fired_rule_abstains() -> None:
    verdict = decide(evaluation(), reliability={}, answer_at=0.0)
    assert verdict == Abstained(reason="no_rule", rules=())


def test_two_labels_conflict_however_reliable() -> None:
    verdict = decide(evaluation(REFUND, TRACK), reliability=RELIABILITY, answer_at=0.0)
    assert verdict == Abstained(reason="conflict", rules=(REFUND.id, TRACK.id))


def test_too_little_reliability_abstains() -> None:
    verdict = decide(evaluation(TRACK, PARCEL), reliability=RELIABILITY, answer_at=0.91)
    assert verdict == Abstained(reason="below_threshold", rules=(TRACK.id, PARCEL.id))


@pytest.mark.parametrize("undecided", [REFUND, PARCEL])
def test_any_undecided_rule_needs_the_screen_even_one_of_the_same_label(undecided: Rule) -> None:
    verdict = decide(
        evaluation(TRACK, undecided=(undecided,)), reliability=RELIABILITY, answer_at=0.5
    )
    assert verdict == Abstained(reason="needs_screen", rules=(undecided.id,))


def test_settling_leaves_undecided_rules_aside() -> None:
    verdict = settle(evaluation(TRACK, undecided=(REFUND,)), reliability=RELIABILITY, answer_at=0.5)
    assert verdict == Answered(label="track", reliability=0.8, rules=(TRACK.id,))
    verdict = settle(evaluation(undecided=(REFUND,)), reliability=RELIABILITY, answer_at=0.5)
    assert verdict == Abstained(reason="no_rule", rules=())


def test_a_rule_without_reliability_is_an_error_not_a_guess() -> None:
    with pytest.raises(ReliabilityMissing, match=TRACK.id):
        decide(evaluation(TRACK), reliability={}, answer_at=0.5)
    with pytest.raises(ReliabilityMissing, match=TRACK.id):
        cast_votes((TRACK,), {})


def vote(label: str, reliability: float) -> Vote:
    return Vote(label=label, reliability=reliability)


def test_every_fired_rule_has_a_vote_in_its_order() -> None:
    assert cast_votes((REFUND, TRACK), RELIABILITY) == (vote("refund", 0.7), vote("track", 0.8))


def test_votes_agree_when_all_are_for_one_label() -> None:
    assert agreed([vote("track", 0.8), vote("track", 0.9)]) == vote("track", 0.9)
    assert agreed([vote("track", 0.8), vote("refund", 0.1)]) is None
    assert agreed([]) is None


@given(st.lists(st.sampled_from([TRACK, PARCEL, REFUND]), unique=True), st.floats(0, 1))
def test_rules_settle_what_their_votes_agree_on(fired: list[Rule], answer_at: float) -> None:
    verdict = settle(evaluation(*fired), reliability=RELIABILITY, answer_at=answer_at)
    best = agreed(cast_votes(fired, RELIABILITY))
    if isinstance(verdict, Answered):
        assert best == vote(verdict.label, verdict.reliability)
    else:
        assert best is None or best.reliability < answer_at


def test_votes_add_up_log_odds_by_label() -> None:
    cast = cast_votes((TRACK, PARCEL, REFUND), RELIABILITY)
    found = sum_votes(cast, labels=("track", "refund", "other"))
    assert found == {
        "track": pytest.approx(math.log(4) + math.log(9)),
        "refund": pytest.approx(math.log(7 / 3)),
        "other": 0.0,
    }


def test_a_rule_wrong_more_often_than_right_has_no_vote() -> None:
    assert sum_votes([vote("track", 0.4)], labels=("track",)) == {"track": 0.0}


def test_no_rule_has_better_odds_than_99_to_1() -> None:
    found = sum_votes([vote("track", 1.0)], labels=("track",))
    assert found == {"track": pytest.approx(math.log(99))}


def test_rules_vote_only_for_the_labels_asked_for() -> None:
    assert sum_votes([vote("refund", 0.7)], labels=("track",)) == {"track": 0.0}


def test_one_rule_alone_weighs_what_it_is_believed() -> None:
    assert weigh_labels([vote("track", 0.8)]) == {"track": pytest.approx(0.8)}
    assert weigh_labels([]) == {}


def test_a_rule_of_another_label_takes_from_both() -> None:
    """Odds of 4 and 1.5 against 1: four of 6.5."""
    found = weigh_labels([vote("track", 0.8), vote("refund", 0.6)])
    assert found == pytest.approx({"track": 4 / 6.5, "refund": 1.5 / 6.5})


def test_a_second_rule_of_a_label_counts_for_less_than_the_best() -> None:
    """Both fail in .2 · .5^.3 cases, were they one in .2, and were they apart in .1."""
    found = weigh_labels([vote("track", 0.5), vote("track", 0.8)])
    assert found == {"track": pytest.approx(1 - 0.2 * 0.5**0.3)}
    assert 0.8 < found["track"] < 0.9


def test_weak_rules_that_agree_outweigh_a_better_one() -> None:
    """.6 · .6^.3 · .6^.3 is .442, below the .5 in which the better one fails."""
    found = weigh_labels([vote("refund", 0.5), *[vote("track", 0.4)] * 3])
    assert found["track"] > found["refund"]


def test_what_is_always_right_is_believed_within_bounds() -> None:
    assert weigh_labels([vote("track", 1.0)]) == {"track": pytest.approx(0.99)}
    assert weigh_labels([vote("track", 0.0)]) == {"track": pytest.approx(0.01)}


def test_thousands_of_rules_can_be_weighed() -> None:
    found = weigh_labels([vote("track", 1.0), vote("refund", 1.0)] * 5000)
    assert found == pytest.approx({"track": 0.5, "refund": 0.5})


VOTES = st.lists(
    st.builds(Vote, label=st.sampled_from("abc"), reliability=st.floats(0, 1)), max_size=8
)


@given(cast=VOTES, seed=st.randoms())
def test_labels_share_at_most_one_whatever_the_order(cast: list[Vote], seed: Random) -> None:
    found = weigh_labels(cast)
    assert list(found) == list(dict.fromkeys(each.label for each in cast))
    assert all(value > 0 for value in found.values())
    assert math.fsum(found.values()) <= 1 + 1e-9
    mixed = cast.copy()
    seed.shuffle(mixed)
    assert weigh_labels(mixed) == found


@given(cast=VOTES, more=st.floats(0, 1))
def test_one_more_rule_of_a_label_never_weakens_it(cast: list[Vote], more: float) -> None:
    before = weigh_labels(cast).get("a", 0.0)
    assert weigh_labels([*cast, vote("a", more)])["a"] >= before - 1e-12
