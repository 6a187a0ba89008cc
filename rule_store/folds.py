"""Which examples are held out together."""

from __future__ import annotations

import hashlib

FOLDS = 5
ADMISSION_ONE_IN = 10


def fold(dialogue_id: str, *, seed: int = 0, folds: int = FOLDS) -> int:
    """The fold of a dialogue's examples.

    SHA-256 of `"{seed}:{dialogue_id}"` as a big-endian number, mod folds. Examples of one dialogue
    repeat each other: apart, one would be judged by what was learned from the other.

    A model's training has the same function, so that mining and training, run apart, hold out the
    same examples.

    >>> [fold(name) for name in ("d0", "d1", "d2", "d3")]
    [3, 1, 1, 4]
    """
    return _number(f"{seed}:{dialogue_id}") % folds


def is_admission(dialogue_id: str) -> bool:
    """Whether a dialogue belongs to the one in ten that only the gate of a refresh may read.

    It depends on the id alone: another fold seed must not let a dialogue out of the split.

    >>> [name for name in map(str, range(20)) if is_admission(name)]
    ['2', '3', '4', '8']
    """
    return _number(f"admission:{dialogue_id}") % ADMISSION_ONE_IN == 0


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
