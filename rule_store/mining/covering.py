"""Covering: one search after another, each for what the earlier rules left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rule_store.mining.found import Found, FoundBody, Search
from rule_store.mining.proposals import Proposer
from rule_store.mining.reward import Counts, Floats, Reward, WilsonGain, comparable, ranked
from rule_store.mining.scan import Codes
from rule_store.mining.table import Table, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveringSettings:
    """When to stop, and what is left to find after each rule.

    size: most bodies a label.
    decay: factor of the weight of a positive each time a body covers it, within 0..1.
    remaining: stop when less than this share of the positives' weight is left, within 0..1.
    reward: least reward of a body.
    predicates, exclusions: most predicates that a label's search may use, and how many more of
        those that are worth a negation.
    """

    size: int = 12
    decay: float = 0.3
    remaining: float = 0.15
    reward: float = 0.0
    predicates: int = 2000
    exclusions: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """What was found for a label.

    bodies: in the order found, which is not that of their rewards on all examples.
    searches: what each search brought back, a last vain one included.
    """

    bodies: tuple[FoundBody, ...]
    searches: tuple[Found, ...]


def mine_label(
    table: Table,
    label: int,
    *,
    search: Search,
    reward: Reward,
    proposer: Proposer,
    settings: CoveringSettings,
    seed: int,
    weights: Floats | None = None,
) -> Covering:
    """Find a label's bodies by weighted covering.

    Args:
        table: P predicates, N examples.
        label: position in the table's label names.
        search: looks for one body at a time.
        reward: what to maximise.
        proposer: which literals to try first.
        settings: when to stop.
        seed: of all that is random.
        weights: `[N]` within 0..1; 1 each when left out.

    Source: Lavrač et al. 2004, "Subgroup discovery with CN2-SD" (weighted covering).
    """
    left = np.ones(len(table.labels)) if weights is None else weights.astype(np.float64)
    chosen = table.labels == label
    enough = settings.remaining * left[chosen].sum()
    rows = useful(table, label, predicates=settings.predicates, exclusions=settings.exclusions)
    bodies: list[FoundBody] = []
    searches: list[Found] = []
    taken: list[Words] = []
    while len(bodies) < settings.size and left[chosen].sum() > enough:
        found = search.find(
            table,
            label,
            reward=reward,
            proposer=proposer,
            weights=left,
            seed=seed + len(bodies),
            taken=taken,
            rows=rows,
        )
        searches.append(found)
        if not found.bodies or found.bodies[0].reward <= settings.reward:
            break
        bodies.append(found.bodies[0])
        taken.append(table.covered(found.bodies[0].body))
        left = np.where(flags_of(taken[-1], len(left)), left * settings.decay, left)
    return Covering(bodies=tuple(bodies), searches=tuple(searches))


def useful(table: Table, label: int, *, predicates: int, exclusions: int) -> Codes:
    """Positions of the predicates that a search for a label has use for, ascending.

    The best alone by `WilsonGain`, and those that hold most often for others and seldom for the
    label: the share among the others less twice the share among the label.
    """
    examples, positives = len(table.labels), int((table.labels == label).sum())
    right, holding = table.counts(table.of_label(label)), table.counts(table.everything())
    alone = WilsonGain(gain_exponent=0.5)(
        Counts(
            true_positives=right.astype(np.float64),
            covered=holding.astype(np.float64),
            gain=right.astype(np.float64),
            positives=positives,
            examples=examples,
            length=1,
        )
    )
    worth = comparable(np.where(holding < examples, alone, 0.0))
    others = (holding - right) / max(examples - positives, 1)
    spared = comparable(others - 2 * right / max(positives, 1))
    positive, negated = ranked(worth, predicates), ranked(spared, exclusions)
    return np.union1d(positive[worth[positive] > 0], negated[spared[negated] > 0])


def flags_of(mask: Words, examples: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """`[N]`: one flag an example, of a mask `[W]`.

    >>> flags_of(np.array([5], dtype=np.uint64), 3).tolist()
    [True, False, True]
    """
    bits = np.unpackbits(mask.astype("<u8").view(np.uint8), count=examples, bitorder="little")
    return bits.astype(np.bool_)
