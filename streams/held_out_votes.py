"""`votes.jsonl`: what rules that were mined without an example say of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rule_store import Vote
from streams.domain import Task
from streams.errors import InvalidDomain

# A fit tries every reliability there is as a threshold: three digits keep these few.
_DIGITS = 3


HeldOutVotes = Mapping[str, tuple[Vote, ...]]
"""Example id → votes of the rules that were mined without it."""


def vote_line(
    *, example_id: str, task: str, fold: int, rules: Mapping[str, tuple[str, float]]
) -> str:
    """Write one example's line; of each rule that fired its id, label and reliability.

    >>> print(vote_line(example_id="e1", task="intent", fold=2, rules={"r1": ("track", 0.8)}))
    {"example_id": "e1", "task": "intent", "fold": 2, "rules": [{"rule": "r1", "label": "track", \
"reliability": 0.8}]}
    """
    fired = [
        {"rule": rule, "label": label, "reliability": reliability}
        for rule, (label, reliability) in rules.items()
    ]
    row = {"example_id": example_id, "task": task, "fold": fold, "rules": fired}
    return json.dumps(row, ensure_ascii=False)


def read_votes(path: Path, task: Task) -> HeldOutVotes | None:
    """Read the votes of a task; None when there are none, as no rule of it was mined.

    A rule has another reliability in every fold, and may be in none of the rules in use: each
    votes as it was believed without the example.

    Raises:
        InvalidDomain: malformed; names file and line.
    """
    if not path.is_file():
        return None
    labels = frozenset(task.label_names)
    votes: dict[str, tuple[Vote, ...]] = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                if row["task"] == task.name:
                    cast = tuple(_vote(each, labels) for each in row["rules"])
                    votes[str(row["example_id"])] = cast
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidDomain(f"{path}:{number}: not an out-of-fold vote") from error
    return votes or None


def _vote(fired: Mapping[str, Any], labels: frozenset[str]) -> Vote:
    label, reliability = fired["label"], float(fired["reliability"])
    if label not in labels:
        raise ValueError(f"no label {label!r}")
    if not 0.0 <= reliability <= 1.0:
        raise ValueError(f"a reliability is a number from 0 to 1, not {reliability}")
    return Vote(label=label, reliability=round(reliability, _DIGITS))
