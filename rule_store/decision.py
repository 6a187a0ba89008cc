"""Decision: which rules fired → a verdict, or votes, to be weighed alone or with the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rule_store.errors import ReliabilityMissing
from rule_store.rules import Abstained, Answered, Evaluation, Rule, Verdict

# A rule's odds are never taken as better than 99 : 1 or worse than 1 : 99, however few firings
# its reliability was estimated on.
VOTE_RELIABILITY_MIN = 0.01
VOTE_RELIABILITY_MAX = 0.99
# How much a rule counts beside a better one of its label: they fire on the same words. Of 0 to 1 in
# tenths, .2 and .3 have the least log-loss on held-out Taobao examples, and .3 the better F1.
REPEATED_SHARE = 0.3
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
    # As `agreed` has it, without laying votes out: the tagger does this for every event.
    if len({rule.label for rule in fired}) > 1:
        return Abstained(reason="conflict", rules=ids)
    best = max([_known(rule, reliability) for rule in fired])
    if best < answer_at:
        return Abstained(reason="below_threshold", rules=ids)
    return Answered(label=fired[0].label, reliability=best, rules=ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What a fired rule says, and its reliability in [0, 1]."""

    label: str
    reliability: float


def cast_votes(fired: Iterable[Rule], reliability: Mapping[str, float]) -> tuple[Vote, ...]:
    """The votes of rules that fired, in their order.

    Raises:
        ReliabilityMissing: a rule fired that `reliability` does not hold.
    """
    return tuple([Vote(label=rule.label, reliability=_known(rule, reliability)) for rule in fired])


def agreed(votes: Sequence[Vote]) -> Vote | None:
    """The most reliable vote when all are for one label; None when they are not, or none is.

    `settle` answers this from its reliability on.
    """
    if len({vote.label for vote in votes}) != 1:
        return None
    return max(votes, key=lambda vote: vote.reliability)


def sum_votes(votes: Iterable[Vote], *, labels: Iterable[str]) -> dict[str, float]:
    """Sum the votes' log-odds by label, for a model that weighs them with its own.

    A rule that is right less than half the time says nothing; one whose label is not among
    `labels` has no vote.

    Returns:
        Every label of `labels` → Σ max(0, log(r / (1 - r))), r clipped to [0.01, 0.99].
    """
    sums = dict.fromkeys(labels, 0.0)
    for vote in votes:
        if vote.label in sums:
            clipped = _clipped(vote.reliability)
            sums[vote.label] += max(0.0, math.log(clipped / (1.0 - clipped)))
    return sums


def weigh_labels(votes: Iterable[Vote]) -> dict[str, float]:
    """Weigh labels by their votes alone, where there is no model.

    A label fails when all its rules do. Rules of a label would fail apart in a noisy or; these do
    not, so the best of them counts whole and the others at `REPEATED_SHARE`.

    Returns:
        Every label with a vote, in their order → o / (1 + Σ o), with its odds o = (1 - f) / f and
        f = (1 - max r) Π (1 - r)^.3 over the other rules, r clipped to [0.01, 0.99]. What is left
        to 1 is for labels without a vote.

    Source: Pearl 1988, "Probabilistic reasoning in intelligent systems", 4.3.2 (noisy or).

    >>> def vote(label, reliability):
    ...     return Vote(label=label, reliability=reliability)
    >>> {k: round(p, 3) for k, p in weigh_labels([vote("a", 0.8), vote("b", 0.6)]).items()}
    {'a': 0.615, 'b': 0.231}
    >>> {k: round(p, 3) for k, p in weigh_labels([vote("a", 0.8), vote("a", 0.6)]).items()}
    {'a': 0.848}
    """
    by_label: dict[str, list[float]] = {}
    for vote in votes:
        by_label.setdefault(vote.label, []).append(_clipped(vote.reliability))
    log_odds = {label: _log_odds(known) for label, known in by_label.items()}
    # Thousands of rules may agree: only odds against the best of them stay within bounds.
    top = max([0.0, *log_odds.values()])
    odds = {label: math.exp(each - top) for label, each in log_odds.items()}
    whole = math.fsum([math.exp(-top), *odds.values()])
    return {label: each / whole for label, each in odds.items()}


def _log_odds(known: Sequence[float]) -> float:
    """log((1 - f) / f); the same for the same reliabilities in any order."""
    fails = sorted([math.log1p(-each) for each in known])
    log_failing = math.fsum([fails[0], *[REPEATED_SHARE * each for each in fails[1:]]])
    return math.log(-math.expm1(log_failing)) - log_failing


def _clipped(reliability: float) -> float:
    return min(max(reliability, VOTE_RELIABILITY_MIN), VOTE_RELIABILITY_MAX)


def _known(rule: Rule, reliability: Mapping[str, float]) -> float:
    try:
        return reliability[rule.id]
    except KeyError:
        raise ReliabilityMissing(rule.id) from None


def _ids(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple([rule.id for rule in rules])
