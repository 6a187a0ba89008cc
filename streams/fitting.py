"""Fits λ and the thresholds of one task on answers that nobody was trained on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rule_store import Vote, agreed, sum_votes
from streams.evaluation import weighted_f1
from streams.fusion import Fused, FusionWeights, fuse
from streams.running_f1 import RunningF1

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
    voted = [_Voted(row, agreed(row.votes), sum_votes(row.votes, labels=labels)) for row in rows]
    right = [row.label for row in rows]

    def f1(asked: Sequence[_Asked], weights: FusionWeights) -> float:
        return weighted_f1(right, [each.answer(weights) for each in asked])

    tried = [
        FusionWeights(answer_at=NEVER, fuse_at=0.0, vote_weight=weight) for weight in _VOTE_WEIGHTS
    ]
    # What a model and votes say together depends on λ alone: the bounds only choose from it.
    fused = {each.vote_weight: [row.asked(each) for row in voted] for each in tried}
    best = max(tried, key=lambda weights: f1(fused[weights.vote_weight], weights))
    asked = fused[best.vote_weight]
    # Both bounds spend from the same allowance, the model calls saved first.
    floor = f1(asked, best) - f1_given_up
    best = replace(best, answer_at=_answer_at(asked, floor=floor))
    for fuse_at in _FUSE_AT[1:]:
        candidate = replace(best, fuse_at=fuse_at)
        if f1(asked, candidate) < floor:
            break
        best = candidate
    return best


@dataclass(frozen=True, slots=True)
class _Voted:
    """A row with what its rules agree on, if they do, and their votes by label."""

    row: FitRow
    agreed: Vote | None
    summed: Mapping[str, float]

    def asked(self, weights: FusionWeights) -> "_Asked":
        fused = fuse(self.row.probabilities, self.summed, weights=weights)
        return _Asked(self.row.label, self.agreed, fused)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rules of a row agree on, if they do, and what model and votes say together."""

    right: str
    agreed: Vote | None
    fused: Fused

    def answer(self, weights: FusionWeights) -> str | None:
        if self.agreed is not None and self.agreed.reliability >= weights.answer_at:
            return self.agreed.label
        return self.fused.label if self.fused.confidence >= weights.fuse_at else None


def _answer_at(asked: Sequence[_Asked], *, floor: float) -> float:
    """The lowest reliability from which rules may answer alone; NEVER where none keeps the floor.

    From one bound to the next only the answers of the rules between them change.
    """
    lowest = FusionWeights(answer_at=_ANSWER_AT_LEAST, fuse_at=0.0, vote_weight=0.0)
    f1 = RunningF1([each.right for each in asked], [each.answer(lowest) for each in asked])
    by_bound: defaultdict[float, list[_Asked]] = defaultdict(list)
    for each in asked:
        if each.agreed is not None and _ANSWER_AT_LEAST <= each.agreed.reliability < NEVER:
            by_bound[each.agreed.reliability].append(each)
    for bound in sorted(by_bound):
        if f1.f1 >= floor:
            return bound
        for each in by_bound[bound]:
            f1.change(each.right, before=each.answer(lowest), after=each.fused.label)
    return NEVER
