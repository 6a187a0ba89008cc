"""Consistent: of rules that cannot both answer, the one worth more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rule_store.implication import Implications
from rule_store.lexicon import Lexicon
from rule_store.mining.table import Words
from rule_store.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoveringRule:
    """A rule with the `[W]` mask of the examples that it covers."""

    rule: Rule
    covered: Words


def consistent(
    found: Sequence[CoveringRule], *, written: Sequence[CoveringRule], lexicon: Lexicon
) -> tuple[Rule, ...]:
    """Leave out what lint calls contradictory or conflicting: such rules never answer.

    Two rules conflict when one fires wherever the other does, whatever the text says, and gives
    another label. Written rules stay; of found ones the first does.

    Args:
        found: the one worth most first.
        written: the pack's own rules.
        lexicon: the domain's.
    """
    if not found:
        return ()
    rules = [each.rule for each in (*written, *found)]
    implied = Implications([rule.body for rule in rules], lexicon)
    rivals = _Rivals([*written, *found])
    for place in range(len(written)):
        rivals.keep(place)
    kept = []
    for place in range(len(written), len(rules)):
        body = rules[place].body
        if implied.contradiction(body) or any(
            implied.body_implies(body, rules[other].body)
            or implied.body_implies(rules[other].body, body)
            for other in rivals.of(place)
        ):
            continue
        rivals.keep(place)
        kept.append(rules[place])
    return tuple(kept)


class _Rivals:
    """Rules that are kept, found by what they cover.

    Whoever fires wherever another does covers all that the other covers: the first example that a
    rule covers tells most pairs apart, and their masks are compared only where it does not.
    """

    def __init__(self, rules: Sequence[CoveringRule]) -> None:
        self._masks = np.array([each.covered for each in rules])
        self._labels = np.unique([each.rule.label for each in rules], return_inverse=True)[1]
        self._word = (self._masks != 0).argmax(axis=1)
        words = self._masks[np.arange(len(rules)), self._word]
        # The lowest bit alone; none of a rule that covers nothing.
        self._bit = words & (~words + np.uint64(1))
        self._kept = np.zeros(len(rules), dtype=np.bool_)

    def keep(self, place: int) -> None:
        self._kept[place] = True

    def of(self, place: int) -> list[int]:
        """Kept rules of other labels that cover all that this one covers, or nothing beyond it."""
        mask, word, bit = self._masks[place], self._word[place], self._bit[place]
        inside = (mask[self._word] & self._bit) == self._bit
        around = (self._masks[:, word] & bit) == bit
        others = self._kept & (self._labels != self._labels[place])
        places = np.flatnonzero(others & (inside | around))
        masks = self._masks[places]
        covers = ~(mask & ~masks).any(axis=1) | ~(masks & ~mask).any(axis=1)
        found: list[int] = places[covers].tolist()
        return found
