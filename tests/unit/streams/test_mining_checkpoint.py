"""What is kept of a mining, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from rule_store import Lexicon
from rule_store.mining.found import Improvement
from rule_store.mining.miner import Effort, Miner, Mining
from streams.errors import FolderInUse, InvalidSettings
from streams.mining_checkpoint import Checkpoint, mining_digest
from tests.mined import LABELS, example, examples, unlabelled
from tests.rules import has, no, reaches, rule

MINER = Miner(task="intent", label_names=LABELS, lexicon=Lexicon(concepts={"c": ("x",)}))
TRACE = (Improvement(expansions=1, reward=1 / 3), Improvement(expansions=9, reward=0.1 + 0.2))
MINING = Mining(
    rules=(
        rule(has('say "hi" \\ 00'), no(has("money"))),
        rule(reaches("screen.white_share", 0.1 + 0.2), label="refund"),
    ),
    efforts=(Effort(label="track", expansions=12, trace=TRACE),),
)


def test_minings_are_read_as_they_were_kept(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    empty = Mining(rules=(), efforts=())
    checkpoint.keep(MINER, "d", [MINING])
    checkpoint.keep(MINER, "d", [MINING, empty])
    assert checkpoint.kept(MINER, "d") == [MINING, empty]
    assert checkpoint.count == 2


def test_each_task_has_its_own(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.keep(MINER, "d", [MINING])
    assert checkpoint.kept(replace(MINER, task="scene"), "d") == []


def test_one_of_another_digest_is_refused_with_the_cure(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.keep(MINER, "d", [MINING])
    with pytest.raises(InvalidSettings) as refused:
        checkpoint.kept(MINER, "e")
    assert str(refused.value) == (
        f"{tmp_path}/.checkpoint/intent-0.json is of other examples or settings: remove "
        f"{tmp_path}/.checkpoint, or give another --out"
    )


BROKEN = ["", "7", "{}", "\\xff", '{"digest": 1}', '{"digest": "d"}', '{"digest": "d", "rules": 1}']


@pytest.mark.parametrize("text", BROKEN)
def test_one_that_is_not_whole_is_dropped_with_what_follows_and_said(
    text: str, tmp_path: Path
) -> None:
    told: list[str] = []
    checkpoint = Checkpoint(tmp_path, told=told.append)
    minings = [MINING, MINING, MINING]
    for count in (1, 2, 3):
        checkpoint.keep(MINER, "d", minings[:count])
    checkpoint.keep(replace(MINER, task="scene"), "d", [Mining(rules=(), efforts=())])
    folder = tmp_path / ".checkpoint"
    (folder / "intent-1.json").write_bytes(text.encode("latin-1"))
    assert checkpoint.kept(MINER, "d") == [MINING]
    assert told == [f"{folder}/intent-1.json is broken: it is mined again"]
    assert sorted(each.name for each in folder.iterdir()) == ["intent-0.json", "scene-0.json"]


def test_what_a_killed_run_left_half_written_is_removed_when_the_next_begins(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ".checkpoint"
    folder.mkdir()
    left = [tmp_path / ".intent.rules.123.part", folder / ".intent-0.json.99.part"]
    others = [tmp_path / ".vimrc.1", tmp_path / ".film.part", folder / "intent-0.json"]
    for each in (*left, *others):
        each.touch()
    checkpoint = Checkpoint(tmp_path)
    checkpoint.acquire()
    checkpoint.release()
    assert [each.name for each in left if each.exists()] == []
    assert [each.name for each in others if not each.exists()] == []


def test_a_second_run_is_kept_out_until_the_first_ends(tmp_path: Path) -> None:
    first, second = Checkpoint(tmp_path), Checkpoint(tmp_path)
    first.acquire()
    with pytest.raises(FolderInUse, match="another mining runs in"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_what_is_removed_leaves_the_lock_that_others_may_wait_at(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.acquire()
    checkpoint.keep(MINER, "d", [MINING])
    lock = tmp_path / ".checkpoint" / "lock"
    before = lock.stat().st_ino
    checkpoint.remove()
    assert [each.name for each in (tmp_path / ".checkpoint").iterdir()] == ["lock"]
    checkpoint.acquire()
    assert lock.stat().st_ino == before
    checkpoint.release()


def test_the_digest_follows_from_all_that_mining_reads() -> None:
    given = examples(2)
    renamed = [*given[:-1], replace(given[-1], example_id="z")]
    relabelled = [*given[:-1], replace(given[-1], label="track")]
    said_otherwise = [*given[:-1], example(given[-1].example_id, given[-1].label, "bye")]
    digests = [
        mining_digest(MINER, given, "s"),
        mining_digest(MINER, given, "t"),
        mining_digest(MINER, given[::-1], "s"),
        mining_digest(MINER, given, "s", unlabelled=unlabelled("where")),
        mining_digest(MINER, given, "s", unlabelled=unlabelled("money")),
        mining_digest(MINER, renamed, "s"),
        mining_digest(MINER, [replace(given[0], dialogue_id="z"), *given[1:]], "s"),
        mining_digest(MINER, relabelled, "s"),
        mining_digest(MINER, said_otherwise, "s"),
        mining_digest(replace(MINER, task="scene"), given, "s"),
        mining_digest(replace(MINER, label_names=LABELS[::-1]), given, "s"),
        mining_digest(replace(MINER, written=MINING.rules), given, "s"),
        mining_digest(replace(MINER, lexicon=Lexicon(concepts={"c": ("y",)})), given, "s"),
    ]
    assert len(set(digests)) == len(digests)
    assert mining_digest(MINER, examples(2), "s") == digests[0]
