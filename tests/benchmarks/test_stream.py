"""`kdsl bench stream` at a size that shows that it works, and nothing about speed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.bench.bench import SMALL_BYTES
from streams.bench.kill import Killed, kill_row
from streams.bench.outside import Outside
from streams.bench.rows import ROWS
from streams.bench.site import Site
from streams.cli.bench import app
from streams.local_broker import LocalBroker

pytestmark = pytest.mark.kafka

RECORDS = 500
PEERS = {row.name for row in ROWS if not row.ours}


def test_every_row_processes_every_record(kafka: LocalBroker, tmp_path: Path) -> None:
    figures, page = tmp_path / "bench.json", tmp_path / "bench.md"
    arguments = ["stream", "--bootstrap", kafka.bootstrap, "--json", str(figures)]
    arguments += ["--records", str(RECORDS), "--large-records", "0", "--runs", "1"]
    arguments += ["--kills", "0", "--no-latency", "--markdown", str(page)]
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(figures.read_text(encoding="utf-8"))
    for name in ("ratios", "cpu_ratios"):
        assert found[name].keys() == PEERS
        assert all(pair["stock"] > 0 and pair["best"] > 0 for pair in found[name].values())
    assert found["records_per_s"].keys() == PEERS | {"ours"}
    assert found["latency_ms"] == {}
    processed = {key: [run["records"] for run in runs] for key, runs in found["runs"].items()}
    assert processed == {row.key: [RECORDS] for row in ROWS}
    assert all(row.says in page.read_text(encoding="utf-8") for row in ROWS)


def test_nothing_is_left_on_the_cluster_and_a_killed_worker_of_ours_loses_nothing(
    kafka: LocalBroker, tmp_path: Path
) -> None:
    outside = Outside(kafka.bootstrap)
    site = Site(outside, tmp_path, partitions=4)
    ours = next(row for row in ROWS if row.ours)
    outcome = kill_row(site, ours, records=200_000, value_bytes=SMALL_BYTES, kills=1)
    assert isinstance(outcome, Killed), outcome
    assert outcome.lost == 0
    assert outcome.again > 0, "nothing was at stake: all that was written was committed too"
    assert outside.topics(site.prefix) == []
    outside.close()
