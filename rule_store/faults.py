"""Faults: what is wrong with a text, gathered until all of it was read."""

from __future__ import annotations

from collections.abc import Callable

from rule_store.errors import RulesRefused, RulesTextRefused

FAULTS_NAMED = 100


class Faults:
    """The first faults of a text in words, the others as a count."""

    def __init__(self) -> None:
        self._named: list[RulesRefused] = []
        self._unnamed = 0

    def tell(self, error: Callable[[], RulesRefused]) -> None:
        """Note a fault; its words are sought only when it is named."""
        if len(self._named) < FAULTS_NAMED:
            self._named.append(error())
        else:
            self._unnamed += 1

    def refuse(self) -> None:
        """End the reading when there was a fault.

        Raises:
            RulesTextRefused: with all faults in order of place.
        """
        if self._named:
            ordered = sorted(self._named, key=_line_and_column)
            raise RulesTextRefused(ordered, unnamed=self._unnamed)


def _line_and_column(error: RulesRefused) -> tuple[int, int]:
    return (error.place.line, error.place.column) if error.place else (0, 0)
