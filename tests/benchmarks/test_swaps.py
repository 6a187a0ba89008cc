"""`kdsl bench swaps` at a size that shows that it works, and nothing about speed."""

from pathlib import Path

import pytest

from streams.bench.outside import Outside
from streams.bench.swaps import Scale, run_swaps_bench
from streams.bench.swaps_tables import grid, notes
from streams.local_broker import LocalBroker

pytestmark = pytest.mark.kafka


def test_releases_are_swapped_in_all_workers_and_all_events_decided(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    told: list[str] = []
    scale = Scale(rules=(50,), swaps=2, workers=2, per_s=50, quiet_s=0)
    results = run_swaps_bench(
        kafka.bootstrap, tmp_path, scale, command="kdsl bench swaps", tell=told.append
    )
    (row,) = results.rows
    assert row.rules == 50
    assert row.sent > 0
    assert len(row.in_force_s) == 2
    assert 0 < row.swapping.own_ms <= row.swapping.any_ms
    assert len(told) == scale.steps
    assert len(grid(results).lines) == 1
    assert notes(results)
    outside = Outside(kafka.bootstrap)
    assert outside.topics("kdsl-bench-") == []
    outside.close()
