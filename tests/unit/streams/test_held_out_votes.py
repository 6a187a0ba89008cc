"""Votes of rules that were mined without an example."""

import json
from pathlib import Path

import pytest

from rule_store import votes
from streams.errors import InvalidDomain
from streams.held_out_votes import read_votes, vote_line
from tests.mined import DOMAIN, LABELS

INTENT = DOMAIN.tasks["intent"]


def write(folder: Path, *lines: str) -> Path:
    file = folder / "votes.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def test_no_file_is_no_votes(tmp_path: Path) -> None:
    assert read_votes(tmp_path / "votes.jsonl", INTENT) is None


def test_a_rule_speaks_in_every_fold_as_it_was_believed_there(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        vote_line(example_id="e1", task="intent", fold=0, rules={"r1": ("track", 0.9)}),
        vote_line(example_id="e2", task="intent", fold=1, rules={"r1": ("track", 0.75)}),
        vote_line(example_id="e3", task="scene", fold=1, rules={"r2": ("chat", 0.75)}),
    )
    read = read_votes(file, INTENT)
    assert read is not None
    assert read.fired.keys() == {"e1", "e2"}
    believed = {
        name: [(read.stand_ins[each].label, read.reliability[each]) for each in fired]
        for name, fired in read.fired.items()
    }
    assert believed == {"e1": [("track", 0.9)], "e2": [("track", 0.75)]}


def test_stand_ins_vote_as_rules_do(tmp_path: Path) -> None:
    """ln(.8 / .2) for a rule of .8."""
    rules = {"r1": ("track", 0.8), "r2": ("refund", 0.8)}
    file = write(tmp_path, vote_line(example_id="e1", task="intent", fold=3, rules=rules))
    read = read_votes(file, INTENT)
    assert read is not None
    spoken = votes(tuple(read.stand_ins.values()), read.reliability, labels=LABELS)
    assert spoken == pytest.approx({"track": 1.386294, "refund": 1.386294, "other": 0.0})


def test_ids_that_differ_in_a_digit_alone_stand_apart(tmp_path: Path) -> None:
    rules = {f"a{digit}": ("track", 0.8) for digit in range(10)}
    read = read_votes(
        write(tmp_path, vote_line(example_id="e1", task="intent", fold=0, rules=rules)), INTENT
    )
    assert read is not None
    assert len(read.stand_ins) == 10


@pytest.mark.parametrize(
    "fired",
    [
        {"rule": "r1", "label": "track"},
        {"rule": "r1", "label": "track", "reliability": 1.5},
        {"rule": "r1", "label": "track", "reliability": float("nan")},
        {"rule": "r1", "label": "nonsense", "reliability": 0.5},
        {"label": "track", "reliability": 0.5},
        7,
    ],
)
def test_a_malformed_vote_is_refused_with_file_and_line(fired: object, tmp_path: Path) -> None:
    row = {"example_id": "e1", "task": "intent", "fold": 0, "rules": [fired]}
    with pytest.raises(InvalidDomain, match=r"votes\.jsonl:1: not an out-of-fold vote"):
        read_votes(write(tmp_path, json.dumps(row)), INTENT)
