"""Logistic model: the odds of being right, from features of what was right so often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# On the Taobao data log-loss is the same at 1 and at 5, and calibration at 5 no worse.
RIDGE = 5.0
_STEPS = 50
_CLOSE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logistic:
    """Log-odds = intercept + features · weights."""

    intercept: float
    weights: Floats

    def predict(self, features: Floats) -> Floats:
        """`[R]` probabilities of the rows of `[R, F]` features."""
        return _probability(self.intercept + features @ self.weights)


def fit_logistic(
    features: Floats, right: Floats, tried: Floats, *, ridge: float = RIDGE
) -> Logistic:
    """Fit by iteratively reweighted least squares, on features of mean 0 and deviation 1.

    To what was tried, two tries of average features are added, one right and one wrong: so that
    all right, or nothing tried, still has finite odds.

    Args:
        features: `[R, F]`.
        right: `[R]`; how often a row was right.
        tried: `[R]`; how often it was tried.
        ridge: added to the squared weights, halved; no penalty on the intercept.

    Source: McCullagh and Nelder 1989, "Generalized linear models", 2.5; le Cessie and van
    Houwelingen 1992, "Ridge estimators in logistic regression".
    """
    mean, scale = _spread(features, tried)
    rows = np.vstack([np.zeros(features.shape[1]), (features - mean) / scale])
    design = np.hstack([np.ones((len(rows), 1)), rows])
    hits, tries = np.r_[1.0, right], np.r_[2.0, tried]
    penalty = np.r_[0.0, np.full(features.shape[1], ridge)]
    weights: Floats = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        step = _newton_step(design, hits, tries, penalty, weights)
        before = _loss(design, hits, tries, penalty, weights)
        while _loss(design, hits, tries, penalty, weights + step) > before + _CLOSE:
            step = step / 2
        weights += step
        if np.abs(step).max() < _CLOSE:
            break
    raw = weights[1:] / scale
    return Logistic(intercept=float(weights[0] - raw @ mean), weights=raw)


def _spread(features: Floats, tried: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of each feature over the tries; a feature that never varies keeps 1."""
    total = tried.sum()
    if not total:
        return np.zeros(features.shape[1]), np.ones(features.shape[1])
    mean = tried @ features / total
    deviation = np.sqrt(tried @ (features - mean) ** 2 / total)
    return mean, np.where(deviation > _CLOSE, deviation, 1.0)


def _newton_step(
    design: Floats, hits: Floats, tries: Floats, penalty: Floats, weights: Floats
) -> Floats:
    expected = _probability(design @ weights)
    slope = design.T @ (hits - tries * expected) - penalty * weights
    bend = (design * (tries * expected * (1.0 - expected))[:, np.newaxis]).T @ design
    return np.linalg.solve(bend + np.diag(penalty), slope).astype(np.float64, copy=False)


def _loss(design: Floats, hits: Floats, tries: Floats, penalty: Floats, weights: Floats) -> float:
    logits = design @ weights
    fit = tries * np.logaddexp(0.0, logits) - hits * logits
    return float(fit.sum() + (penalty * weights * weights).sum() / 2)


def _probability(logits: Floats) -> Floats:
    chances: Floats = np.exp(-np.logaddexp(0.0, -logits))
    return chances
