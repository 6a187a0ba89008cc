"""The swap benchmark's results: which bars were missed, and where that is said."""

from streams.bench.swaps import Row, SwapsResults
from streams.bench.swaps_site import Stall
from streams.bench.swaps_tables import grid, notes


def row(*, rules: int, own_ms: float, in_force_s: float = 1.0) -> Row:
    stall = Stall(any_ms=150.0, own_ms=own_ms)
    return Row(
        rules=rules,
        release_bytes=2_500_000,
        sent=100,
        quiet=Stall(any_ms=30.0, own_ms=6.0),
        swapping=stall,
        in_force_s=[0.5, in_force_s, 0.7],
    )


def test_a_release_of_few_rules_may_stall_the_loop_for_less() -> None:
    assert row(rules=1_000, own_ms=20.0).missed() == []
    assert row(rules=10_000, own_ms=100.0).missed() == []
    assert row(rules=1_000, own_ms=21.0).missed() == [
        "1000 rules: the event loop stalled for 21 ms, and must not for more than 20 ms"
    ]
    assert row(rules=10_000, own_ms=101.0).missed() == [
        "10000 rules: the event loop stalled for 101 ms, and must not for more than 100 ms"
    ]


def test_the_slowest_swap_counts() -> None:
    assert row(rules=1_000, own_ms=1.0, in_force_s=3.1).missed() == [
        "1000 rules: in force in all workers after 3.1 s, and must be after 3 s"
    ]


def test_the_table_marks_what_was_missed() -> None:
    rows = [row(rules=1_000, own_ms=21.0), row(rules=10_000, own_ms=21.0, in_force_s=3.5)]
    results = SwapsResults(rows=rows, machine={"command": "kdsl bench swaps"})
    first, second = grid(results).lines
    assert first == ["1,000", "2,500", "30", "150", "6", "21 (≤20) missed", "0.70", "1.00 (≤3)"]
    assert second[5:] == ["21 (≤100)", "0.70", "3.50 (≤3) missed"]
    assert [note for note in notes(results) if note.startswith("missed: ")] == [
        f"missed: {sentence}" for sentence in results.as_json()["missed"]
    ]


def test_of_several_workers_the_longest_stall_counts() -> None:
    stalls = [Stall(any_ms=5.0, own_ms=5.0), Stall(any_ms=9.0, own_ms=4.0)]
    assert Stall.longest(stalls) == Stall(any_ms=9.0, own_ms=5.0)
