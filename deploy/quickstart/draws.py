"""Repeatable choices: the same name draws the same things on every machine."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

SEED = 20240


class Draws:
    """A stream of choices made from a name.

    Digests instead of `random`, whose drawing methods may change between Python versions.

    >>> Draws("train/0").between(1, 6) == Draws("train/0").between(1, 6)
    True
    """

    def __init__(self, name: str) -> None:
        self._name = f"{SEED}/{name}"
        self._count = 0

    def fraction(self) -> float:
        """A number in [0, 1)."""
        digest = hashlib.sha256(f"{self._name}/{self._count}".encode()).digest()
        self._count += 1
        return int.from_bytes(digest[:6], "big") / 2**48

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return low + int(self.fraction() * (high - low + 1))

    def chance(self, share: float) -> bool:
        """True with probability `share`."""
        return self.fraction() < share

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, each as likely."""
        return options[self.between(0, len(options) - 1)]

    def weighted(self, options: Sequence[tuple[T, int]]) -> T:
        """One of the options, as likely as its weight says."""
        left = self.between(1, sum(weight for _, weight in options))
        for option, weight in options:
            left -= weight
            if left <= 0:
                return option
        raise AssertionError("weights are positive")

    def order(self, options: Sequence[T]) -> list[T]:
        """All options in a drawn order."""
        rest = list(options)
        return [rest.pop(self.between(0, len(rest) - 1)) for _ in range(len(rest))]
