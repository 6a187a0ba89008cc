"""Decision: verdicts and votes."""

import math

import pytest

from rule_store import (
    Abstained,
    Answered,
    Evaluation,
    ReliabilityMissing,
    Rule,
    decide,
    settle,
    votes,
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
        votes((TRACK,), {}, labels=("track",))


def test_votes_add_up_log_odds_by_label() -> None:
    found = votes((TRACK, PARCEL, REFUND), RELIABILITY, labels=("track", "refund", "other"))
    assert found == {
        "track": pytest.approx(math.log(4) + math.log(9)),
        "refund": pytest.approx(math.log(7 / 3)),
        "other": 0.0,
    }


def test_a_rule_wrong_more_often_than_right_has_no_vote() -> None:
    assert votes((TRACK,), {TRACK.id: 0.4}, labels=("track",)) == {"track": 0.0}


def test_no_rule_has_better_odds_than_99_to_1() -> None:
    found = votes((TRACK,), {TRACK.id: 1.0}, labels=("track",))
    assert found == {"track": pytest.approx(math.log(99))}


def test_rules_vote_only_for_the_labels_asked_for() -> None:
    assert votes((REFUND,), RELIABILITY, labels=("track",)) == {"track": 0.0}
