"""`kdsl refresh` without Kafka: what is mined, staged, refused and told, by its exit status."""

import json
import os
import signal
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

import pytest

from rule_store import new_key
from rule_store.registry import Registry
from streams.folder_lock import FolderLock
from streams.refresh_folder import KEPT
from tests import factories as make
from tests.commands import kdsl

SAID = {
    "buy": ("do you sell green tea", "i want to buy a cup", "one cup of tea please"),
    "complain": ("my cup is broken", "this tea is cold and bad", "i am angry about the cup"),
}


def write_examples(file: Path, count: int) -> Path:
    """Both labels in turn; about one in ten is the gate's."""
    lines = []
    for number in range(count):
        label = list(SAID)[number % 2]
        turns = [{"speaker": "user", "text": SAID[label][number // 2 % 3]}]
        row = {"dialogue_id": f"d{number}", "task": "intent", "turns": turns, "label": label}
        lines.append(json.dumps(row) + "\n")
    file.write_text("".join(lines), encoding="utf-8")
    return file


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a pack; registry and all that a refresh writes stand in it."""
    make.write_pack(tmp_path / "pack")
    return tmp_path


def refresh(place: Path, *arguments: object) -> CompletedProcess[str]:
    registry = ("--registry", place / "registry.db")
    return kdsl(
        "refresh", "--domain", place / "pack", *registry, "--by", "cron", *arguments, KDSL_TRUST=""
    )


def outcomes(place: Path) -> list[str]:
    """Of all runs, the first one first."""
    with Registry.open(place / "registry.db") as registry:
        rows = [row for row in registry.audit() if row.what == "refreshed"]
    return [str(row.details["outcome"]) for row in reversed(rows)]


def test_what_shall_be_activated_must_be_signed_or_said_to_be_unsigned(place: Path) -> None:
    finished = refresh(place)
    assert finished.returncode == 1
    assert "kdsl keys generate" in finished.stderr
    assert "--stage" in finished.stderr


def test_without_examples_it_fails_and_says_how_to_add_some(place: Path) -> None:
    finished = refresh(place, "--stage")
    assert finished.returncode == 1
    assert "no labelled example of kiosk" in finished.stderr
    assert "kdsl examples add" in finished.stderr
    assert outcomes(place) == ["failed"]


def test_of_two_at_once_the_second_does_nothing(place: Path) -> None:
    lock = FolderLock(place / "registry-refresh" / "kiosk", holder="refresh")
    lock.acquire()
    finished = refresh(place, "--stage")
    assert finished.returncode == 4
    assert "another refresh of kiosk runs" in finished.stderr
    lock.release()
    assert refresh(place, "--stage").returncode == 1, "it runs, and finds no example"


def test_a_candidate_is_mined_and_staged_and_the_next_run_has_nothing_to_do(place: Path) -> None:
    examples = ("--examples", write_examples(place / "train.jsonl", 260))
    key = place / "ann.key"
    new_key(key)
    finished = refresh(place, "--stage", *examples, "--key", key)
    assert finished.returncode == 0, finished.stderr
    with Registry.open(place / "registry.db") as registry:
        (row,) = registry.releases()
        assert registry.active(row.domain, row.labels_digest) is None
    assert row.by == "cron"
    assert f"kdsl release activate {row.digest[7:19]}" in finished.stderr
    assert "passed: intent, calibration: " in finished.stderr
    again = refresh(place, "--stage", *examples, "--key", key)
    assert again.returncode == 0
    assert "nothing to do for kiosk" in again.stderr
    assert outcomes(place) == ["staged", "unchanged"]


def test_examples_of_the_registry_count_as_those_of_a_file(place: Path) -> None:
    file = write_examples(place / "train.jsonl", 260)
    assert refresh(place, "--stage", "--examples", file).returncode == 0
    pack, registry = place / "pack", place / "registry.db"
    added = kdsl("examples", "add", file, "--domain", pack, "--registry", registry)
    assert added.returncode == 0, added.stderr
    for arguments in ((), ("--examples", file)):
        finished = refresh(place, "--stage", *arguments)
        assert finished.returncode == 0
        assert "nothing to do for kiosk" in finished.stderr


def test_a_candidate_that_the_gate_refuses_stays_out_and_says_why(place: Path) -> None:
    """Of sixty examples six are the gate's, which asks for twenty."""
    examples = ("--examples", write_examples(place / "train.jsonl", 60))
    for _ in range(2):
        finished = refresh(place, "--stage", *examples)
        assert finished.returncode == 3, finished.stderr
        assert "FAILED: examples: " in finished.stderr
        assert "nothing was mined" in finished.stderr
        assert "nothing is in force for kiosk" in finished.stderr
    with Registry.open(place / "registry.db") as registry:
        assert registry.releases() == ()
    assert outcomes(place) == ["refused", "refused"]


@pytest.mark.parametrize("out", ["/proc/kdsl", "train.jsonl"], ids=["nowhere", "a file"])
def test_a_folder_that_cannot_be_written_to_is_one_sentence(place: Path, out: str) -> None:
    examples = write_examples(place / "train.jsonl", 260)
    finished = refresh(place, "--stage", "--examples", examples, "--out", place / out)
    assert finished.returncode == 1
    assert "is no folder that we can write to" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("named", [True, False], ids=["--out", "beside the registry"])
def test_only_in_its_own_place_are_older_runs_forgotten(place: Path, named: bool) -> None:
    """In a folder of --out they may be another domain's."""
    out = place / "out" if named else place / "registry-refresh" / "kiosk"
    older = [out / f"{number:012x}" for number in range(KEPT + 1)]
    for run in older:
        run.mkdir(parents=True)
        (run / "candidate.release").touch()
    arguments = ["--stage", "--examples", write_examples(place / "train.jsonl", 260)]
    assert refresh(place, *arguments, *(["--out", out] if named else [])).returncode == 0
    assert sum(run.exists() for run in older) == (KEPT + 1 if named else KEPT - 1)


def test_one_that_is_stopped_says_how_to_go_on_and_is_written_down(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM comes while it reads the examples."""
    examples = write_examples(place / "train.jsonl", 60)

    def read(*_: object) -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("it is stopped before")

    monkeypatch.setattr("streams.cli.refresh_command.read_labelled_for", read)
    finished = refresh(place, "--stage", "--examples", examples)
    assert finished.returncode == 130
    assert "run the same command again to go on" in finished.stderr
    assert outcomes(place) == ["interrupted"]


def test_a_malformed_file_is_an_error_that_is_written_down(place: Path) -> None:
    bad = place / "bad.jsonl"
    bad.write_text("{}\n", encoding="utf-8")
    finished = refresh(place, "--stage", "--examples", bad)
    assert finished.returncode == 1
    assert f"{bad}:1" in finished.stderr
    assert outcomes(place) == ["failed"]
