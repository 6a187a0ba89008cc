"""`votes.jsonl`: what rules that were mined without an example say of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rule_store import Has, Literal, Rule, RuleStoreError
from streams.domain import Task
from streams.errors import InvalidDomain

# A fit tries every reliability there is as a threshold: three digits keep these few.
_DIGITS = 3
# Phrases fold all digits to one.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutRules:
    """Which rules fired on the examples of a task, out of fold.

    fired: example id → ids, of rules in use or of the stand-ins.
    stand_ins: rules that were mined without a fold, by id. The same rule has another reliability
        in every fold, and may be in none of the rules in use: each stands here for itself, with a
        body that nobody evaluates.
    reliability: stand-in → what was believed of it without the fold.
    """

    fired: Mapping[str, frozenset[str]]
    stand_ins: Mapping[str, Rule] = field(default_factory=dict)
    reliability: Mapping[str, float] = field(default_factory=dict)


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


def read_votes(path: Path, task: Task) -> HeldOutRules | None:
    """Read the votes of a task; None when there is no such file.

    A rule that is given by its id alone is one of those in use.

    Raises:
        InvalidDomain: malformed; names file and line.
    """
    if not path.is_file():
        return None
    reading = _Reading(task.name, frozenset(task.label_names))
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                reading.take(json.loads(line))
            except (ValueError, KeyError, TypeError, RuleStoreError) as error:
                raise InvalidDomain(f"{path}:{number}: not an out-of-fold vote") from error
    return HeldOutRules(
        fired=reading.fired, stand_ins=reading.stand_ins, reliability=reading.reliability
    )


class _Reading:
    """What was read so far of a task's votes."""

    def __init__(self, task: str, labels: frozenset[str]) -> None:
        self._task = task
        self._labels = labels
        self.fired: dict[str, frozenset[str]] = {}
        self.stand_ins: dict[str, Rule] = {}
        self.reliability: dict[str, float] = {}

    def take(self, row: dict[str, Any]) -> None:
        if row["task"] == self._task:
            fired = frozenset(self._rule(row, each) for each in row["rules"])
            self.fired[str(row["example_id"])] = fired

    def _rule(self, row: dict[str, Any], fired: str | dict[str, Any]) -> str:
        """The id of a rule that fired, or of what stands for it."""
        if isinstance(fired, str):
            return fired
        if fired["label"] not in self._labels:
            raise ValueError(f"no label {fired['label']!r}")
        rule = _stand_in(self._task, int(row["fold"]), fired["rule"], fired["label"])
        self.stand_ins[rule.id] = rule
        self.reliability[rule.id] = _share(fired["reliability"])
        return rule.id


def _stand_in(task: str, fold: int, rule_id: str, label: str) -> Rule:
    name = hashlib.sha256(f"{fold}:{rule_id}".encode()).hexdigest().translate(_LETTERS)
    return Rule(task=task, body=(Literal(predicate=Has(channel="last", phrase=name)),), label=label)


def _share(value: object) -> float:
    share = float(value)  # type: ignore[arg-type]
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a reliability is a number from 0 to 1, not {share}")
    return round(share, _DIGITS)
