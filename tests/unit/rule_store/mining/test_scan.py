"""A scan counts every extension of a body, negated literals and weights included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from rule_store.mining.body import Body
from rule_store.mining.scan import Limits, Scan, Scanner
from rule_store.mining.table import Table, popcount
from tests.unit.rule_store.mining.eight import EIGHT, body, table

ANY = Limits(true_positives=1)


def scanned(scanner: Scanner, of: Body, rows: Table = EIGHT) -> Scan:
    return scanner.scan(of, rows.covered(of))


def at(scan: Scan, literal: int) -> tuple[float, float, float]:
    (place,) = np.flatnonzero(scan.codes == literal).tolist()
    counts = scan.counts
    return (
        float(counts.true_positives[place]),
        float(counts.covered[place]),
        float(counts.gain[place]),
    )


def test_an_extension_has_the_counts_of_the_longer_body() -> None:
    """a and c hold for three + and one -; a without c for one of each."""
    scan = scanned(Scanner.of(EIGHT, 0, weights=np.ones(8), limits=ANY), body("a"))
    assert (scan.size, scan.true_positives) == (6, 4)
    assert at(scan, 4) == (3, 4, 3)
    assert at(scan, 5) == (1, 2, 1)
    assert scan.counts.length == 2


def test_the_gain_is_the_weight_of_the_labels_examples() -> None:
    """Those of the other label weigh nothing, whatever their number says."""
    weights = np.array([1, 0.3, 0.3, 0.09, 1, 1, 1, 1])
    scan = scanned(Scanner.of(EIGHT, 0, weights=weights, limits=ANY), body("a"))
    assert at(scan, 4) == pytest.approx((3, 4, 1 + 0.3 + 0.09))
    assert at(scan, 5) == pytest.approx((1, 2, 0.3))


def test_literals_that_remove_nothing_or_leave_too_little_are_not_counted() -> None:
    """Below a b (p1 p2 p3): a and b remove nothing; c leaves two, d two; without them, one."""
    limits = Limits(true_positives=2)
    scan = scanned(Scanner.of(EIGHT, 0, weights=np.ones(8), limits=limits), body("ab"))
    assert scan.codes.tolist() == [4, 6]


def test_the_first_literal_is_positive() -> None:
    scan = scanned(Scanner.of(EIGHT, 0, weights=np.ones(8), limits=ANY), frozenset())
    assert scan.codes.tolist() == [0, 2, 4, 6]


def test_only_the_chosen_predicates_are_looked_at_under_their_own_codes() -> None:
    scanner = Scanner.of(EIGHT, 0, weights=np.ones(8), limits=ANY, rows=np.array([3, 1]))
    assert scanned(scanner, frozenset()).codes.tolist() == [2, 6]
    both = scanner.extended(EIGHT.covered(body("b")), np.array([6, 7]))
    assert [popcount(mask) for mask in both] == [2, 3]


@pytest.mark.parametrize("weights", [np.ones(7), np.full(8, 1.5), np.full(8, np.nan)])
def test_weights_out_of_their_range_are_refused(weights: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        Scanner.of(EIGHT, 0, weights=weights, limits=ANY)


def test_many_different_weights_are_rounded_to_steps() -> None:
    """A pass a weight would cost more than the sixtieth part of a weight is worth."""
    rows = table({"a": "1" * 40 + "0" * 10}, "+" * 50)
    weights = np.linspace(0, 1, 50)
    scan = scanned(Scanner.of(rows, 0, weights=weights, limits=ANY), frozenset(), rows)
    assert len(Scanner.of(rows, 0, weights=weights, limits=ANY).weights) == 32
    assert at(scan, 0)[2] == pytest.approx(weights[:40].sum(), abs=40 / 62)


@given(seed=st.integers(0, 2**16), examples=st.integers(1, 700))
@given_settings(max_examples=20, deadline=None)
def test_counts_are_those_of_counting_one_by_one(seed: int, examples: int) -> None:
    drawn = np.random.Generator(np.random.PCG64(seed))
    holds, right = drawn.random((examples, 5)) < 0.6, drawn.random(examples) < 0.5
    marks = {f"p{n}": "".join("01"[int(bit)] for bit in holds[:, n]) for n in range(5)}
    rows = table(marks, "".join("-+"[int(each)] for each in right))
    scan = scanned(Scanner.of(rows, 0, weights=np.ones(examples), limits=ANY), frozenset({0}), rows)
    for literal in scan.codes.tolist():
        longer = holds[:, 0] & (holds[:, literal >> 1] != bool(literal & 1))
        assert at(scan, literal) == ((longer & right).sum(), longer.sum(), (longer & right).sum())
