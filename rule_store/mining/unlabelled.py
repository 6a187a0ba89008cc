"""Unlabelled: what examples without labels tell of rules, by where they fire and agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from rule_store.compiled import CompiledRules
from rule_store.evidence import Evidence
from rule_store.lexicon import Lexicon
from rule_store.rules import Rule, RuleSet

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# How many firings what is assumed of a rule is worth against its agreements.
_STRENGTH = 10.0
_ROUNDS = 50
# Digits that estimates keep: what lies beyond differs between machines.
_DIGITS = 6
# Keeps logarithms finite; no agreement makes a rule certain.
_SURE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlabelledEvidence:
    """An example whose label nobody gave; its id is that of the event.

    dialogue_id: of the dialogue that the event shows at one moment; left out, the example id.
    """

    example_id: str
    evidence: Evidence
    dialogue_id: str = ""

    def __post_init__(self) -> None:
        if not self.dialogue_id:
            object.__setattr__(self, "dialogue_id", self.example_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEstimate:
    """What unlabelled examples tell of a rule.

    fired: examples that it covers.
    overlaps: of these, how many another rule covers as well.
    conflicts: of these, how many a rule of another label covers as well.
    accuracy: share of its firings that is right, as far as agreement can tell.
    """

    fired: int
    overlaps: int
    conflicts: int
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What unlabelled examples tell of the rules of a task.

    examples: how many there are.
    covered: those at which a rule fires. conflicting: those at which rules of two labels fire.
    rules: by rule id, in the order of the rules.
    """

    examples: int
    covered: int
    conflicting: int
    rules: Mapping[str, RuleEstimate]


def firings(
    rules: Sequence[Rule], examples: Sequence[UnlabelledEvidence], *, lexicon: Lexicon
) -> Flags:
    """`[R, N]`: whether a rule covers an example; what is unread fires nothing.

    Raises:
        UnknownConcept: the lexicon lacks a concept that a rule names.
        DuplicateRule: a rule twice.
    """
    fires = np.zeros((len(rules), len(examples)), dtype=np.bool_)
    if rules:
        position = {rule.id: place for place, rule in enumerate(rules)}
        compiled = CompiledRules.of(RuleSet(task=rules[0].task, rules=tuple(rules)), lexicon)
        for column, each in enumerate(examples):
            fired = compiled.evaluate(each.evidence).fired
            fires[[position[rule.id] for rule in fired], column] = True
    return fires


def estimate(
    rules: Sequence[Rule], fires: Flags, *, label_names: Sequence[str], assumed: float
) -> Estimates:
    """Estimate how good rules are from where they fire, alone and together.

    Args:
        rules: R of them, of one task.
        fires: `[R, N]`, as `firings` gives it.
        label_names: all labels of the task.
        assumed: the reliability that a rule has before it is compared with others, in (0, 1).
    """
    implied = np.array([label_names.index(rule.label) for rule in rules], dtype=np.int64)
    votes = np.eye(len(label_names))[implied]
    per_label = fires.T.astype(np.float64) @ votes
    several = fires.sum(axis=0) > 1
    labels_voted = (per_label > 0).sum(axis=1)
    accuracy = agreement(fires, implied, labels=len(label_names), assumed=assumed)
    found = {
        rule.id: RuleEstimate(
            fired=int(row.sum()),
            overlaps=int((row & several).sum()),
            conflicts=int((row & (labels_voted > 1)).sum()),
            accuracy=float(accuracy[place]),
        )
        for place, (rule, row) in enumerate(zip(rules, fires, strict=True))
    }
    return Estimates(
        examples=fires.shape[1],
        covered=int((labels_voted > 0).sum()),
        conflicting=int((labels_voted > 1).sum()),
        rules=MappingProxyType(found),
    )


def agreement(
    fires: Flags, implied: npt.NDArray[np.int64], *, labels: int, assumed: float
) -> Floats:
    """Estimate the accuracy of rules from how often they agree, without any label.

    Each rule is right in an unknown share of its firings, whatever the label, and otherwise names
    any other label alike; all labels are equally likely at first. Expectation maximisation finds
    the shares under which what fired together is likeliest, with `assumed` worth ten firings.

    A rule that always fires alone keeps what was assumed. Rules that err together, such as two
    that look for the same phrase, confirm each other: it can tell which rules to look at, and
    stands for no labelled example.

    Args:
        fires: `[R, N]`; whether a rule covers an example.
        implied: `[R]`; position of each rule's label.
        labels: how many the task has.
        assumed: in (0, 1).

    Returns:
        `[R]`, to six decimals.

    Source: Dawid and Skene 1979, "Maximum likelihood estimation of observer error-rates using the
    EM algorithm", with one rate a rule; abstentions as in Ratner et al. 2016, "Data programming".
    """
    right = np.full(len(fires), assumed)
    fired = fires.astype(np.float64)
    firing_counts = fired.sum(axis=1)
    votes = np.eye(labels)[implied]
    for _ in range(_ROUNDS if labels > 1 else 0):
        odds = np.log(right) - np.log((1.0 - right) / (labels - 1))
        scores = fired.T @ (votes * odds[:, np.newaxis])
        scores -= scores.max(axis=1, keepdims=True)
        likely = np.exp(scores)
        likely /= likely.sum(axis=1, keepdims=True)
        hits = (fired * likely.T[implied]).sum(axis=1)
        right = (_STRENGTH * assumed + hits) / (_STRENGTH + firing_counts)
        right = np.clip(right, _SURE, 1.0 - _SURE)
    estimated: Floats = np.round(right, _DIGITS)
    return estimated
