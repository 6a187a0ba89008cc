"""A domain pack: one business's tasks, labels, lexicon, rules as source and alert policy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rule_store import Lexicon, RuleSet, RuleStoreError, labels_digest, read_rules
from streams.errors import InvalidDomain
from streams.lexicon_file import read_lexicon
from streams.limits import LIMITS
from streams.pack_files import TomlTable, read_table, read_text
from streams.resources import deploy_folder, domain_folder

# Two label spaces, never mixed: intent asks about the dialogue, scene about one image.
TASKS = ("intent", "scene")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label and what it means, in words a model and a person can use."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is recognised, over which labels.

    answer_within_s: the promise, counted from the event's Kafka timestamp.
    assumed_reliability: what a rule counts for until its reliability is fitted, in (0, 1).
    """

    name: str
    labels: tuple[Label, ...]
    answer_within_s: float
    assumed_reliability: float

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """Which tags an operator should look at.

    cooldown_s: one alert a dialogue in each window of this length of event time.
    max_age_s: an older tag raises none.
    """

    name: str
    task: str
    labels: frozenset[str]
    min_confidence: float
    cooldown_s: float
    max_age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A loaded and checked domain pack."""

    name: str
    language: str
    description: str
    tasks: Mapping[str, Task]
    lexicon: Lexicon
    rule_sets: Mapping[str, RuleSet]
    alert_policies: tuple[AlertPolicy, ...]

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        return {name: task.label_names for name, task in self.tasks.items()}

    @property
    def labels_digest(self) -> str:
        return labels_digest(self.labels)


def load_domain(name_or_folder: str | Path) -> Domain:
    """Load a pack that ships with `kdsl` by its name, or any pack by its folder.

    Raises:
        InvalidDomain: naming file, place and cure.
    """
    folder = pack_folder(name_or_folder)
    table = read_table(folder / "domain.toml")
    name = table.text("name", LIMITS.name_chars)
    if not _NAME.fullmatch(name):
        raise table.fail("name", "lower-case letters, digits and dashes")
    tasks = _read_tasks(table)
    lexicon = read_lexicon(folder / "lexicon.toml")
    rule_sets = {task.name: _read_rule_set(folder, task, lexicon) for task in tasks.values()}
    return Domain(
        name=name,
        language=table.text("language", 16),
        description=table.text("description", LIMITS.detail_chars),
        tasks=tasks,
        lexicon=lexicon,
        rule_sets=rule_sets,
        alert_policies=_read_policies(table, tasks),
    )


def pack_folder(name_or_folder: str | Path) -> Path:
    """Where the files of a pack are that ships by this name, or stands in this folder.

    Raises:
        InvalidDomain: there is none.
    """
    folder = Path(name_or_folder)
    if isinstance(name_or_folder, str) and _NAME.fullmatch(name_or_folder):
        shipped = domain_folder(name_or_folder)
        if (shipped / "domain.toml").is_file():
            return shipped
    if (folder / "domain.toml").is_file():
        return folder
    packs = deploy_folder() / "domains"
    known = ", ".join(sorted(path.parent.name for path in packs.glob("*/domain.toml")))
    raise InvalidDomain(
        f"no domain pack at {name_or_folder}: give one of {known}, or a folder with a domain.toml"
    )


def _read_tasks(table: TomlTable) -> dict[str, Task]:
    tasks = {}
    for name, row in table.tables("tasks").items():
        if name not in TASKS:
            raise row.fail("", f"one of {', '.join(TASKS)}")
        labels = tuple(
            Label(
                name=label.text("name", LIMITS.name_chars),
                description=label.text("description", LIMITS.detail_chars),
            )
            for label in row.rows("labels")
        )
        if len({label.name for label in labels}) != len(labels):
            raise row.fail("labels", "labels of different names")
        if len(labels) < 2:  # one label is nothing to decide
            raise row.fail("labels", "at least two [[labels]]")
        tasks[name] = Task(
            name=name,
            labels=labels,
            answer_within_s=row.number("answer_within_s", 0.001, 86_400.0),
            assumed_reliability=row.number("assumed_reliability", 0.01, 0.99),
        )
    if not tasks:
        raise table.fail("tasks", "at least one of [tasks.intent], [tasks.scene]")
    return tasks


def _read_policies(table: TomlTable, tasks: Mapping[str, Task]) -> tuple[AlertPolicy, ...]:
    policies = tuple(_read_policy(row, tasks) for row in table.rows("alerts"))
    if len({policy.name for policy in policies}) != len(policies):  # alert ids hold the name
        raise table.fail("alerts", "policies of different names")
    return policies


def _read_policy(row: TomlTable, tasks: Mapping[str, Task]) -> AlertPolicy:
    task = row.text("task", LIMITS.name_chars)
    if task not in tasks:
        raise row.fail("task", f"one of {', '.join(tasks)}")
    labels = row.texts("labels")
    for label in labels:
        if label not in tasks[task].label_names:
            raise row.fail("labels", f"labels of {task}; {label!r} is not one")
    return AlertPolicy(
        name=row.text("name", LIMITS.name_chars),
        task=task,
        labels=frozenset(labels),
        min_confidence=row.number("min_confidence", 0.0, 1.0),
        cooldown_s=row.number("cooldown_s", 1.0, 30 * 86_400.0),
        max_age_s=row.number("max_age_s", 1.0, 30 * 86_400.0),
    )


def _read_rule_set(folder: Path, task: Task, lexicon: Lexicon) -> RuleSet:
    path = folder / f"{task.name}.rules"
    if not path.is_file():
        return RuleSet(task=task.name, rules=())
    return read_rules_file(path, task=task, lexicon=lexicon)


def read_rules_file(path: Path, *, task: Task, lexicon: Lexicon) -> RuleSet:
    """Read one `<task>.rules` file against the labels and the lexicon of a pack.

    Raises:
        InvalidDomain: naming file, line, column and cure of all that is wrong, one a line.
    """
    text = read_text(path)
    try:
        return read_rules(
            text, task=task.name, labels=task.label_names, lexicon=lexicon, origin=str(path)
        )
    except RuleStoreError as error:
        raise InvalidDomain(str(error)) from error
