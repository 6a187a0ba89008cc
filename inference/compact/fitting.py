"""Fits the linear part of a compact model and writes it as an ONNX graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.compact.features import FeatureSpace
from inference.compact.observed import Observed
from inference.errors import MissingExtra

DUAL_EXAMPLES = 2000  # up to here fitting in the span of the examples is the cheaper way
OPSETS = {"": 17, "ai.onnx.ml": 3}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Logits = features · weightsᵀ + bias; weights `[C, D]`, bias `[C]`."""

    weights: Floats
    bias: Floats

    def logits(self, rows: Any) -> Floats:
        """`[N, D]` sparse rows → `[N, C]` logits."""
        return np.asarray(rows @ self.weights.T) + self.bias


def sparse_rows(space: FeatureSpace, observed: Sequence[Observed]) -> Any:
    """`[N, D]` of a sparse matrix: what `FeatureSpace.vectors` gives densely."""
    try:
        from scipy.sparse import csr_array  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_training(error) from error

    ends, positions, values = [0], [], []
    for each in observed:
        at, value = space.entries(each)
        positions += at
        values += value
        ends.append(len(positions))
    return csr_array(
        (values, positions, ends), shape=(len(observed), space.width), dtype=np.float64
    )


def fit_linear(
    rows: Any, labels: NDArray[np.int64], weights: Floats, *, count: int, strength: float
) -> Linear:
    """Fit a multinomial logistic regression.

    Args:
        rows: `[N, D]` sparse features.
        labels: `[N]` label indices below `count`, each of which occurs.
        weights: `[N]` how much each row counts.
        count: C, the number of labels.
        strength: inverse of the L2 regularisation.
    """
    if count == 1:
        return Linear(weights=np.zeros((1, rows.shape[1])), bias=np.zeros(1))
    base, back = _span(rows)
    coefficients, bias = _logistic(base, labels, weights, strength)
    return Linear(weights=np.asarray(coefficients @ back), bias=bias)


def to_onnx(model: Linear, name: str) -> bytes:
    """The graph `features [B, D] → logits [B, C]`, equal bytes for equal numbers.

    Raises:
        MissingExtra: scikit-learn or skl2onnx is not installed.
    """
    try:
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType
        from sklearn.linear_model import LinearRegression
    except ImportError as error:
        raise missing_training(error) from error
    # The logistic regression's affine part alone: the temperature is applied to raw logits.
    affine = LinearRegression()
    affine.coef_, affine.intercept_ = model.weights, model.bias
    affine.n_features_in_ = model.weights.shape[1]
    kind = FloatTensorType([None, model.weights.shape[1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations between skl2onnx, onnx and numpy
        graph = convert_sklearn(
            affine, name=name, initial_types=[("features", kind)], target_opset=OPSETS
        )
    content = graph.SerializeToString(deterministic=True)
    if not isinstance(content, bytes):
        raise TypeError("a serialised graph is bytes")
    return content


def missing_training(error: ImportError) -> MissingExtra:
    """Which package of the training extra is missing."""
    module = (error.name or "sklearn").split(".")[0]
    return MissingExtra(
        {"sklearn": "scikit-learn", "scipy": "scikit-learn"}.get(module, module), "train"
    )


def _span(rows: Any) -> tuple[Floats, Floats | Any]:
    """Rows in a basis of few dimensions, and the matrix that takes weights back.

    An L2-regularised linear model lies in the span of its examples, so with fewer examples than
    features it can be fitted there, exactly and in far less time.
    """
    if rows.shape[0] > DUAL_EXAMPLES or rows.shape[0] >= rows.shape[1]:
        from scipy.sparse import eye_array

        return rows, eye_array(rows.shape[1])
    gram = np.asarray((rows @ rows.T).todense())
    values, vectors = np.linalg.eigh(gram)
    kept = values > 1e-9 * max(values.max(), 1e-12)
    roots = np.sqrt(values[kept])
    return vectors[:, kept] * roots, np.asarray((rows.T @ (vectors[:, kept] / roots)).T)


def _logistic(
    base: Any, labels: NDArray[np.int64], weights: Floats, strength: float
) -> tuple[Floats, Floats]:
    """`[C, R]` coefficients and `[C]` biases in a base of R dimensions."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise missing_training(error) from error
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 300 steps are enough; whether held-out shows it
        model.fit(base, labels, sample_weight=weights)
    coefficients, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(coefficients) == 1:  # two labels: one row, the logit of the second against the first
        coefficients = np.vstack([-coefficients, coefficients]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    if not np.isfinite(coefficients).all():
        raise ValueError("the fit did not give finite weights")
    return coefficients, bias
