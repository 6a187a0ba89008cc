"""Held out: rules mined without each fold of the examples, so that the fold can judge them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rule_store.folds import FOLDS, fold
from rule_store.mining.cover import CoverSettings
from rule_store.mining.logistic import RIDGE
from rule_store.mining.table import LabelledEvidence
from rule_store.rules import Rule


class Miner(Protocol):
    """Finds rules of one task; whatever it chooses, it chooses by these examples alone."""

    def __call__(self, examples: Sequence[LabelledEvidence]) -> Sequence[Rule]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutSettings:
    """How examples are held out, and how rules are judged and chosen.

    folds, fold_seed: as `fold` takes them.
    ridge: of the model of reliability.
    cover: which of the found rules are kept.
    """

    folds: int = FOLDS
    fold_seed: int = 0
    ridge: float = RIDGE
    cover: CoverSettings = field(default_factory=CoverSettings)


def folds_of(
    examples: Sequence[LabelledEvidence], settings: HeldOutSettings
) -> npt.NDArray[np.int32]:
    """`[N]`: the fold of each example; those of one dialogue are in one."""
    numbers = [
        fold(each.dialogue_id, seed=settings.fold_seed, folds=settings.folds) for each in examples
    ]
    return np.array(numbers, dtype=np.int32)


def find_by_fold(
    miner: Miner,
    examples: Sequence[LabelledEvidence],
    *,
    settings: HeldOutSettings,
    known: Sequence[tuple[Rule, ...]] = (),
) -> Iterator[tuple[Rule, ...]]:
    """Mine without each fold in turn, and last on all examples.

    Args:
        miner: finds rules.
        examples: of one task.
        settings: which examples form a fold.
        known: what an earlier run yielded before it was stopped; it is given again unmined.
    """
    yield from known
    numbers = folds_of(examples, settings)
    for held in range(len(known), settings.folds):
        kept = np.flatnonzero(numbers != held).tolist()
        yield tuple(miner([examples[place] for place in kept]))
    if len(known) <= settings.folds:
        yield tuple(miner(examples))
