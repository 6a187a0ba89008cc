"""What the tagger answers and what it hands on."""

import pytest

from rule_store import Abstained, AbstainReason, Answered
from streams.routing import AnswerNow, Defer, route

ANSWERED = Answered(label="track", reliability=0.9, rules=("r",))


def test_an_answer_of_the_rules_stands() -> None:
    assert route(ANSWERED) == AnswerNow(verdict=ANSWERED)


def test_without_early_answers_even_an_answer_goes_to_the_resolver() -> None:
    assert route(ANSWERED, early_answer=False) == Defer(reason="no_early_answer")


@pytest.mark.parametrize("reason", ["no_rule", "conflict", "below_threshold", "needs_screen"])
@pytest.mark.parametrize("early_answer", [True, False])
def test_an_abstention_is_deferred_with_its_reason(
    reason: AbstainReason, early_answer: bool
) -> None:
    verdict = Abstained(reason=reason, rules=())
    assert route(verdict, early_answer=early_answer) == Defer(reason=reason)
