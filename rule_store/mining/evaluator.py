"""Evaluator: expands bodies, scores what it finds and keeps the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rule_store.mining.body import Body
from rule_store.mining.found import Found, FoundBody, Improvement
from rule_store.mining.reward import Floats, Reward, comparable, ranked
from rule_store.mining.scan import Codes, Scan, Scanner
from rule_store.mining.table import Words

# Bodies whose overlap with earlier rules is measured at a time.
_MEASURED = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expansion:
    """A scan with the rewards of the K longer bodies.

    rewards: `[K]`; 0 for a body that overlaps an earlier rule too much, where that was measured.
    """

    scan: Scan
    rewards: Floats


@dataclass(slots=True, kw_only=True, eq=False)
class Evaluator:
    """What every search does with a body: it differs from others only in which it expands.

    taken: `[W]` masks of what earlier rules cover.
    most: bodies to keep.
    bodies: the best so far, best first.
    """

    scanner: Scanner
    reward: Reward
    taken: Sequence[Words] = ()
    most: int = 1
    bodies: list[FoundBody] = field(default_factory=list)
    expansions: int = 0
    evaluations: int = 0
    trace: list[Improvement] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The highest reward so far."""
        return self.bodies[0].reward if self.bodies else 0.0

    @property
    def threshold(self) -> float:
        """What a body must exceed to be kept."""
        return self.bodies[-1].reward if len(self.bodies) == self.most else 0.0

    def expand(self, body: Body, covered: Words) -> Expansion:
        """Score every extension of a body by one literal, at the cost of one scan."""
        scan = self.scanner.scan(body, covered)
        rewards = comparable(self.reward(scan.counts))
        self.expansions += 1
        self.evaluations += len(rewards)
        before = self.best
        self._keep(scan, rewards, self._admissible(scan, rewards))
        if self.best > before:
            self.trace.append(Improvement(expansions=self.expansions, reward=self.best))
        return Expansion(scan=scan, rewards=rewards)

    def promising(self, expansion: Expansion) -> tuple[Codes, Floats]:
        """Which extensions are worth expanding in their turn.

        Left out: the longest and the precise enough, and those of which no extension can exceed
        the threshold.

        Returns:
            `[A]` positions among the K, and `[A]` what no body beyond each exceeds.
        """
        counts, limits = expansion.scan.counts, self.scanner.limits
        if counts.length >= limits.length:
            return np.empty(0, dtype=np.int64), np.empty(0)
        bounds = comparable(self.reward.bound(counts))
        precise = counts.true_positives >= limits.precision * counts.covered
        places: Codes = np.flatnonzero(~precise & (bounds > self.threshold))
        return places, bounds[places]

    def found(self, *, exhausted: bool) -> Found:
        return Found(
            bodies=tuple(self.bodies),
            expansions=self.expansions,
            evaluations=self.evaluations,
            trace=tuple(self.trace),
            exhausted=exhausted,
        )

    def _admissible(self, scan: Scan, rewards: Floats) -> list[int]:
        """The best places that exceed the threshold and overlap no earlier rule too much."""
        above = np.flatnonzero(rewards > self.threshold)
        if not self.taken:
            best: list[int] = above[ranked(rewards[above], self.most)].tolist()
            return best
        order = above[ranked(rewards[above], len(above))]
        admissible: list[int] = []
        for start in range(0, len(order), _MEASURED):
            places = order[start : start + _MEASURED]
            over = self._overlaps(scan, places) > self.scanner.limits.overlap
            rewards[places[over]] = 0.0
            admissible += places[~over].tolist()
            if len(admissible) >= self.most:
                break
        return admissible[: self.most]

    def _overlaps(self, scan: Scan, places: Codes) -> Floats:
        """`[K]`: highest Jaccard index of each body's coverage with that of an earlier rule."""
        longer = self.scanner.extended(scan.covered, scan.codes[places])
        highest = np.zeros(len(places))
        for mask in self.taken:
            both = np.bitwise_count(longer & mask).sum(axis=1, dtype=np.int64)
            either = np.bitwise_count(longer | mask).sum(axis=1, dtype=np.int64)
            highest = np.maximum(highest, both / np.maximum(either, 1))
        return highest

    def _keep(self, scan: Scan, rewards: Floats, places: list[int]) -> None:
        known = {each.body for each in self.bodies}
        for place in places:
            body = scan.body | {int(scan.codes[place])}
            if body not in known:
                self.bodies.append(
                    FoundBody(
                        body=body,
                        reward=float(rewards[place]),
                        true_positives=int(scan.counts.true_positives[place]),
                        covered=int(scan.counts.covered[place]),
                    )
                )
        self.bodies.sort(key=lambda each: (-each.reward, len(each.body), sorted(each.body)))
        del self.bodies[self.most :]
