"""`kdsl rules mine` on the sample: from labelled dialogues to a release that tags."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.cli.mining_runs import STOPPED
from streams.mining_checkpoint import FOLDER
from streams.resources import domain_folder, quickstart_folder
from tests.commands import kdsl

TRAIN = quickstart_folder() / "train.jsonl"
LIVE = quickstart_folder() / "live.jsonl"
WRITTEN = {"intent.rules", "fitted.json", "votes.jsonl", "summary.html", ".written.json"}


def command(out: Path, *more: str) -> list[str]:
    """A few iterations, and no screenshots to read: seconds, and enough minings to be stopped."""
    fixed = ["--domain", "storefront", "--task", "intent", "--iterations", "10"]
    return ["rules", "mine", *fixed, "--examples", str(out.parent / "chats.jsonl"), "--out",
            str(out), *more]  # fmt: skip


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    """The sample's dialogues in words alone."""
    lines = TRAIN.read_text(encoding="utf-8").splitlines(keepends=True)
    file = tmp_path / "chats.jsonl"
    file.write_text("".join(line for line in lines if '"images": []' in line), encoding="utf-8")
    return file


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


@pytest.fixture
def whole(chats: Path) -> Path:
    """A run that nobody stopped."""
    out = chats.parent / "whole"
    done = kdsl(*command(out))
    assert done.returncode == 0, done.stderr
    assert set(files(out)) == WRITTEN
    return out


def test_mined_rules_are_released_and_tag(whole: Path, tmp_path: Path) -> None:
    release, place = tmp_path / "mined.release", tmp_path / "registry.db"
    built = kdsl(
        *("release", "build", "--domain", "storefront", "--rules", whole),
        *("--out", release, "--registry", place),
    )
    assert built.returncode == 0, built.stderr
    tagged = [
        kdsl("tag", LIVE, "--domain", "storefront", *release_of)
        for release_of in ([], ["--release", release])
    ]
    assert [each.returncode for each in tagged] == [0, 0]
    pack, mined = (
        re.search(r"intent: weighted F1 ([\d.]+)", each.stdout + each.stderr) for each in tagged
    )
    assert pack is not None
    assert mined is not None
    assert float(mined[1]) > float(pack[1])


def test_the_same_command_again_gives_the_same_bytes(whole: Path) -> None:
    before = files(whole)
    assert kdsl(*command(whole)).returncode == 0
    assert files(whole) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_how_to_go_on_and_ends_with_the_same_bytes(
    number: int, whole: Path
) -> None:
    out = whole.parent / "stopped"
    status, said = stopped(out, number, minings=2)
    assert status == STOPPED
    assert "run the same command again to go on" in said
    assert kdsl(*command(out)).returncode == 0
    assert files(out) == files(whole)


def test_killed_again_and_again_it_goes_on_to_the_same_bytes(whole: Path) -> None:
    """After one mining, two, three and four of six."""
    out = whole.parent / "killed"
    for minings in range(1, 5):
        status, said = stopped(out, signal.SIGKILL, minings=minings)
        assert status == -signal.SIGKILL, said
        assert len(kept(out)) >= minings
        assert not (out / "intent.rules").exists()
    assert kdsl(*command(out)).returncode == 0
    assert files(out) == files(whole)


def kept(out: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in (out / FOLDER).glob("intent-*.json")}


def stopped(out: Path, number: int, *, minings: int) -> tuple[int, str]:
    """Send a run a signal once so many minings are kept; its exit status, and what it said."""
    run = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", *command(out)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TERM": "dumb"},
    )
    deadline_s = time.monotonic() + 120
    while not (out / FOLDER / f"intent-{minings - 1}.json").exists():
        assert run.poll() is None, run.communicate()[1]
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    run.send_signal(number)
    said = run.communicate(timeout=60)[1]
    return run.returncode, said


def test_a_checkpoint_of_another_seed_is_refused_and_stays(chats: Path) -> None:
    out = chats.parent / "out"
    stopped(out, signal.SIGKILL, minings=1)
    before = kept(out)
    refused = kdsl(*command(out, "--seed", "1"))
    assert refused.returncode == 1
    assert f"remove {out / FOLDER}, or give another --out" in refused.stderr
    assert kept(out) == before


def test_a_broken_checkpoint_is_said_and_mined_again(whole: Path) -> None:
    out = whole.parent / "broken"
    (out / FOLDER).mkdir(parents=True)
    (out / FOLDER / "intent-0.json").touch()
    told = kdsl(*command(out))
    assert told.returncode == 0, told.stderr
    assert f"{out / FOLDER / 'intent-0.json'} is broken: it is mined again" in told.stderr
    assert files(out) == files(whole)


def test_the_order_of_files_and_lines_does_not_matter(whole: Path, chats: Path) -> None:
    lines = chats.read_text(encoding="utf-8").splitlines(keepends=True)
    chats.write_text("".join(lines[100:]), encoding="utf-8")
    (chats.parent / "more.jsonl").write_text("".join(lines[99::-1]), encoding="utf-8")
    out = chats.parent / "turned"
    told = kdsl(*command(out, "--examples", str(chats.parent / "more.jsonl")))
    assert told.returncode == 0, told.stderr
    assert files(out) == files(whole)


