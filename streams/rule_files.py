"""The `.rules` files that a person names, or those of a pack, read with all that they say."""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rule_store import RulesText, read_rules_text
from streams.domain import Domain, Task
from streams.errors import InvalidDomain
from streams.pack_files import read_text

_FITTED_ON = ("example_ids", "dialogue_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesFile:
    """A `<task>.rules` file, its examples and places included."""

    path: Path
    task: Task
    read: RulesText


def read_rules_files(
    paths: Sequence[Path], domain: Domain, *, names_checked: bool = True
) -> tuple[RulesFile, ...]:
    """Read files named `<task>.rules`, or those of folders, against a pack.

    Args:
        paths: files or folders.
        domain: brings tasks, labels and lexicon.
        names_checked: False also reads labels and concepts that the pack does not have.

    Raises:
        InvalidDomain: no rules there, or a file that is no task's; names the cure.
        RuleStoreError: what is wrong with the rules, with all places.
    """
    return tuple(
        RulesFile(path=path, task=task, read=_read(path, task, domain, names_checked))
        for path, task in _with_tasks(paths, domain)
    )


def _with_tasks(paths: Sequence[Path], domain: Domain) -> Iterable[tuple[Path, Task]]:
    wanted = " or ".join(f"{name}.rules" for name in domain.tasks)
    for path in paths:
        if not path.exists():
            raise InvalidDomain(f"{path}: no such file or folder; give {wanted}, or their folder")
        if path.is_dir():
            own = [(path / f"{name}.rules", task) for name, task in domain.tasks.items()]
            found = [(file, task) for file, task in own if file.is_file()]
            if not found:
                raise InvalidDomain(f"{path}: no rules there; expected {wanted}")
            yield from found
        elif path.suffix == ".rules" and path.stem in domain.tasks:
            yield path, domain.tasks[path.stem]
        else:
            raise InvalidDomain(f"{path}: a file of rules is named for its task: {wanted}")


def _read(path: Path, task: Task, domain: Domain, names_checked: bool) -> RulesText:
    return read_rules_text(
        read_text(path),
        task=task.name,
        labels=task.label_names if names_checked else None,
        lexicon=domain.lexicon if names_checked else None,
        origin=str(path),
    )


def written_phrases(lexicon_file: Path) -> Mapping[str, tuple[str, ...]]:
    """Concept → its own phrases as written, of a lexicon that has been loaded before."""
    if not lexicon_file.is_file():
        return {}
    concepts = tomllib.loads(read_text(lexicon_file)).get("concepts", {})
    return {
        name: tuple(entry.get("phrases", ()) if isinstance(entry, dict) else entry)
        for name, entry in concepts.items()
    }


def read_fitted_on(path: Path) -> Mapping[str, frozenset[str]]:
    """Rule id → ids of the examples, and of their dialogues, that it was fitted on.

    Args:
        path: a `fitted.json` beside the rules; without it nothing is known.

    Raises:
        InvalidDomain: not of the form that `rules mine` writes.
    """
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_bytes())
        return {
            str(rule): frozenset(str(each) for name in _FITTED_ON for each in row.get(name, ()))
            for rule, row in rows.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidDomain(
            f"{path}: not a map of rule id to what it was fitted on: {error!r}; mine the rules "
            "again, or remove the file"
        ) from error
