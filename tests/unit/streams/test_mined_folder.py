"""A folder of mined files is of one mining, and what a person wrote there is not lost."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.building import folder_rules
from streams.errors import InvalidDomain, InvalidSettings
from streams.mined_files import write_mined
from streams.mined_folder import check_writable
from streams.mining_checkpoint import Checkpoint
from streams.rule_mining import MinedTask
from streams.untaught import UntaughtTask, without_labels
from tests import factories as make
from tests.mined import DOMAIN, examples, mined_task, unlabelled
from tests.rules import has, rule

MINED = mined_task(written=[rule(has("hello"), has("there"), label="other")])


def test_rules_that_somebody_edited_are_not_overwritten(tmp_path: Path) -> None:
    write_mined([MINED], tmp_path)
    edited = (tmp_path / "intent.rules").read_text().replace('"where"', '"wherever"')
    (tmp_path / "intent.rules").write_text(edited)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(InvalidSettings) as refused:
        write_mined([MINED], tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}/intent.rules is not as `kdsl rules mine` wrote it: move it away to keep what "
        "was edited, or give another --out"
    )
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    assert len(folder_rules(tmp_path, DOMAIN)["intent"].rule_set.rules) == 4
    (tmp_path / "intent.rules").rename(tmp_path / "mine.rules")
    write_mined([MINED], tmp_path)
    assert (tmp_path / "mine.rules").read_text() == edited


def test_a_pack_is_not_mined_into(tmp_path: Path) -> None:
    (tmp_path / "domain.toml").touch()
    with pytest.raises(InvalidSettings, match="is a domain pack, whose rules somebody wrote"):
        write_mined([MINED], tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["domain.toml"]


OTHER = mined_task(examples(6))


@pytest.mark.parametrize("obstacle", ["intent.rules", "fitted.json", "votes.jsonl"])
@pytest.mark.parametrize("earlier", [[], [OTHER]])
def test_files_of_two_minings_are_not_released(
    earlier: list[MinedTask], obstacle: str, tmp_path: Path
) -> None:
    """Writing is stopped at one file after the other."""
    write_mined(earlier, tmp_path)
    (tmp_path / obstacle).unlink(missing_ok=True)
    (tmp_path / obstacle).mkdir()
    with pytest.raises(InvalidSettings, match="cannot be written"):
        write_mined([MINED], tmp_path)
    with pytest.raises(InvalidDomain, match="are of two minings, as writing them was stopped: run"):
        folder_rules(tmp_path, DOMAIN)
    (tmp_path / obstacle).rmdir()
    write_mined([MINED], tmp_path)
    assert folder_rules(tmp_path, DOMAIN)["intent"].fitted == MINED.mined.chosen.values()


def killed(at: int, write: Callable[[], None]) -> bool:
    """Whether a process that dies when it has made so many things last died before its end."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    sync, left = os.fsync, iter(range(at))

    def die(opened: int) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(opened)

    try:
        pytest.MonkeyPatch().setattr(os, "fsync", die)
        write()
    finally:
        os._exit(0)


@pytest.mark.parametrize("at", range(10))
def test_killed_at_any_moment_the_files_are_of_one_mining_or_not_released(
    at: int, tmp_path: Path
) -> None:
    """Of five files the text and the name are made to last, of the last the name alone."""
    write_mined([OTHER], tmp_path)
    old = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    fresh = tmp_path / "fresh"
    write_mined([MINED], fresh)
    new = {each.name: each.read_bytes() for each in fresh.iterdir()}
    assert killed(at, lambda: write_mined([MINED], tmp_path)) == (at < 9)
    found = {name: (tmp_path / name).read_bytes() for name in new}
    if 1 <= at <= 7:
        with pytest.raises(InvalidDomain, match="are of two minings"):
            folder_rules(tmp_path, DOMAIN)
    else:
        folder_rules(tmp_path, DOMAIN)
        assert found == (new if at else old)
    checkpoint = Checkpoint(tmp_path)
    checkpoint.acquire()
    write_mined([MINED], tmp_path)
    checkpoint.release()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir() if each.is_file()} == new


