"""Firing table: which rules fire on which examples, as the live engine says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rule_store.compiled import CompiledRules
from rule_store.lexicon import Lexicon
from rule_store.mining.table import LabelledEvidence
from rule_store.reliability import TrainingCounts
from rule_store.rules import Rule, RuleSet

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FiringTable:
    """In the shapes, `R` is the number of rules and `N` of examples.

    fires: `[R, N]`; whether a rule covers an example.
    implied: `[R]`; number of each rule's label.
    given: `[N]`; number of each example's label.
    """

    rules: tuple[Rule, ...]
    fires: Flags
    implied: Labels
    given: Labels

    @classmethod
    def of(
        cls, rules: Sequence[Rule], examples: Sequence[LabelledEvidence], *, lexicon: Lexicon
    ) -> Self:
        """Put the rules of one task to every example.

        Raises:
            UnknownConcept: the lexicon lacks a concept that a rule names.
            DuplicateRule: a rule twice.
        """
        fires = np.zeros((len(rules), len(examples)), dtype=np.bool_)
        if rules:
            position = {rule.id: place for place, rule in enumerate(rules)}
            rule_set = RuleSet(task=rules[0].task, rules=tuple(rules))
            compiled = CompiledRules.of(rule_set, lexicon)
            for column, each in enumerate(examples):
                fired = compiled.evaluate(each.evidence).fired
                fires[[position[rule.id] for rule in fired], column] = True
        labels = {rule.label for rule in rules} | {each.label for each in examples}
        number = {label: place for place, label in enumerate(sorted(labels))}
        return cls(
            rules=tuple(rules),
            fires=fires,
            implied=np.array([number[rule.label] for rule in rules], dtype=np.int32),
            given=np.array([number[each.label] for each in examples], dtype=np.int32),
        )

    def counts(self, among: Flags) -> tuple[TrainingCounts, ...]:
        """Count for each rule, among the examples flagged in `[N]`."""
        fires, given = self.fires[:, among], self.given[among]
        fired = np.count_nonzero(fires, axis=1)
        right, positives = np.zeros_like(fired), np.zeros_like(fired)
        for label in np.unique(self.implied):
            rules, examples = self.implied == label, given == label
            right[rules] = np.count_nonzero(fires[np.ix_(rules, examples)], axis=1)
            positives[rules] = np.count_nonzero(examples)
        columns = (right.tolist(), (fired - right).tolist(), positives.tolist())
        return tuple(
            TrainingCounts(right=hits, wrong=misses, positives=size, examples=len(given))
            for hits, misses, size in zip(*columns, strict=True)
        )

    def fired(self, chosen: Iterable[str], examples: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Position of each of these examples → ids of the chosen rules that fire on it."""
        position = {rule.id: place for place, rule in enumerate(self.rules)}
        ids = list(chosen)
        fires = self.fires[[position[rule_id] for rule_id in ids]]
        return {
            place: tuple(ids[row] for row in np.flatnonzero(fires[:, place]).tolist())
            for place in examples
        }
