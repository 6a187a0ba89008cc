"""Which examples are held out together."""

from __future__ import annotations

import hashlib

FOLDS = 5
ADMISSION_ONE_IN = 10


def fold(example_id: str, *, seed: int = 0, folds: int = FOLDS) -> int:
    """The fold of an example: SHA-256 of `"{seed}:{example_id}"` as a big-endian number, mod folds.

    A model's training has the same function, so that mining and training, run apart, hold out the
    same examples.

    >>> [fold(name) for name in ("d0", "d1", "d2", "d3")]
    [3, 1, 1, 4]
    """
    return _number(f"{seed}:{example_id}") % folds


def is_admission(example_id: str) -> bool:
    """Whether an example belongs to the one in ten that only the gate of a refresh may read.

    It depends on the id alone: another fold seed must not let an example out of the split.

    >>> [name for name in map(str, range(20)) if is_admission(name)]
    ['2', '3', '4', '8']
    """
    return _number(f"admission:{example_id}") % ADMISSION_ONE_IN == 0


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
