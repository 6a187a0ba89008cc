"""An installed wheel works outside the checkout, in an environment with nothing else."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import DemoRun

pytestmark = pytest.mark.kafka


def test_the_demo_of_an_installed_wheel_accounts_for_every_question(demo_run: DemoRun) -> None:
    assert demo_run.finished.returncode == 0, demo_run.finished.stderr
    summary = json.loads(demo_run.summary.read_text())
    assert list(summary) == [
        "events",
        "questions",
        "missing",
        "dead_letters",
        "tags",
        "alerts",
        "model_calls_saved",
        "weighted_f1",
        "latency_ms",
    ]
    assert summary["missing"] == 0
    assert summary["dead_letters"] == 0
    assert list(summary["tags"]) == ["rules", "model", "fusion", "abstained"]
    assert sum(summary["tags"].values()) == summary["questions"] >= summary["events"] > 200
    assert summary["model_calls_saved"] == summary["tags"]["rules"] > 0
    assert summary["tags"]["rules"] <= summary["questions"] * 2 / 3, "rules leave a third"
    assert summary["tags"]["model"] + summary["tags"]["fusion"] > 0
    assert summary["alerts"] > 0
    assert 0.7 < summary["weighted_f1"]["intent"] < 1.0
    assert 0.7 < summary["weighted_f1"]["scene"] <= 1.0
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    assert "weighted F1, intent" in demo_run.finished.stdout


def test_the_base_install_and_the_demo_need_no_torch(installed: Path, uv: str) -> None:
    packages = subprocess.run(
        [uv, "pip", "list", "--python", installed.parent / "python"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "faust-streaming" in packages
    assert "torch" not in packages


def test_the_wheel_runs_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed.parent / "python", "-I", "-c", "import streams; print(streams.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(installed.parent.parent) in where
