"""λ and the thresholds are fitted on answers that nobody was trained on."""

from collections import UserDict
from collections.abc import ItemsView

from rule_store import Vote
from streams.fitting import _FUSE_AT, NEVER, FitRow, fit_weights

LABELS = ("a", "b")
SAYS_A, SAYS_B = Vote(label="a", reliability=0.9), Vote(label="b", reliability=0.6)


def row(label: str, p: float, *votes: Vote) -> FitRow:
    """A question whose right label is `label` and to which the model gives a with `p`."""
    return FitRow(label=label, probabilities={"a": p, "b": 1 - p}, votes=votes)


def test_a_model_that_is_always_right_needs_no_votes() -> None:
    rows = [row("a", 0.9), row("b", 0.1), row("a", 0.8, SAYS_B)]
    weights = fit_weights(rows, labels=LABELS, f1_given_up=0.0)
    assert weights.vote_weight == 0.0


def test_the_smallest_weight_that_corrects_the_model_is_taken() -> None:
    """Odds 2:3 for a become 1:1 at 9^λ = 1.5, λ = .185: the next one on the grid is .2."""
    rows = [row("a", 0.4, SAYS_A), row("b", 0.1)]
    weights = fit_weights(rows, labels=LABELS, f1_given_up=0.0)
    assert weights.vote_weight == 0.2


def test_rules_answer_alone_from_the_lowest_reliability_that_costs_nothing() -> None:
    right = [row("a", 0.9, SAYS_A), row("b", 0.1, SAYS_B)]
    weights = fit_weights(right, labels=LABELS, f1_given_up=0.0)
    assert weights.answer_at == 0.6
    wrong_b = [row("a", 0.9, SAYS_A), row("a", 0.9, SAYS_B), row("b", 0.1)]
    weights = fit_weights(wrong_b, labels=LABELS, f1_given_up=0.0)
    assert weights.answer_at == 0.9


def test_rules_that_cost_too_much_never_answer_alone() -> None:
    rows = [row("b", 0.1, SAYS_A), row("a", 0.9, SAYS_B)]
    weights = fit_weights(rows, labels=LABELS, f1_given_up=0.0)
    assert weights.answer_at == NEVER


def test_a_rule_below_one_half_answers_only_without_a_model() -> None:
    """It is right here by luck, and so is the model; answering would cost nothing."""
    rows = [row("a", 0.9, Vote(label="a", reliability=0.4)), row("b", 0.1)]
    assert fit_weights(rows, labels=LABELS, f1_given_up=1.0).answer_at == NEVER
    half = [row("a", 0.9, Vote(label="a", reliability=0.5)), row("b", 0.1)]
    assert fit_weights(half, labels=LABELS, f1_given_up=0.0).answer_at == 0.5


def test_rules_that_disagree_never_answer_alone() -> None:
    rows = [row("b", 0.1, SAYS_A, SAYS_B), row("a", 0.9)]
    assert fit_weights(rows, labels=LABELS, f1_given_up=0.0).answer_at == NEVER


def test_giving_up_everything_lets_every_rule_answer() -> None:
    rows = [row("b", 0.1, SAYS_A), row("a", 0.9, SAYS_B)]
    weights = fit_weights(rows, labels=LABELS, f1_given_up=1.0)
    assert weights.answer_at == 0.6


def test_abstaining_goes_to_the_end_of_the_grid_where_it_costs_nothing() -> None:
    """Of two labels the better one has at least .5, which is above every bound tried."""
    weights = fit_weights([row("a", 0.9)], labels=LABELS, f1_given_up=0.0)
    assert weights.fuse_at == max(_FUSE_AT) < 0.5


def test_abstaining_stops_before_it_costs() -> None:
    """The right answer has .18: a bound of .15 keeps it, the next one, .2, would lose it."""
    labels = ("a", "b", "c", "d", "e", "f")
    flat = FitRow(
        label="a",
        probabilities={"a": 0.18, **dict.fromkeys(labels[1:], 0.164)},
        votes=(),
    )
    weights = fit_weights([flat], labels=labels, f1_given_up=0.0)
    assert weights.fuse_at == 0.15


def test_without_rules_only_the_model_is_fitted() -> None:
    weights = fit_weights([row("a", 0.9)], labels=LABELS, f1_given_up=0.0)
    assert (weights.answer_at, weights.vote_weight) == (NEVER, 0.0)


class Counting(UserDict[str, float]):
    """Probabilities that know how often they were looked through."""

    looks = 0

    def items(self) -> ItemsView[str, float]:
        self.looks += 1
        return super().items()


def test_a_model_is_weighed_as_often_however_many_reliabilities_there_are() -> None:
    """Rules that are all wrong try every reliability as the bound from which they answer."""
    looks = []
    for distinct in (1, 30):
        asked = [Counting(a=0.1, b=0.9) for _ in range(30)]
        rows = [
            FitRow(label="b", probabilities=p, votes=(Vote(label="a", reliability=reliability),))
            for place, p in enumerate(asked)
            for reliability in [0.6 + 0.01 * (place % distinct)]
        ]
        assert fit_weights(rows, labels=LABELS, f1_given_up=0.0).answer_at == NEVER
        looks.append(sum(each.looks for each in asked))
    assert looks[0] == looks[1] > 0
