"""Fits what is believed of mined rules to what such rules did when held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rule_store.mining.logistic import RIDGE, fit_logistic
from rule_store.reliability import (
    FEATURES,
    HeldOutFirings,
    ReliabilityModel,
    features,
    fit_strength,
)

# A prior of mean 0 or 1 would let no firing change it.
_SURE = 1e-3


def fit_reliability(
    held_out: Sequence[HeldOutFirings], *, ridge: float = RIDGE
) -> ReliabilityModel:
    """Fit the model of reliability: each firing is one try, the rule's training counts say how.

    Args:
        held_out: rules of minings that each left out a fold, with their firings on that fold.
            None at all gives a model that says one half of everything.
        ridge: of the weights, on features of deviation 1.
    """
    fired = [each for each in held_out if each.fired]
    rows = np.array([features(each.rule, each.training) for each in fired], dtype=np.float64)
    rows = rows.reshape(len(fired), len(FEATURES))
    right = np.array([each.right for each in fired], dtype=np.float64)
    tried = np.array([each.fired for each in fired], dtype=np.float64)
    model = fit_logistic(rows, right, tried, ridge=ridge)
    means: list[float] = np.clip(model.predict(rows), _SURE, 1.0 - _SURE).tolist()
    outcomes = [(each.right, each.fired - each.right) for each in fired]
    return ReliabilityModel(
        intercept=model.intercept,
        weights=tuple(model.weights.tolist()),
        strength=1.0 / (1.0 / fit_strength(outcomes, means) + _leverage(float(tried.sum()))),
        examples=sum(each.training.examples for each in fired) / max(1, len(fired)),
    )


def _leverage(firings: float) -> float:
    """What not knowing the weights adds to the variance of a rule, over m (1 - m).

    For a rule like those it was fitted to that is, on average, the number of weights by that of
    firings: the leverages of a linear model add up to the number of its weights.
    """
    return (len(FEATURES) + 1) / (firings + len(FEATURES) + 1)
