"""Votes of rules that were mined without an example."""

import json
from pathlib import Path

import pytest

from rule_store import Vote
from streams.errors import InvalidDomain
from streams.held_out_votes import read_votes, vote_line
from tests.mined import DOMAIN

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
    assert read_votes(file, INTENT) == {
        "e1": (Vote(label="track", reliability=0.9),),
        "e2": (Vote(label="track", reliability=0.75),),
    }


def test_where_nothing_fired_there_is_no_vote(tmp_path: Path) -> None:
    file = write(tmp_path, vote_line(example_id="e1", task="intent", fold=0, rules={}))
    assert read_votes(file, INTENT) == {"e1": ()}


def test_a_task_without_a_line_has_no_votes(tmp_path: Path) -> None:
    """No rule of it was mined: what is written is held out from every example already."""
    line = vote_line(example_id="e1", task="scene", fold=0, rules={})
    assert read_votes(write(tmp_path, line), INTENT) is None


@pytest.mark.parametrize(
    "fired",
    [
        {"rule": "r1", "label": "track"},
        {"rule": "r1", "label": "track", "reliability": 1.5},
        {"rule": "r1", "label": "track", "reliability": float("nan")},
        {"rule": "r1", "label": "nonsense", "reliability": 0.5},
        {"rule": "r1", "reliability": 0.5},
        "r1",
        7,
    ],
)
def test_a_malformed_vote_is_refused_with_file_and_line(fired: object, tmp_path: Path) -> None:
    row = {"example_id": "e1", "task": "intent", "fold": 0, "rules": [fired]}
    with pytest.raises(InvalidDomain, match=r"votes\.jsonl:1: not an out-of-fold vote"):
        read_votes(write(tmp_path, json.dumps(row)), INTENT)
