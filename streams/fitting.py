"""Fits λ and the thresholds of one task on answers that nobody was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rule_store import Vote, agreed, sum_votes
from streams.evaluation import weighted_f1
from streams.fusion import FusionWeights, fuse

_VOTE_WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_FUSE_AT = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)
# A rule that is wrong more often than right does not answer where there is a model to ask.
_ANSWER_AT_LEAST = 0.5
NEVER = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRow:
    """One held-out question.

    probabilities: label → out-of-fold probability of the model.
    votes: of the rules that fired, but of none mined from this example.
    """

    label: str
    probabilities: Mapping[str, float]
    votes: tuple[Vote, ...]


def fit_weights(
    rows: Sequence[FitRow], *, labels: Sequence[str], f1_given_up: float
) -> FusionWeights:
    """Fit the three numbers that a release holds for a task.

    λ maximises weighted F1 of the fused answers, the smallest winning a tie. `answer_at` is the
    lowest reliability from one half at which answering by rules alone gives up at most
    `f1_given_up` of that: what is given up buys model calls saved. `fuse_at` is the highest
    confidence that, as the bound of abstention, gives up as little.

    Args:
        rows: held-out questions.
        labels: of the task.
        f1_given_up: in weighted F1, for example 0.01.
    """
    asked = [_Asked(row, agreed(row.votes), sum_votes(row.votes, labels=labels)) for row in rows]
    right = [row.label for row in rows]

    def f1(weights: FusionWeights) -> float:
        return weighted_f1(right, [each.answer(weights) for each in asked])

    best = max(
        (
            FusionWeights(answer_at=NEVER, fuse_at=0.0, vote_weight=weight)
            for weight in _VOTE_WEIGHTS
        ),
        key=f1,
    )
    floor = f1(best) - f1_given_up
    # Both bounds spend from the same allowance, the model calls saved first.
    known = {each.agreed.reliability for each in asked if each.agreed is not None}
    for answer_at in sorted(value for value in known if _ANSWER_AT_LEAST <= value < NEVER):
        candidate = replace(best, answer_at=answer_at)
        if f1(candidate) >= floor:
            best = candidate
            break
    for fuse_at in _FUSE_AT[1:]:
        candidate = replace(best, fuse_at=fuse_at)
        if f1(candidate) < floor:
            break
        best = candidate
    return best


@dataclass(frozen=True, slots=True)
class _Asked:
    """A row with what its rules agree on, if they do, and their votes by label."""

    row: FitRow
    agreed: Vote | None
    summed: Mapping[str, float]

    def answer(self, weights: FusionWeights) -> str | None:
        if self.agreed is not None and self.agreed.reliability >= weights.answer_at:
            return self.agreed.label
        return fuse(self.row.probabilities, self.summed, weights=weights).label