def test_rules_edited_after_writing_was_stopped_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "votes.jsonl").mkdir()
    with pytest.raises(InvalidSettings, match="cannot be written"):
        write_mined([MINED], tmp_path)
    (tmp_path / "intent.rules").write_text("# mine")
    (tmp_path / "votes.jsonl").rmdir()
    with pytest.raises(InvalidSettings, match="move it away"):
        write_mined([MINED], tmp_path)


BOTH = make.domain()
SCENE = without_labels(BOTH.tasks["scene"], BOTH, unlabelled("hello"))


def stop_writing(mined: list[MinedTask | UntaughtTask], folder: Path) -> None:
    (folder / "fitted.json").unlink(missing_ok=True)
    (folder / "fitted.json").mkdir(parents=True)
    with pytest.raises(InvalidSettings, match=r"fitted\.json"):
        write_mined(mined, folder)
    (folder / "fitted.json").rmdir()


@pytest.mark.parametrize("mined", [MINED, SCENE])
def test_what_was_stopped_writing_two_tasks_is_not_made_whole_by_one(
    mined: MinedTask | UntaughtTask, tmp_path: Path
) -> None:
    stop_writing([MINED, SCENE], tmp_path)
    other = "scene" if mined is MINED else "intent"
    said = (
        f"{tmp_path}: files of {other} are not whole, as writing them was stopped: run `kdsl rules "
        f"mine` for {other} too, or give another --out"
    )
    with pytest.raises(InvalidSettings, match=f"^{re.escape(said)}$"):
        write_mined([mined], tmp_path)
    with pytest.raises(InvalidSettings, match=f"^{re.escape(said)}$"):
        check_writable(tmp_path, [mined.name])
    with pytest.raises(InvalidDomain, match="are of two minings"):
        folder_rules(tmp_path, DOMAIN)
    write_mined([MINED, SCENE], tmp_path)
    write_mined([mined], tmp_path)


def test_what_was_stopped_writing_one_task_is_made_whole_by_that_one(tmp_path: Path) -> None:
    write_mined([OTHER, SCENE], tmp_path)
    assert killed(5, lambda: write_mined([MINED], tmp_path))
    with pytest.raises(InvalidSettings, match="files of intent are not whole"):
        write_mined([SCENE], tmp_path)
    write_mined([MINED], tmp_path)
    assert folder_rules(tmp_path, DOMAIN)["intent"].fitted == MINED.mined.chosen.values()


def test_rules_without_the_votes_that_were_mined_with_them_are_not_released(
    tmp_path: Path,
) -> None:
    """Their own training firings would fit λ."""
    write_mined([MINED], tmp_path)
    (tmp_path / "votes.jsonl").unlink()
    with pytest.raises(InvalidDomain) as refused:
        folder_rules(tmp_path, DOMAIN)
    assert str(refused.value) == (
        f"{tmp_path}/votes.jsonl is missing, and the other files rest on it: bring it back, or "
        "run the same `kdsl rules mine` again"
    )
    write_mined([MINED], tmp_path)
    assert folder_rules(tmp_path, DOMAIN)["intent"].held_out is not None


@pytest.mark.parametrize("name", ["fitted.json", "votes.jsonl"])
def test_what_a_task_lost_is_not_made_whole_by_another(name: str, tmp_path: Path) -> None:
    write_mined([MINED, SCENE], tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InvalidSettings, match=f"files of intent are not whole, as {name} is miss"):
        write_mined([SCENE], tmp_path)
    write_mined([MINED, SCENE], tmp_path)


def test_what_was_written_of_another_task_is_still_known(tmp_path: Path) -> None:
    for each in (MINED, SCENE, MINED, SCENE):
        write_mined([each], tmp_path)
