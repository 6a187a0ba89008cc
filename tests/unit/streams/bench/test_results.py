"""From runs to ratios, tables and JSON."""

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from streams.bench.kill import Killed
from streams.bench.latency import Latency
from streams.bench.meter import Measure
from streams.bench.report import as_json
from streams.bench.results import Results, Size, cpu, wall
from streams.bench.rows import OURS, chosen
from streams.bench.runner import Failed, Measured, Outcome
from streams.bench.scale import Scale
from streams.bench.tables import BEGIN, END, grids, markdown, notes, put_between_markers

ROWS = chosen(("quix",))
QUIX_STOCK, QUIX_BEST = ROWS[1], ROWS[2]


def ran(per_s: float, *, per_cpu_s: float = 50.0, whole: bool = True) -> Measured:
    measure = Measure(records=1000, wall_s=1000 / per_s, cpu_s=1000 / per_cpu_s)
    return Measured(measure=measure, whole=whole)


def make_results(
    *,
    ours: tuple[Outcome, ...] = (ran(100), ran(200), ran(300)),
    best: tuple[Outcome, ...] = (ran(10), ran(100), ran(60)),
    lost: int = 0,
) -> Results:
    outcomes = {OURS: ours, "quix-stock": (ran(50), ran(50), ran(50)), "quix-best": best}
    return Results(
        scale=Scale(runs=3),
        rows=ROWS,
        small=Size(records=1000, value_bytes=130, outcomes=outcomes),
        large=None,
        kills={
            OURS: Killed(records=1000, kills=1, lost=lost, again=3),
            "quix-stock": Killed(records=1000, kills=2, lost=17, again=0),
        },
        latencies={
            OURS: (latency(p99=10), latency(p99=40), latency(p99=20)),
            "aiokafka_send_batch-best": (latency(p99=20), latency(p99=20), latency(p99=20)),
        },
        machine={"command": "kdsl bench stream"},
    )


def latency(*, p99: float) -> Latency:
    return Latency(events=100, p50_ms=5, p99_ms=p99)


def test_rates_are_medians_and_ratios_the_median_within_runs() -> None:
    results = make_results()
    assert results.small.rate(QUIX_BEST, wall) == pytest.approx(60)
    # 100/10, 200/100, 300/60
    assert results.small.ratio(QUIX_BEST, wall) == pytest.approx(5)
    assert results.small.ratio(QUIX_BEST, cpu) == 1


def test_a_failed_run_is_left_out_and_told() -> None:
    results = make_results(best=(Failed(why="ended with status 1: boom"), ran(100), ran(60)))
    assert results.small.ratio(QUIX_BEST, wall) == pytest.approx(3.5)  # of 200/100 and 300/60
    assert results.troubles() == ["quix-best, 130 B: ended with status 1: boom"]


def test_a_row_that_only_fails_has_no_figures() -> None:
    failed = Failed(why="ended with status 1: boom")
    results = make_results(best=(failed, failed, failed))
    assert results.small.rate(QUIX_BEST, wall) is None
    assert as_json(results)["ratios"] == {"quix": {"stock": 4.0, "best": None}}
    assert "failed" in grids(results)[0].markdown()


def test_the_json_has_the_names_that_others_read() -> None:
    found = as_json(make_results())
    assert found["ratios"] == {"quix": {"stock": 4.0, "best": 5.0}}
    assert found["cpu_ratios"] == {"quix": {"stock": 1.0, "best": 1.0}}
    assert found["records_per_s"] == {"ours": 200.0, "quix": {"stock": 50.0, "best": 60.0}}
    assert found["latency_ms"] == {
        "ours": {"p50": 5, "p99": 20},
        "aiokafka_send_batch": {"p50": 5, "p99": 20},
    }
    assert found["p99_ratio"] == {"aiokafka_send_batch-best": 1.0}  # of 0.5, 2, 1
    assert found["killed"]["quix-stock"] == {"records": 1000, "kills": 2, "lost": 17, "again": 0}


def test_only_rows_with_the_guarantee_must_not_lose() -> None:
    assert make_results().troubles() == []
    assert make_results(lost=2).troubles() == ["ours, killed: lost 2 records, and must not"]


def test_the_table_says_which_rows_did_not_get_through() -> None:
    results = make_results(best=(ran(10, whole=False), ran(100), ran(60)))
    assert "quix-streams, best ¹" in grids(results)[0].markdown()
    assert any("after 30 s" in note for note in notes(results))


def test_the_table_shows_bars_and_losses() -> None:
    lines = {line[0]: line for line in grids(make_results())[0].lines}
    assert lines["quix-streams, best"][2] == "5.00 (≥5)"
    assert lines["quix-streams, stock"][-2:] == ["17 of 1,000, 2×", "0"]


@pytest.mark.parametrize("room", [200, 100, 80, 40])
def test_a_terminal_that_is_too_narrow_folds_the_table_and_cuts_no_figure(room: int) -> None:
    for grid in grids(make_results()):
        screen = StringIO()
        Console(width=room, file=screen).print(grid.rich(room), crop=False)
        printed = screen.getvalue()
        words = {word for line in grid.lines for cell in line for word in cell.split()}
        assert words <= set(re.split(r"[│\s]+", printed))
        assert room < 80 or all(len(line) <= room for line in printed.splitlines())


def test_a_quick_run_judges_nothing_and_says_so() -> None:
    quick = replace(make_results(ours=(ran(1), ran(1), ran(1))), scale=Scale().quick())
    assert quick.missed() == []
    assert any("too short to compare" in note for note in notes(quick))
    assert not any("≥" in cell for grid in grids(quick) for line in grid.lines for cell in line)
    long = replace(quick, scale=Scale())
    assert long.missed()
    assert not any("too short to compare" in note for note in notes(long))


def test_the_generated_section_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Method\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    put_between_markers(page, markdown(make_results()))
    put_between_markers(page, "new")
    assert page.read_text() == f"# Method\n\n{BEGIN}\nnew\n{END}\n\nThe end.\n"


def test_a_page_without_markers_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "table.md"
    put_between_markers(page, "new")
    assert page.read_text() == f"{BEGIN}\nnew\n{END}\n"
