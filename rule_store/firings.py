"""Firings: how often rules fire on labelled evidence, together, against each other, and rightly."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from rule_store.rules import Evaluation, RuleSet

# Two-sided 95 % of a normal distribution.
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledEvaluation:
    """What the rules of a task said of an example, and its right label."""

    example_id: str
    evaluation: Evaluation
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Firings:
    """How one rule did on the examples it was not fitted on.

    examples: held out, that is. fired: of them, those that the rule covers.
    overlaps: firings at which another rule fired too.
    conflicts: firings at which another rule gave another label.
    correct: firings at which the rule's label was right.

    Source: Ratner et al. 2017, "Snorkel", and its `LFAnalysis`.
    """

    rule: str
    examples: int
    fired: int = 0
    overlaps: int = 0
    conflicts: int = 0
    correct: int = 0

    @property
    def incorrect(self) -> int:
        return self.fired - self.correct

    @property
    def coverage(self) -> float:
        """The covered share, 0 to 1; 0 without examples."""
        return self.fired / self.examples if self.examples else 0.0

    @property
    def reliability(self) -> float | None:
        """The share of held-out firings that are right; None when there were none."""
        return self.correct / self.fired if self.fired else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the reliability lies with 95 % confidence; None when the rule never fired."""
        return wilson_interval(self.correct, self.fired) if self.fired else None


def count_firings(
    rule_set: RuleSet,
    labelled: Iterable[LabelledEvaluation],
    *,
    fitted_on: Mapping[str, Collection[str]] | None = None,
) -> tuple[Firings, ...]:
    """Count for each rule of a task, in rule-set order.

    Args:
        rule_set: the rules.
        labelled: what they said of each example.
        fitted_on: rule id → ids of the examples it was fitted on, which it leaves out.
    """
    known = {rule_id: frozenset(ids) for rule_id, ids in (fitted_on or {}).items()}
    seen = 0
    left_out = {rule.id: 0 for rule in rule_set.rules}
    counts = {rule.id: [0, 0, 0, 0] for rule in rule_set.rules}
    by_example = _rules_by_example(known)
    for each in labelled:
        seen += 1
        for rule_id in by_example.get(each.example_id, ()):
            if rule_id in left_out:
                left_out[rule_id] += 1
        fired = each.evaluation.fired
        labels = {rule.label for rule in fired}
        for rule in fired:
            if each.example_id not in known.get(rule.id, ()):
                added = (1, len(fired) > 1, len(labels) > 1, rule.label == each.label)
                counts[rule.id] = [sum(pair) for pair in zip(counts[rule.id], added, strict=True)]
    return tuple(
        Firings(
            rule=rule_id,
            examples=seen - left_out[rule_id],
            fired=fired,
            overlaps=overlaps,
            conflicts=conflicts,
            correct=correct,
        )
        for rule_id, (fired, overlaps, conflicts, correct) in counts.items()
    )


def _rules_by_example(fitted_on: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    by_example: dict[str, list[str]] = {}
    for rule_id, examples in fitted_on.items():
        for example in examples:
            by_example.setdefault(example, []).append(rule_id)
    return by_example


def wilson_interval(right: int, tried: int) -> tuple[float, float]:
    """Where a share lies with 95 % confidence.

    >>> [round(end, 3) for end in wilson_interval(9, 10)]
    [0.596, 0.982]

    Args:
        right: of those tried.
        tried: at least 1.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    share, z2 = right / tried, _Z * _Z
    middle = share + z2 / (2 * tried)
    half = _Z * math.sqrt(share * (1 - share) / tried + z2 / (4 * tried * tried))
    low, high = (middle - half) / (1 + z2 / tried), (middle + half) / (1 + z2 / tried)
    return max(0.0, low), min(1.0, high)
