"""What rules alone say, and how good that is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rule_store import Lexicon, ReliabilityMissing
from rule_store.mining.answers import (
    Answer,
    Said,
    Selective,
    at_threshold,
    by_settling,
    by_votes,
    choose_threshold,
    held_out_answers,
    weighted_f1,
)
from rule_store.mining.held_out import HeldOutSettings, find_by_fold
from rule_store.mining.mined import judge
from streams.evaluation import weighted_f1 as weighted_f1_of_tags
from tests.mining import mine_words, small_talk
from tests.rules import has, rule

TRACK = rule(has("where"), label="track")
PARCEL = rule(has("parcel"), label="track")
REFUND = rule(has("back"), label="refund")
GREET = rule(has("hello"), label="other")


def answer(label: str, said: str | None, sureness: float = 1.0) -> Answer:
    return Answer(
        example_id="d", label=label, said=Said(label=said, sureness=sureness) if said else None
    )


def said(found: Said | None) -> tuple[str, float]:
    assert found is not None
    return found.label, round(found.sureness, 6)


def test_nothing_fired_says_nothing() -> None:
    assert by_votes([], {}) is None
    assert by_settling([], {}) is None


def test_the_likeliest_label_is_said_as_surely_as_the_votes_weigh_it() -> None:
    """.9 and .75 that agree fail in .1 · .25^.3 cases; against each other they have odds 9 to 3."""
    found = by_votes([TRACK, PARCEL], {TRACK.id: 0.9, PARCEL.id: 0.75})
    assert said(found) == ("track", round(1 - 0.1 * 0.25**0.3, 6))
    found = by_votes([TRACK, REFUND], {TRACK.id: 0.9, REFUND.id: 0.75})
    assert said(found) == ("track", round(9 / 13, 6))


def test_weak_rules_are_heard_where_nothing_better_fired() -> None:
    """.6 · .6^.3 is .515, above the .5 in which the other fails."""
    reliability = {REFUND.id: 0.5, TRACK.id: 0.4, PARCEL.id: 0.4}
    assert said(by_votes([TRACK, REFUND, PARCEL], reliability))[0] == "refund"
    assert said(by_votes([TRACK], reliability)) == ("track", 0.4)


def test_of_equals_the_label_that_fired_first_is_said() -> None:
    """Odds of 4 each against 1."""
    found = by_votes([REFUND, TRACK], {REFUND.id: 0.8, TRACK.id: 0.8})
    assert said(found) == ("refund", round(4 / 9, 6))


def test_a_rule_without_reliability_is_refused() -> None:
    with pytest.raises(ReliabilityMissing):
        by_votes([TRACK], {})


def test_settling_abstains_when_rules_disagree() -> None:
    reliability = {TRACK.id: 0.9, PARCEL.id: 0.6, REFUND.id: 0.1}
    assert by_settling([TRACK, PARCEL], reliability) == Said(label="track", sureness=0.9)
    assert by_settling([TRACK, REFUND], reliability) is None


def test_the_threshold_takes_in_all_that_keeps_the_precision() -> None:
    """3 of 3, 3 of 4, 4 of 5, 4 of 6: at three in four the first five are answered."""
    answers = [
        answer("a", "a", 6.0),
        answer("a", "a", 5.0),
        answer("b", "b", 5.0),
        answer("b", "a", 4.0),
        answer("b", "b", 3.0),
        answer("a", "b", 2.0),
        answer("a", None),
        answer("b", None),
    ]
    assert choose_threshold(answers, precision=0.75, caution=0.0) == Selective(
        answer_at=3.0, answered_share=5 / 8, precision=0.8
    )


def test_equally_sure_answers_are_given_together_or_not_at_all() -> None:
    answers = [answer("a", "a"), answer("a", "a"), answer("a", "b")]
    found = choose_threshold(answers, precision=0.9, caution=0.0)
    assert found == Selective(answer_at=math.inf, answered_share=0.0, precision=1.0)


def test_caution_asks_for_more_than_luck() -> None:
    """Three of three are not enough for nine in ten: half a standard error below is .923 · …"""
    few, many = [answer("a", "a")] * 2, [answer("a", "a")] * 3
    assert choose_threshold(few, precision=0.9).answered_share == 0.0  # 2 / 2.25
    assert choose_threshold(many, precision=0.9).answered_share == 1.0  # 3 / 3.25


def test_a_threshold_is_judged_by_other_examples() -> None:
    answers = [answer("a", "a", 2.0), answer("a", "b", 1.0), answer("a", None), answer("b", "b")]
    assert at_threshold(answers, 2.0) == Selective(
        answer_at=2.0, answered_share=0.25, precision=1.0
    )
    assert at_threshold(answers, 1.0) == Selective(
        answer_at=1.0, answered_share=0.75, precision=2 / 3
    )
    assert at_threshold([], 1.0) == Selective(answer_at=1.0, answered_share=0.0, precision=1.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", None]))))
def test_weighted_f1_is_that_of_tags(pairs: list[tuple[str, str | None]]) -> None:
    found = weighted_f1([answer(label, said) for label, said in pairs])
    expected = weighted_f1_of_tags([label for label, _ in pairs], [said for _, said in pairs])
    assert found == pytest.approx(expected)


def test_held_out_rules_answer_as_well_as_the_signal_lets_them() -> None:
    """A signal that is right in 28 of 30: nine in ten, and a third of the rest."""
    examples = small_talk(300, reliable=0.9)
    settings = HeldOutSettings()
    found = list(find_by_fold(mine_words, examples, settings=settings))
    mined = judge(found, examples, lexicon=Lexicon(concepts={}), settings=settings)
    answers = held_out_answers(mined)
    assert [each.example_id for each in answers] == [each.example_id for each in examples]
    assert 0.88 <= weighted_f1(answers) <= 0.97
    assert choose_threshold(answers, precision=0.9).answered_share > 0.9
    assert weighted_f1(held_out_answers(mined, by_settling)) < weighted_f1(answers)
