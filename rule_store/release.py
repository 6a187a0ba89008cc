"""Release: everything that decides, as one immutable byte string with a digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from rule_store.canonical import (
    SCHEMA,
    Fields,
    canonical_json,
    check_counts,
    kind,
    read_fields,
)
from rule_store.errors import InvalidLexicon, InvalidRelease, part, shown
from rule_store.lexicon import NAME_CHARS, Lexicon, is_name, is_text
from rule_store.rules import RuleSet
from rule_store.task_rules import Reliability as Reliability
from rule_store.task_rules import TaskRules as TaskRules
from rule_store.task_rules import check_task, read_task, task_fields

RELEASE_BYTES = 16 * 1024 * 1024
TASKS = 64
RULES = 100_000
PHRASES = 1_000_000
SETTINGS = 1000
_INTEGER_MAX = 2**53
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")

Setting = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Everything that decides, and nothing of who made it or when.

    labels_digest: `labels_digest` of the tasks' labels; must agree with `tasks`.
    bundle: digest of the model bundle that the numbers were fitted with; None for rules alone.
    examples_digest: digest of the labelled examples they were fitted on.
    settings: what else a rebuild needs to get the same bytes (seed, view, …).

    Raises:
        InvalidRelease: it contradicts itself.
    """

    domain: str
    labels_digest: str
    tasks: Mapping[str, TaskRules]
    lexicon: Lexicon
    bundle: str | None
    examples_digest: str | None
    settings: Mapping[str, Setting]

    def __post_init__(self) -> None:
        check_domain(self.domain)
        if not self.tasks:
            raise InvalidRelease("tasks", f"there must be 1 to {TASKS}")
        _check_most("tasks", "tasks", len(self.tasks), TASKS)
        _check_most("tasks", "rules", sum(len(task.rules) for task in self.tasks.values()), RULES)
        _check_most("lexicon", "phrases", sum(map(len, self.lexicon.concepts.values())), PHRASES)
        for name, task in self.tasks.items():
            check_task(name, task, self.lexicon)
        if self.labels_digest != labels_digest({k: v.labels for k, v in self.tasks.items()}):
            raise InvalidRelease("labels_digest", "is not that of the tasks' labels; rebuild it")
        for field, named in (("bundle", self.bundle), ("examples_digest", self.examples_digest)):
            if named is not None and not is_name(named):
                raise InvalidRelease(field, f"must be a text of 1 to {NAME_CHARS} characters")
        _check_settings(self.settings)
        settings = {name: _whole(value) for name, value in self.settings.items()}
        object.__setattr__(self, "settings", settings)

    def rule_set(self, task: str) -> RuleSet:
        return RuleSet(task=task, rules=self.tasks[task].rules)


def labels_digest(labels: Mapping[str, tuple[str, ...]]) -> str:
    """SHA-256 (hexadecimal) of the canonical JSON map task → ordered labels."""
    return sha256(canonical_json({k: list(v) for k, v in labels.items()})).hexdigest()


def digest(content: bytes) -> str:
    """Name content by itself.

    >>> digest(b"")[:14]
    'sha256:e3b0c44'
    """
    return f"sha256:{sha256(content).hexdigest()}"


def canonical_bytes(release: Release) -> bytes:
    """Write a release; equal releases give equal bytes.

    Raises:
        InvalidRelease: more than `RELEASE_BYTES`, or than is ever read back.
    """
    content = canonical_json(
        {
            "schema": SCHEMA,
            "domain": release.domain,
            "labels_digest": release.labels_digest,
            "tasks": {name: task_fields(task) for name, task in release.tasks.items()},
            "lexicon": {k: list(v) for k, v in release.lexicon.concepts.items()},
            "bundle": release.bundle,
            "examples_digest": release.examples_digest,
            "settings": dict(release.settings),
        }
    )
    if len(content) > RELEASE_BYTES:
        raise InvalidRelease(
            "", f"{len(content)} bytes are more than the {RELEASE_BYTES} allowed; drop rules"
        )
    check_counts(content, InvalidRelease)
    return content


def read_release(content: bytes) -> Release:
    """Read a release from bytes of unknown origin.

    Fields that this version does not know are left aside: a minor schema may add some.

    Raises:
        InvalidRelease: names what is wrong and where.
    """
    top = read_fields(content, limit_bytes=RELEASE_BYTES, refusal=InvalidRelease)
    concepts = top.fields("lexicon")
    tasks = top.fields("tasks")
    settings = top.fields("settings")
    _check_read_counts(tasks, concepts)
    try:
        lexicon = Lexicon.of({name: concepts.texts(name) for name in concepts.values})
    except InvalidLexicon as error:
        raise InvalidRelease("lexicon", f"concept {shown(error.concept)} {error.fault}") from None
    return Release(
        domain=top.text("domain"),
        labels_digest=top.text("labels_digest"),
        tasks={name: read_task(tasks.fields(name), name) for name in tasks.values},
        lexicon=lexicon,
        bundle=top.optional_text("bundle"),
        examples_digest=top.optional_text("examples_digest"),
        settings={name: _read_setting(settings, name) for name in settings.values},
    )


def _check_read_counts(tasks: Fields, concepts: Fields) -> None:
    """Before anything is made of them: a rule takes many times the memory of its bytes."""
    _check_most("tasks", "tasks", len(tasks.values), TASKS)
    rules = sum(len(tasks.fields(name).items("rules")) for name in tasks.values)
    _check_most("tasks", "rules", rules, RULES)
    phrases = sum(len(concepts.items(name)) for name in concepts.values)
    _check_most("lexicon", "phrases", phrases, PHRASES)


def _check_most(where: str, noun: str, count: int, most: int) -> None:
    if count > most:
        raise InvalidRelease(where, f"{count} {noun} are more than the {most} allowed; drop some")


def check_domain(domain: str) -> None:
    """Refuse a domain name that cannot be part of a topic key.

    Raises:
        InvalidRelease: not of lower-case letters, digits and hyphens.
    """
    if _DOMAIN.fullmatch(domain) is None:
        raise InvalidRelease("domain", f"{shown(domain)} may hold only a-z, 0-9 and hyphens")


def is_labels_digest(text: str) -> bool:
    return _HEX_DIGEST.fullmatch(text) is not None


def _read_setting(settings: Fields, name: str) -> Setting:
    value = settings.value(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise settings.refuse(name, f"must be a text or a number, not {kind(value)}")
    return value


def _whole(value: Setting) -> Setting:
    """Take 3.0 as 3: equal settings have one form."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_settings(settings: Mapping[str, Setting]) -> None:
    if len(settings) > SETTINGS:
        raise InvalidRelease("settings", f"more than {SETTINGS}")
    for name, value in settings.items():
        where = f"settings.{part(name)}"
        if not is_name(name):
            raise InvalidRelease(where, f"names have 1 to {NAME_CHARS} characters")
        if isinstance(value, str):
            if len(value) > 1000 or not is_text(value):
                raise InvalidRelease(where, "must be a text of at most 1000 characters")
        elif isinstance(value, bool) or not -_INTEGER_MAX <= value <= _INTEGER_MAX:
            raise InvalidRelease(where, "must be a finite number between -2^53 and 2^53")
