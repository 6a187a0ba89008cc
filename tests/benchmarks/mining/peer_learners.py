"""Peer learners: rule learners of others, one label against the rest."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

Scorer = Callable[[Flags], Floats]
"""`[N, K]` features → `[N]`, how likely the label is; 0 where no rule says it."""

Learner = Callable[[Flags, Flags], Scorer]
"""Learns from `[N, K]` features, and `[N]` which examples have the label."""


class OutOfTime(Exception):
    """A fit took longer than it may."""


def ripper(features: Flags, positive: Flags) -> Scorer:
    """RIPPER; a rule counts for its precision on the training part, with Laplace's correction.

    Source: Cohen 1995, "Fast effective rule induction"; wittgenstein's implementation.
    """
    import wittgenstein

    learner = wittgenstein.RIPPER(random_state=0)
    learner.fit(features, positive, pos_class=True)
    rules = [
        [(int(test.feature), bool(test.val)) for test in rule.conds]
        for rule in learner.ruleset_.rules
    ]
    worth = []
    for rule in rules:
        covered = _covered(features, rule)
        worth.append((int(positive[covered].sum()) + 1) / (int(covered.sum()) + 2))

    def score(others: Flags) -> Floats:
        best = np.zeros(len(others))
        for rule, value in zip(rules, worth, strict=True):
            best = np.maximum(best, np.where(_covered(others, rule), value, 0.0))
        return best

    return score


def boosted_rules(features: Flags, positive: Flags) -> Scorer:
    """imodels' boosted rules.

    Source: Freund and Schapire 1997, "A decision-theoretic generalization of on-line learning".
    """
    import imodels

    return _fitted(imodels.BoostedRulesClassifier(random_state=0), features, positive)


def greedy_rule_list(features: Flags, positive: Flags) -> Scorer:
    """imodels' greedy rule list, a CART tree that grows on one side."""
    import imodels

    return _fitted(imodels.GreedyRuleListClassifier(), features, positive)


def skope_rules(features: Flags, positive: Flags) -> Scorer:
    """imodels' SkopeRules: rules of forests, kept by precision and recall out of bag."""
    import imodels

    return _fitted(imodels.SkopeRulesClassifier(random_state=0), features, positive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """columns: that it is given at most: of more it gets no better, or does not end in time."""

    learner: Learner
    package: str
    columns: int


PEERS: Mapping[str, Peer] = {
    "RIPPER": Peer(learner=ripper, package="wittgenstein", columns=200),
    "boosted rules": Peer(learner=boosted_rules, package="imodels", columns=1000),
    "greedy rule list": Peer(learner=greedy_rule_list, package="imodels", columns=1000),
    "SkopeRules": Peer(learner=skope_rules, package="imodels", columns=100),
}


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End what is done here after so long; for the main thread of a process.

    Raises:
        OutOfTime: it took longer.
    """

    def ended(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def quietly() -> Iterator[None]:
    """What the peers warn of is theirs to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _fitted(learner: Any, features: Flags, positive: Flags) -> Scorer:
    names = [f"c{place}" for place in range(features.shape[1])]
    learner.fit(features.astype(float), positive.astype(int), feature_names=names)

    def score(others: Flags) -> Floats:
        return np.asarray(learner.predict_proba(others.astype(float))[:, 1], dtype=np.float64)

    return score


def _covered(features: Flags, rule: list[tuple[int, bool]]) -> Flags:
    covered = np.ones(len(features), dtype=np.bool_)
    for place, wanted in rule:
        covered &= features[:, place] == wanted
    return covered
