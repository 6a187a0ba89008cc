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
    implied = Implications([each.rule.body for each in (*written, *found)], lexicon)
    labels = np.array([each.rule.label for each in (*written, *found)], dtype=np.str_)
    masks = np.array([each.covered for each in (*written, *found)])
    kept = np.arange(len(labels)) < len(written)
    rules = [each.rule for each in (*written, *found)]
    for place in range(len(written), len(rules)):
        body = rules[place].body
        if implied.contradiction(body):
            continue
        # Whoever fires wherever another does covers all that the other covers: few are compared.
        others = kept & (labels != labels[place])
        inside = ~(masks & ~masks[place]).any(axis=1)
        around = ~(masks[place] & ~masks).any(axis=1)
        kept[place] = not any(
            implied.body_implies(body, rules[other].body)
            or implied.body_implies(rules[other].body, body)
            for other in np.flatnonzero(others & (inside | around)).tolist()
        )
    return tuple(rules[place] for place in np.flatnonzero(kept).tolist()[len(written) :])
