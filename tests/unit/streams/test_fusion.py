"""Votes and probabilities become one label, one confidence, one source."""

import math

import pytest

from rule_store import Answered
from streams.events import Candidate
from streams.fusion import (
    FusionWeights,
    abstained,
    answered_by_rules,
    best_candidates,
    fuse,
    weighed_by_rules,
)

ODDS_9 = math.log(9)  # the vote of a rule of reliability 0.9


def weights(*, fuse_at: float = 0.0, vote_weight: float = 1.0) -> FusionWeights:
    return FusionWeights(answer_at=0.9, fuse_at=fuse_at, vote_weight=vote_weight)


def test_a_vote_multiplies_the_odds_by_the_rules_odds() -> None:
    """Odds 1:3 for a, times 9, are 9:3: three quarters."""
    fused = fuse({"a": 0.25, "b": 0.75}, {"a": ODDS_9}, weights=weights())
    assert fused.label == "a"
    assert fused.confidence == pytest.approx(0.75)
    assert fused.source == "fusion"
    assert fused.reason is None
    assert [each.label for each in fused.candidates] == ["a", "b"]


def test_half_the_weight_takes_the_root_of_the_odds() -> None:
    """9 to the power 0.5 is 3: odds 1:3 become 1:1, and the first label wins the tie."""
    fused = fuse({"a": 0.25, "b": 0.75}, {"a": ODDS_9}, weights=weights(vote_weight=0.5))
    assert fused.confidence == pytest.approx(0.5)


@pytest.mark.parametrize(("votes", "vote_weight"), [({}, 1.0), ({"a": ODDS_9}, 0.0)])
def test_without_votes_or_without_weight_the_model_decides(
    votes: dict[str, float], vote_weight: float
) -> None:
    fused = fuse({"a": 0.25, "b": 0.75}, votes, weights=weights(vote_weight=vote_weight))
    assert (fused.label, fused.source) == ("b", "model")
    assert fused.confidence == pytest.approx(0.75)


def test_below_the_confidence_to_answer_at_it_is_an_abstention_with_candidates() -> None:
    probabilities = {"a": 0.3, "b": 0.3, "c": 0.2, "d": 0.2}
    fused = fuse(probabilities, {}, weights=weights(fuse_at=0.31))
    assert (fused.label, fused.source, fused.reason) == (None, "abstained", "low_confidence")
    assert [each.label for each in fused.candidates] == ["a", "b", "c"]
    assert fuse(probabilities, {}, weights=weights(fuse_at=0.29)).label == "a"


def test_a_vote_can_speak_for_a_label_the_model_gives_nothing() -> None:
    fused = fuse({"a": 0.0, "b": 1.0}, {"a": 20.0}, weights=weights())
    assert fused.label == "a"  # e^20 is 4.9e8, the floor 1e-6


def test_heavy_votes_do_not_overflow() -> None:
    fused = fuse({"a": 0.5, "b": 0.5}, {"b": 1e6}, weights=weights(vote_weight=1e6))
    assert (fused.label, fused.confidence) == ("b", 1.0)


@pytest.mark.parametrize("p", [math.nan, math.inf])
def test_a_model_that_gives_no_numbers_gives_no_label(p: float) -> None:
    with pytest.raises(ValueError, match="not numbers"):
        fuse({"a": p, "b": 0.5}, {}, weights=weights())


def test_a_rule_answer_has_the_reliability_as_confidence_and_the_rest_shared() -> None:
    answered = Answered(label="b", reliability=0.7, rules=("r",))
    outcome = answered_by_rules(answered, ("a", "b", "c", "d"))
    assert (outcome.label, outcome.confidence, outcome.source) == ("b", 0.7, "rules")
    assert [each.label for each in outcome.candidates] == ["b", "a", "c"]
    assert [each.probability for each in outcome.candidates] == pytest.approx([0.7, 0.1, 0.1])


def test_candidates_of_an_unsure_rule_are_still_best_first() -> None:
    answered = Answered(label="b", reliability=0.2, rules=("r",))
    outcome = answered_by_rules(answered, ("a", "b"))
    assert outcome.candidates == (
        Candidate(label="b", probability=0.2),
        Candidate(label="a", probability=0.2),
    )


def test_without_a_model_the_likeliest_label_is_the_answer_of_the_rules() -> None:
    """What is left of one, .2, is for the two labels without a vote."""
    labels = ("a", "b", "c", "d")
    outcome = weighed_by_rules({"c": 0.2, "b": 0.6}, labels, fuse_at=0.6, reason="conflict")
    assert (outcome.label, outcome.source, outcome.reason) == ("b", "rules", None)
    assert outcome.confidence == 0.6
    assert [each.label for each in outcome.candidates] == ["b", "c", "a"]
    assert [each.probability for each in outcome.candidates] == pytest.approx([0.6, 0.2, 0.1])


def test_of_equally_likely_labels_the_one_that_fired_first_is_the_answer() -> None:
    outcome = weighed_by_rules({"b": 0.4, "a": 0.4}, ("a", "b"), fuse_at=0.2, reason="conflict")
    assert outcome.label == "b"


def test_below_the_bound_rules_abstain_with_what_they_would_say() -> None:
    outcome = weighed_by_rules({"b": 0.19}, ("a", "b"), fuse_at=0.2, reason="below_threshold")
    assert (outcome.label, outcome.source, outcome.reason) == (None, "abstained", "below_threshold")
    assert outcome.candidates == (
        Candidate(label="b", probability=0.19),
        Candidate(label="a", probability=0.19),
    )


def test_where_no_rule_fired_all_labels_are_alike() -> None:
    outcome = weighed_by_rules({}, ("a", "b"), fuse_at=0.2, reason="no_rule")
    assert outcome == abstained("no_rule", {}, ("a", "b"))
    assert (outcome.label, outcome.reason, outcome.confidence) == (None, "no_rule", 0.5)


def test_candidates_keep_the_labels_order_in_a_tie() -> None:
    best = best_candidates({"c": 0.2, "a": 0.4, "b": 0.2, "d": 0.2})
    assert [each.label for each in best] == ["a", "c", "b"]
