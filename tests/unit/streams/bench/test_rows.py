"""The rows of the table."""

import pytest

from streams.bench.rows import OURS, ROWS, alternating, chosen
from streams.errors import InvalidSettings


def test_every_peer_has_a_stock_and_a_best_row_and_two_a_wide_one() -> None:
    peers = {row.name for row in ROWS if not row.ours}
    assert peers == {
        "faust_one_by_one",
        "faust_take",
        "aiokafka_send",
        "aiokafka_send_batch",
        "confluent",
        "quix",
    }
    for peer in peers:
        wide = ["wide"] if peer in ("aiokafka_send_batch", "confluent") else []
        assert [row.flavour for row in ROWS if row.name == peer] == ["stock", "best", *wide]


def test_ours_runs_beside_whatever_is_chosen() -> None:
    assert [row.key for row in chosen(("quix", "faust_take-best"))] == [
        OURS,
        "faust_take-best",
        "quix-stock",
        "quix-best",
    ]
    assert chosen(()) == ROWS


def test_an_unknown_row_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(InvalidSettings, match=r"no row is called flink; there are ours, faust_one"):
        chosen(("flink",))


def test_runs_go_forwards_and_backwards() -> None:
    assert alternating(ROWS, 0) == alternating(ROWS, 2) == ROWS
    assert alternating(ROWS, 1) == ROWS[::-1]
