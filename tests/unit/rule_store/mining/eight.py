"""Tables of a few examples, written out, for searches that a reader can recount."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rule_store import Has
from rule_store.mining.body import Body, code
from rule_store.mining.reward import Counts, Floats
from rule_store.mining.scan import Scan
from rule_store.mining.table import Table


def table(columns: Mapping[str, str], labels: str = "++++----") -> Table:
    """One column a predicate, one mark an example: + is label 0, - label 1; blanks are ignored."""
    marks = [column.replace(" ", "") for column in columns.values()]
    return Table.of_bits(
        np.array([[mark[n] == "1" for mark in marks] for n in range(len(labels))]),
        [0 if label == "+" else 1 for label in labels],
        predicates=[Has(channel="last", phrase=name) for name in columns],
        label_names=("plus", "minus"),
    )


# The pure bodies (no "-") are ab, bd and cd; of two literals and not pure are ac, ad and bc.
EIGHT = table({"a": "1111 1100", "b": "1110 0011", "c": "1101 0101", "d": "1011 1000"})
NAMES = "abcd"


def body(names: str) -> Body:
    """The body of these positive literals of `EIGHT`."""
    return frozenset(code(NAMES.index(name)) for name in names)


def name(literals: Iterable[int]) -> str:
    return "".join(NAMES[each >> 1] for each in sorted(literals))


@dataclass(frozen=True, slots=True, kw_only=True)
class Squared:
    """tp² / (covered · positives), precision times recall: fractions that a reader can follow.

    pruning: whether the bound is true (recall, at precision 1) or never prunes.
    """

    pruning: bool = True

    def __call__(self, counts: Counts) -> Floats:
        return counts.true_positives**2 / (counts.covered * counts.positives)

    def bound(self, counts: Counts) -> Floats:
        if not self.pruning:
            return np.full(len(counts.covered), np.inf)
        return counts.true_positives / counts.positives


def squared(true_positives: int, covered: int) -> float:
    return float(Fraction(true_positives**2, covered * 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A prior that a test states: a .4, b .3, c .2, d .1, whatever the body."""

    def logits(self, scan: Scan, *, label: int) -> Floats:
        logits: Floats = np.log(np.array([0.4, 0.3, 0.2, 0.1]))[scan.codes >> 1]
        return logits
