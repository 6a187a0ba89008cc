"""What is wrong with rules that are about to be packed: errors of lint, and examples that fail."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rule_store import Finding, Trial, lint_rules, try_examples
from streams.cli.explained import verdict_words
from streams.cli.terminal import counted, printable
from streams.domain import Domain, pack_folder
from streams.errors import InvalidDomain
from streams.rule_files import RulesFile, read_rules_files

FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFault:
    """What `kdsl rules lint` calls an error, or an example that `kdsl rules test` calls failed."""

    file: Path
    command: Literal["lint", "test"]
    message: str


def packed_files(home: str | Path, folder: Path | None, pack: Domain) -> tuple[RulesFile, ...]:
    """The rules that go into a release: a folder's, and the pack's where that holds none.

    Args:
        home: the pack's name or folder.
        folder: rules that replace the pack's.
        pack: what is read from `home`.

    Raises:
        RuleStoreError: what is wrong with the rules, with all places.
    """
    folders = [each for each in (folder, pack_folder(home)) if each is not None]
    found = [[each / f"{task}.rules" for each in folders] for task in pack.tasks]
    files = [[path for path in paths if path.is_file()] for paths in found]
    return read_rules_files([paths[0] for paths in files if paths], pack)


def rule_faults(files: Sequence[RulesFile], pack: Domain) -> Iterator[RuleFault]:
    """Faults in the order of the files; warnings are none."""
    for file in files:
        for finding in lint_rules(
            file.read.rule_set,
            lexicon=pack.lexicon,
            labels=file.task.label_names,
            places=file.read.places,
        ):
            if finding.severity == "error":
                yield RuleFault(file=file.path, command="lint", message=_lint_message(finding))
        for trial in try_examples(
            file.read, pack.lexicon, reliability=file.task.assumed_reliability
        ):
            if not trial.passed:
                yield RuleFault(file=file.path, command="test", message=_trial_message(trial))


def _lint_message(finding: Finding) -> str:
    return f"{finding.place}: error: {finding.kind}: rule {finding.rule} {finding.message}"


def _trial_message(trial: Trial) -> str:
    wanted = "nothing" if trial.example.label is None else printable(trial.example.label)
    return f"{trial.example.place}: expected {wanted}, but {verdict_words(trial.verdict)}"


def refuse_faults(faults: Sequence[RuleFault], *, domain: str) -> None:
    """Refuse to pack rules at fault.

    Raises:
        InvalidDomain: names the first few, and the commands that tell more.
    """
    if not faults:
        return
    shown = [each.message for each in faults[:FAULTS_SHOWN]]
    if more := len(faults) - len(shown):
        shown.append(f"and {more} more")
    raise InvalidDomain(
        f"these rules go into no release, with {how_many(faults)}: mend them with "
        f"{' and '.join(_commands(faults, domain))}, or take them as they are with --allow-faults"
        "\n" + "\n".join(shown)
    )


def how_many(faults: Sequence[RuleFault]) -> str:
    """How many there are of each kind."""
    errors = sum(each.command == "lint" for each in faults)
    failing = len(faults) - errors
    counts = ((errors, "lint error"), (failing, "failing example"))
    return " and ".join(counted(count, noun) for count, noun in counts if count)


def _commands(faults: Sequence[RuleFault], domain: str) -> Iterator[str]:
    """What tells all faults, and why examples fail: for the files that have some."""
    for command in ("lint", "test"):
        files = dict.fromkeys(str(each.file) for each in faults if each.command == command)
        if files:
            yield f"`kdsl rules {command} --domain {shlex.join([domain, *files])}`"
