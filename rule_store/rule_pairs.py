"""Which rule that went and which that came are one rule that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from rule_store.rules import Literal, Rule

# A literal in more of the rules finds none of them; two rules are compared by all they have.
_SHARED_BY = 64


def pair_rules(removed: Sequence[Rule], added: Sequence[Rule]) -> tuple[tuple[Rule, Rule], ...]:
    """Pair rules of one task: by body first, then by label and the most literals in common.

    A rule is in at most one pair, in the order of `removed`; a pair of unequal bodies has at least
    half of the longer one's literals in common. Bodies are in canonical order, as releases keep
    them.
    """
    pairs = list(_of_one_body(removed, added))
    gone, come = {old.id for old, _ in pairs}, {new.id for _, new in pairs}
    pairs += _of_like_bodies(
        [rule for rule in removed if rule.id not in gone],
        [rule for rule in added if rule.id not in come],
    )
    places = {rule.id: place for place, rule in enumerate(removed)}
    return tuple(sorted(pairs, key=lambda pair: places[pair[0].id]))


def _of_one_body(removed: Sequence[Rule], added: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    by_body: dict[tuple[Literal, ...], list[Rule]] = defaultdict(list)
    for rule in reversed(added):
        by_body[rule.body].append(rule)
    for rule in removed:
        if by_body[rule.body]:
            yield rule, by_body[rule.body].pop()


def _of_like_bodies(removed: Sequence[Rule], added: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    holding: dict[tuple[str, Literal], list[Rule]] = defaultdict(list)
    for rule in added:
        for literal in rule.body:
            holding[rule.label, literal].append(rule)
    taken: set[str] = set()
    for rule in removed:
        holders = (holding.get((rule.label, literal), []) for literal in rule.body)
        alike = chain.from_iterable(each for each in holders if len(each) <= _SHARED_BY)
        left = {other.id: other for other in alike if other.id not in taken}
        best = max(left.values(), key=lambda other: _in_common(rule, other), default=None)
        if best is not None and 2 * _in_common(rule, best) >= max(len(rule.body), len(best.body)):
            taken.add(best.id)
            yield rule, best


def _in_common(rule: Rule, other: Rule) -> int:
    return len(set(rule.body) & set(other.body))
