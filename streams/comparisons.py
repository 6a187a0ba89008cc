"""What `dialogue.shadow` says, summed: how often a release and its shadow agree, and where not."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.shadow_records import ShadowCounts, ShadowDifference, ShadowRecord, ShadowTally

# Domain, release in force, and its shadow.
Pair = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Flip:
    """One way in which two releases differ; None is an abstention.

    left_open: the shadow would first have read a screen or asked the model; `instead` is None.
    """

    task: str
    answered: str | None
    instead: str | None
    left_open: bool = False


@dataclass(slots=True, kw_only=True)
class Comparison:
    """A release in force and its shadow, over the records noted so far.

    tallies: by task. flips: how often each came. newest: the last differences, newest last.
    latest_ms: time of the last record.
    """

    domain: str
    active: str
    shadow: str
    newest: deque[ShadowDifference]
    tallies: dict[str, ShadowTally] = field(default_factory=dict)
    flips: Counter[Flip] = field(default_factory=Counter)
    workers: set[str] = field(default_factory=set)
    latest_ms: int = 0

    @property
    def pair(self) -> Pair:
        return self.domain, self.active, self.shadow


class Comparisons:
    """One comparison for each domain and pair of releases, by the time of their last record."""

    def __init__(self, *, keep: int) -> None:
        """Set up.

        Args:
            keep: how many of the newest differences a comparison holds.
        """
        self._keep = keep
        self._found: dict[Pair, Comparison] = {}

    def note(self, record: ShadowRecord) -> None:
        """Take one record in."""
        pair = (record.domain, record.active, record.shadow)
        comparison = self._found.get(pair)
        if comparison is None:
            domain, active, shadow = pair
            comparison = self._found[pair] = Comparison(
                domain=domain, active=active, shadow=shadow, newest=deque(maxlen=self._keep)
            )
        if isinstance(record, ShadowCounts):
            _add_counts(comparison, record)
        else:
            comparison.flips[_flip(record)] += 1
            comparison.newest.append(record)
            comparison.latest_ms = max(comparison.latest_ms, record.compared_at_ms)

    def all(self) -> list[Comparison]:
        """Every comparison; the one spoken of last is the last."""
        return sorted(self._found.values(), key=lambda each: each.latest_ms)


def agreement(tally: ShadowTally) -> float | None:
    """The share in [0, 1] of questions decided by both that were decided alike.

    >>> agreement(ShadowTally(task="intent", same=3, differs=1, open=9))
    0.75
    """
    both = tally.same + tally.differs
    return tally.same / both if both else None


def flips_by_label(
    comparison: Comparison,
) -> Mapping[tuple[str, str | None], list[tuple[Flip, int]]]:
    """(task, label in force) → its flips, most frequent first; the largest groups first."""
    groups: dict[tuple[str, str | None], list[tuple[Flip, int]]] = {}
    for flip, count in comparison.flips.most_common():
        groups.setdefault((flip.task, flip.answered), []).append((flip, count))
    by_size = sorted(groups.items(), key=lambda item: -sum(count for _, count in item[1]))
    return dict(by_size)


def _add_counts(comparison: Comparison, counts: ShadowCounts) -> None:
    for tally in counts.tallies:
        known = comparison.tallies.get(tally.task, ShadowTally(task=tally.task))
        comparison.tallies[tally.task] = ShadowTally(
            task=tally.task,
            same=known.same + tally.same,
            differs=known.differs + tally.differs,
            open=known.open + tally.open,
            skipped=known.skipped + tally.skipped,
        )
    comparison.workers.add(counts.worker)
    comparison.latest_ms = max(comparison.latest_ms, counts.at_ms)


def _flip(difference: ShadowDifference) -> Flip:
    instead = difference.instead
    return Flip(
        task=difference.task,
        answered=difference.answered.label,
        instead=None if instead is None else instead.label,
        left_open=instead is None,
    )
