"""Decision: which rules fired → a verdict, or votes to be fused with the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice

from rule_store.errors import ReliabilityMissing
from rule_store.rules import Abstained, Answered, Evaluation, Rule, Verdict

# A rule's odds are never taken as better than 99 : 1 or worse than 1 : 99, however few firings
# its reliability was estimated on.
VOTE_RELIABILITY_MIN = 0.01
VOTE_RELIABILITY_MAX = 0.99
# One is reason enough; with the screen unread thousands may be undecided, event after event.
UNDECIDED_NAMED = 16


def decide(
    evaluation: Evaluation, *, reliability: Mapping[str, float], answer_at: float
) -> Verdict:
    """Answer only when no undecided rule is left.

    One undecided rule is enough to abstain, whatever its label: so an answer given with the
    screen unread is the answer with any screen, its reliability and rules included. The first
    `UNDECIDED_NAMED` of them are named.

    Args:
        evaluation: what fired and what is undecided.
        reliability: rule id → share of its firings that are right, in [0, 1].
        answer_at: least reliability that answers without the model, in [0, 1].

    Raises:
        ReliabilityMissing: a rule fired that `reliability` does not hold.
    """
    if evaluation.undecided:
        named = islice(evaluation.undecided, UNDECIDED_NAMED)
        return Abstained(reason="needs_screen", rules=_ids(named))
    return settle(evaluation, reliability=reliability, answer_at=answer_at)


def settle(
    evaluation: Evaluation, *, reliability: Mapping[str, float], answer_at: float
) -> Verdict:
    """Decide for good: undecided rules neither fire nor fail, for a screen nobody can read.

    Args and Raises as in `decide`.
    """
    fired = evaluation.fired
    ids = _ids(fired)
    if not fired:
        return Abstained(reason="no_rule", rules=())
    if len({rule.label for rule in fired}) > 1:
        return Abstained(reason="conflict", rules=ids)
    best = max([_reliability(rule, reliability) for rule in fired])
    if best < answer_at:
        return Abstained(reason="below_threshold", rules=ids)
    return Answered(label=fired[0].label, reliability=best, rules=ids)


def votes(
    fired: Iterable[Rule], reliability: Mapping[str, float], *, labels: Iterable[str]
) -> Mapping[str, float]:
    """Sum the fired rules' log-odds by label.

    A rule that is right less than half the time says nothing; one whose label is not among
    `labels` has no vote.

    Returns:
        Every label of `labels` → Σ max(0, log(r / (1 - r))), r clipped to [0.01, 0.99].

    Raises:
        ReliabilityMissing: a rule fired that `reliability` does not hold.
    """
    sums = dict.fromkeys(labels, 0.0)
    for rule in fired:
        if rule.label in sums:
            sums[rule.label] += max(0.0, _log_odds(_reliability(rule, reliability)))
    return sums


def _log_odds(reliability: float) -> float:
    clipped = min(max(reliability, VOTE_RELIABILITY_MIN), VOTE_RELIABILITY_MAX)
    return math.log(clipped / (1.0 - clipped))


def _reliability(rule: Rule, reliability: Mapping[str, float]) -> float:
    try:
        return reliability[rule.id]
    except KeyError:
        raise ReliabilityMissing(rule.id) from None


def _ids(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple([rule.id for rule in rules])
