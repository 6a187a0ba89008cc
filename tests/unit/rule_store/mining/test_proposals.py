"""Which literals a proposer puts first."""

from collections.abc import Sequence
from math import log

import numpy as np
import pytest

from rule_store.mining.proposals import Linear, Proposer, Statistical, Uniform, prior
from rule_store.mining.scan import Limits, Scan, Scanner
from rule_store.mining.table import Table
from tests.unit.rule_store.mining.eight import EIGHT, body, table


def scanned(names: str, weights: Sequence[float] = (1.0,) * 8) -> Scan:
    limits = Limits(true_positives=1)
    scanner = Scanner.of(EIGHT, 0, weights=np.array(weights), limits=limits)
    return scanner.scan(body(names), EIGHT.covered(body(names)))


def logit(proposer: Proposer, scan: Scan, literal: int, label: int = 0) -> float:
    (place,) = np.flatnonzero(scan.codes == literal).tolist()
    return float(proposer.logits(scan, label=label)[place])


def logits(proposer: Proposer, rows: Table) -> list[float]:
    """Of the positive literals that may begin a body."""
    scanner = Scanner.of(rows, 0, weights=np.ones(len(rows.labels)), limits=Limits())
    scan = scanner.scan(frozenset(), rows.everything())
    found: list[float] = proposer.logits(scan, label=0).tolist()
    return found


def test_the_statistical_prior_is_the_log_odds_among_what_the_body_covers() -> None:
    """a covers four + and two -; of these b is true at three and none, d at three and one."""
    scan, plain = scanned("a"), Statistical(standardised=False)
    assert logit(plain, scan, 2) == pytest.approx(log(3.5 / 1.5) - log(0.5 / 2.5))
    assert logit(plain, scan, 6) == pytest.approx(log(3.5 / 1.5) - log(1.5 / 1.5))


def test_the_log_odds_are_taken_in_units_of_their_standard_error() -> None:
    error = (1 / 3.5 + 1 / 1.5 + 1 / 1.5 + 1 / 1.5) ** 0.5
    assert logit(Statistical(), scanned("a"), 6) == pytest.approx(log(3.5 / 1.5) / error)


def test_what_earlier_rules_cover_draws_no_more() -> None:
    """Of a's four + the last alone has its weight; b is true at the others, 3 · .1."""
    scan, plain = scanned("a", [0.1, 0.1, 0.1, 1, 1, 1, 1, 1]), Statistical(standardised=False)
    assert logit(plain, scan, 2) == pytest.approx(log(0.8 / 1.5) - log(0.5 / 2.5))


def test_a_negated_literal_has_the_opposite_log_odds() -> None:
    scan = scanned("a")
    assert logit(Statistical(), scan, 7) == pytest.approx(-logit(Statistical(), scan, 6))


def test_a_hundred_times_the_examples_do_not_leave_the_prior_to_one_literal() -> None:
    """Of eight no logit reaches 3; of eight hundred they are ten times as high, and scaled.

    d: (3 + m) · (3 + m) over (1 + m) · (1 + m), c: (3 + m) · (2 + m) over (1 + m) · (2 + m).
    """
    marks = {"c": "1101 0101", "d": "1011 1000"}
    few, many = (
        table({name: mark.replace(" ", "") * times for name, mark in marks.items()}, labels)
        for times, labels in ((1, "++++----"), (100, "++++----" * 100))
    )
    error_c, error_d = (1 / 3.5 + 1 / 1.5 + 2 / 2.5) ** 0.5, (2 / 3.5 + 2 / 1.5) ** 0.5
    plain = [log(3.5 / 1.5) / error_c, 2 * log(3.5 / 1.5) / error_d]
    assert logits(Statistical(), few) == pytest.approx(plain)
    error_c = (1 / 300.5 + 1 / 100.5 + 2 / 200.5) ** 0.5
    error_d = (2 / 300.5 + 2 / 100.5) ** 0.5
    wide = [log(300.5 / 100.5) / error_c, 2 * log(300.5 / 100.5) / error_d]
    assert max(wide) > 13
    assert logits(Statistical(), many) == pytest.approx([3 * wide[0] / wide[1], 3.0])


def test_the_uniform_prior_is_the_same_for_all() -> None:
    scan = scanned("")
    assert prior(Uniform().logits(scan, label=0)).tolist() == [0.25] * 4


def test_the_linear_weights_are_those_of_ridge_regression() -> None:
    """Normal equations on centred columns, solved outright, beside conjugate gradients."""
    fitted = Linear.fit(EIGHT, ridge=0.25)
    marks = ["11111100", "11100011", "11010101", "10111000"]
    columns = np.array([[int(bit) for bit in mark] for mark in marks], dtype=float).T
    centred = columns - columns.mean(axis=0)
    weights = np.linalg.solve(
        centred.T @ centred + 0.25 * 8 * np.eye(4), centred.T @ np.array([0.5] * 4 + [-0.5] * 4)
    )
    expected = weights / np.abs(weights).max()
    assert fitted.weights[0].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert fitted.weights[1].tolist() == pytest.approx((-expected).tolist(), abs=1e-5)


def test_the_linear_prior_follows_the_weights_and_turns_them_for_negations() -> None:
    fitted = Linear(weights=np.array([[1.0, -0.5, 0.25, 0.0]]), sharpness=4.0)
    scan = scanned("a")
    assert logit(fitted, scan, 2) == -2.0
    assert logit(fitted, scan, 5) == -1.0


def test_a_linear_model_of_columns_that_say_nothing_has_no_preference() -> None:
    rows = table({"a": "1111 1111"})
    assert Linear.fit(rows).weights.tolist() == [[0.0], [0.0]]
