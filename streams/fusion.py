"""Rule votes, and the model's probabilities → one label with one confidence and one source."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rule_store import Answered
from streams.events import Candidate, Source

_CANDIDATES = 3
# A model may give a label exactly 0; a vote must still be able to speak for it.
_FLOOR = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionWeights:
    """How votes and probabilities are weighed; from the release, or the documented defaults.

    answer_at: rules of this reliability answer without the model.
    fuse_at: below this confidence it is an abstention, with a model or without.
    vote_weight: λ ≥ 0.
    """

    answer_at: float
    fuse_at: float
    vote_weight: float


# Used until `kdsl release build --bundle … --examples …` has fitted them; `answer_at` is lower
# where the pack assumes less of its rules. λ = .3 is the middle of
# the range that helped or did no harm on both tasks of the MDSIRC data; an abstention below .2
# loses next to nothing there.
DEFAULT_WEIGHTS = FusionWeights(answer_at=0.85, fuse_at=0.2, vote_weight=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """The outcome of fusion; `label` None is an abstention with its reason."""

    label: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    source: Source
    reason: str | None


def fuse(
    probabilities: Mapping[str, float],
    votes: Mapping[str, float],
    *,
    weights: FusionWeights,
) -> Fused:
    """Weigh model probabilities and rule votes: softmax(log p + λ · votes).

    Args:
        probabilities: calibrated, one for each candidate label.
        votes: label → sum of the log-odds of the fired rules' reliabilities; labels without a
            fired rule may be left out.
        weights: λ and the confidence to answer at.

    Raises:
        ValueError: a probability is NaN or infinite; no label may come of that.

    Source: arXiv 2503.04201, where the two experts' scores are combined; naive-Bayes form.
    """
    if not all(math.isfinite(p) for p in probabilities.values()):
        raise ValueError("the model's probabilities are not numbers")
    weighed = {label: weights.vote_weight * votes.get(label, 0.0) for label in probabilities}
    fused = _softmax(
        {label: math.log(max(p, _FLOOR)) + weighed[label] for label, p in probabilities.items()}
    )
    candidates = best_candidates(fused)
    best = candidates[0]
    if best.probability < weights.fuse_at:
        return Fused(
            label=None,
            confidence=best.probability,
            candidates=candidates,
            source="abstained",
            reason="low_confidence",
        )
    source: Source = "fusion" if any(weighed.values()) else "model"
    return Fused(
        label=best.label,
        confidence=best.probability,
        candidates=candidates,
        source=source,
        reason=None,
    )


def answered_by_rules(verdict: Answered, labels: Sequence[str]) -> Fused:
    """A rule answer: the reliability is the confidence."""
    return _by_rules({verdict.label: verdict.reliability}, labels)


def weighed_by_rules(
    weighed: Mapping[str, float], labels: Sequence[str], *, fuse_at: float, reason: str
) -> Fused:
    """The likeliest label where there is no model; below `fuse_at` an abstention for this reason.

    Args:
        weighed: as `weigh_labels` gives it.
        labels: of the task.
        fuse_at: least confidence of an answer.
        reason: why the rules do not answer by themselves.
    """
    if weighed and max(weighed.values()) >= fuse_at:
        return _by_rules(weighed, labels)
    return abstained(reason, weighed, labels)


def abstained(reason: str, weighed: Mapping[str, float], labels: Sequence[str]) -> Fused:
    """An abstention without a model; its candidates are what the rules would say."""
    candidates = _shared(weighed, labels)
    return Fused(
        label=None,
        confidence=candidates[0].probability,
        candidates=candidates,
        source="abstained",
        reason=reason,
    )


def _by_rules(weighed: Mapping[str, float], labels: Sequence[str]) -> Fused:
    candidates = _shared(weighed, labels)
    return Fused(
        label=candidates[0].label,
        confidence=candidates[0].probability,
        candidates=candidates,
        source="rules",
        reason=None,
    )


def _shared(weighed: Mapping[str, float], labels: Sequence[str]) -> tuple[Candidate, ...]:
    """The best labels; those without a vote share evenly what is left.

    None of them gets more than the best vote: rules below 1/2 may answer.
    """
    others = [label for label in labels if label not in weighed]
    left = max(0.0, 1.0 - math.fsum(weighed.values())) / max(1, len(others))
    rest = min(left, max(weighed.values(), default=1.0))
    return best_candidates({**weighed, **dict.fromkeys(others, rest)})


def best_candidates(
    probabilities: Mapping[str, float], *, count: int = _CANDIDATES
) -> tuple[Candidate, ...]:
    """The most probable labels, best first; ties keep the order of the labels."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:count]
    return tuple(Candidate(label=label, probability=p) for label, p in ranked)


def _softmax(scores: Mapping[str, float]) -> dict[str, float]:
    top = max(scores.values())
    exponents = {label: math.exp(score - top) for label, score in scores.items()}
    total = sum(exponents.values())
    return {label: value / total for label, value in exponents.items()}
