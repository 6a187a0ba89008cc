"""Fits λ and the thresholds of one task on answers that nobody was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rule_store import Answered, Evaluation, settle, votes
from streams.evaluation import weighted_f1
from streams.fusion import FusionWeights, fuse

_VOTE_WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_FUSE_AT = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)
NEVER = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRow:
    """One held-out question.

    probabilities: label → out-of-fold probability of the model.
    evaluation: the rules that fired; rules mined from this example must be left out.
    """

    label: str
    probabilities: Mapping[str, float]
    evaluation: Evaluation


def fit_weights(
    rows: Sequence[FitRow],
    reliability: Mapping[str, float],
    *,
    labels: Sequence[str],
    f1_given_up: float,
) -> FusionWeights:
    """Fit the three numbers that a release holds for a task.

    λ maximises weighted F1 of the fused answers, the smallest winning a tie. `answer_at` is the
    lowest reliability at which answering by rules alone gives up at most `f1_given_up` of that:
    what is given up buys model calls saved. `fuse_at` is the highest confidence that, as the bound
    of abstention, gives up as little.

    Args:
        rows: held-out questions.
        reliability: rule id → reliability.
        labels: of the task.
        f1_given_up: in weighted F1, for example 0.01.
    """
    spoken = [votes(row.evaluation.fired, reliability, labels=labels) for row in rows]
    right = [row.label for row in rows]

    def f1(weights: FusionWeights) -> float:
        answers = [
            _answer(row, row_votes, reliability, weights)
            for row, row_votes in zip(rows, spoken, strict=True)
        ]
        return weighted_f1(right, answers)

    best = max(
        (
            FusionWeights(answer_at=NEVER, fuse_at=0.0, vote_weight=weight)
            for weight in _VOTE_WEIGHTS
        ),
        key=f1,
    )
    floor = f1(best) - f1_given_up
    # Both bounds spend from the same allowance, the model calls saved first.
    for answer_at in sorted({value for value in reliability.values() if value < NEVER}):
        candidate = FusionWeights(answer_at=answer_at, fuse_at=0.0, vote_weight=best.vote_weight)
        if f1(candidate) >= floor:
            best = candidate
            break
    for fuse_at in _FUSE_AT[1:]:
        candidate = FusionWeights(
            answer_at=best.answer_at, fuse_at=fuse_at, vote_weight=best.vote_weight
        )
        if f1(candidate) < floor:
            break
        best = candidate
    return best


def _answer(
    row: FitRow,
    row_votes: Mapping[str, float],
    reliability: Mapping[str, float],
    weights: FusionWeights,
) -> str | None:
    verdict = settle(row.evaluation, reliability=reliability, answer_at=weights.answer_at)
    if isinstance(verdict, Answered):
        return verdict.label
    return fuse(row.probabilities, row_votes, weights=weights).label
