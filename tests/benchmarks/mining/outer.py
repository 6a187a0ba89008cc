"""Outer folds: what everything is chosen by, and what is only judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rule_store.folds import FOLDS, fold
from rule_store.mining.table import LabelledEvidence

Flags = npt.NDArray[np.bool_]

# The author of the taobao pack has read the examples of these folds: its figures are honest on
# the others alone.
READ_SEED = 1
READ_FOLDS = frozenset({0, 1, 2})


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterFold:
    """places: of the test part among all examples."""

    training: tuple[LabelledEvidence, ...]
    test: tuple[LabelledEvidence, ...]
    places: tuple[int, ...]


def outer_folds(
    examples: Sequence[LabelledEvidence], *, seed: int, folds: int = FOLDS
) -> tuple[OuterFold, ...]:
    """Every example is in one test part; parts without an example are left out."""
    numbers = [fold(each.example_id, seed=seed, folds=folds) for each in examples]
    found = []
    for held in sorted(set(numbers)):
        places = tuple(place for place, number in enumerate(numbers) if number == held)
        found.append(
            OuterFold(
                training=tuple(
                    each for each, number in zip(examples, numbers, strict=True) if number != held
                ),
                test=tuple(examples[place] for place in places),
                places=places,
            )
        )
    return tuple(found)


def unread(examples: Sequence[LabelledEvidence]) -> Flags:
    """`[N]`: which examples the pack's author has not read: half B."""
    return np.array(
        [fold(each.example_id, seed=READ_SEED, folds=FOLDS) not in READ_FOLDS for each in examples]
    )