def test_rules_that_somebody_edited_stay(whole: Path) -> None:
    edited = (whole / "intent.rules").read_bytes() + b"\n# looked through\n"
    (whole / "intent.rules").write_bytes(edited)
    refused = kdsl(*command(whole))
    assert refused.returncode == 1
    assert "move it away to keep what was edited, or give another --out" in refused.stderr
    assert (whole / "intent.rules").read_bytes() == edited


def test_a_pack_is_not_mined_into(chats: Path, pack: Path) -> None:
    before = files(pack)
    refused = kdsl(*command(chats.parent / "pack"))
    assert refused.returncode == 1
    assert "is a domain pack, whose rules somebody wrote: give another --out" in refused.stderr
    assert files(pack) == before


@pytest.mark.parametrize("place", ["chats.jsonl", "chats.jsonl/below", "/proc/kdsl"])
def test_a_place_that_takes_no_folder_is_one_sentence(place: str, chats: Path) -> None:
    out = chats.parent / place
    refused = kdsl(*command(chats.parent / "out", "--out", str(out)))
    assert refused.returncode == 1
    (said,) = refused.stderr.splitlines()
    assert said.startswith(f"kdsl: {out}")
    assert "is no folder" in said


def test_what_the_gate_reads_can_be_left_out(chats: Path) -> None:
    told = kdsl(*command(chats.parent / "out", "--hold-out", "admission", "--budget", "5"))
    assert told.returncode == 0
    found = re.search(r"mined from (\d+) examples", told.stderr)
    assert found is not None
    assert int(found[1]) < len(chats.read_text(encoding="utf-8").splitlines())


def test_an_unknown_task_is_a_usage_error(chats: Path) -> None:
    refused = kdsl(*command(chats.parent / "out", "--task", "mood"))
    assert refused.returncode == 2
    assert "known: intent, scene" in refused.stderr


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The sample's pack, without the rules that somebody wrote."""
    folder = tmp_path / "pack"
    shutil.copytree(domain_folder("storefront"), folder)
    for file in folder.glob("*.rules"):
        file.unlink()
    return folder


def without_labels(chats: Path, name: str) -> Path:
    """The same dialogues as nobody has labelled them, with ids of their own."""
    lines = []
    for place, line in enumerate(chats.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        del row["label"], row["task"]
        lines.append(json.dumps({**row, "dialogue_id": f"{name}-{place}", "event_id": None}))
    file = chats.parent / f"{name}.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_without_any_label_descriptions_give_rules_of_assumed_reliability(
    chats: Path, pack: Path
) -> None:
    log, out, release = without_labels(chats, "log"), chats.parent / "out", chats.parent / "r"
    told = kdsl("rules", "mine", "--domain", pack, "--unlabelled", log, "--out", out)
    assert told.returncode == 0, told.stderr
    assert "their reliabilities assumed" in told.stderr
    assert set(files(out)) == WRITTEN - {"votes.jsonl"}
    assert b"from the description; fires at " in files(out)["intent.rules"]
    built = kdsl(
        *("release", "build", "--domain", pack, "--rules", out, "--out", release),
        *("--registry", chats.parent / "registry.db"),
    )
    assert built.returncode == 0, built.stderr
    tagged = kdsl("tag", chats, "--domain", pack, "--release", release)
    right = re.search(r"intent: weighted F1 ([\d.]+)", tagged.stdout + tagged.stderr)
    assert right is not None
    assert float(right[1]) > 0.2  # of eight labels guessing gets an eighth right


def test_beside_labelled_dialogues_others_are_tried_for_a_second_mining(chats: Path) -> None:
    """Iterations enough for a rule a label: this is about what is told."""
    out, log = chats.parent / "out", without_labels(chats, "log")
    more = ("--unlabelled", str(log), "--iterations", "2", "--label-noise", "0.05")
    told = kdsl(*command(out, *more))
    assert told.returncode == 0, told.stderr
    assert re.search(r"self-training is (on|off): weighted F1", told.stderr)
    page = files(out)["summary.html"].decode()
    assert "<h3>Without labels</h3>" in page
    assert "<tr><th>labels said to be wrong</th><td>5.0%</td></tr>" in page


def test_labels_of_unlabelled_dialogues_are_ignored_and_it_is_said(chats: Path) -> None:
    out = chats.parent / "out"
    told = kdsl(
        *("rules", "mine", "--domain", "storefront", "--unlabelled", chats, "--out", out),
        *("--task", "intent"),
    )
    assert told.returncode == 0, told.stderr
    count = len(chats.read_text(encoding="utf-8").splitlines())
    assert f"--unlabelled: the labels of {count} examples are ignored" in told.stderr
    assert (out / "intent.rules").exists()
    assert [each.name for each in (out / FOLDER).iterdir()] == ["lock"]


def test_nothing_to_mine_names_both_options(tmp_path: Path) -> None:
    refused = kdsl("rules", "mine", "--domain", "storefront", "--out", tmp_path)
    assert refused.returncode == 2
    said = " ".join(refused.stderr.replace("│", " ").split())
    assert "give --examples PATH" in said
    assert "--unlabelled PATH" in said
