"""Runs of `kdsl rules mine`: what goes into the folder, and what is said of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from streams.cli.mining_progress import MiningProgress
from streams.cli.terminal import counted, say, stderr
from streams.domain import Domain
from streams.mined_folder import SUMMARY

if TYPE_CHECKING:  # mining brings numpy and the search, which the other commands do without
    from streams.rule_mining import MinedTask, MiningSettings, TaskExamples
    from streams.unlabelled import UnlabelledQuestion
    from streams.untaught import UntaughtTask

STOPPED = 130


def mine_into(
    out: Path,
    labelled: "Sequence[TaskExamples]",
    unlabelled: "Sequence[UnlabelledQuestion]",
    pack: Domain,
    how: "MiningSettings",
    facts: Mapping[str, str],
) -> None:
    """Mine, or go on with it, and write all that came of it."""
    from streams.mining_run import run_mining

    given = _beside(labelled, unlabelled)
    with _stopped_said(out), MiningProgress(stderr()) as shown:
        mined = run_mining(out, given, pack, how, facts, told=say, watcher=shown)
    for task in mined:
        say(_told(task))
    say(f"rules, reliabilities and votes in {out}; look at {out / SUMMARY}")


def write_untaught(
    asked: "Sequence[UnlabelledQuestion]",
    pack: Domain,
    tasks: Sequence[str],
    out: Path,
    facts: Mapping[str, str],
) -> None:
    """Write what is known before anybody labels an example.

    What a stopped mining of labelled examples keeps there stays.
    """
    from streams.mining_checkpoint import Checkpoint
    from streams.mining_run import write_with_summary
    from streams.untaught import untaught_tasks

    found = untaught_tasks(asked, pack, tasks=tasks)
    for each in found:
        for message in each.messages:
            say(f"{each.name}: {message}")
    with _stopped_said(out), Checkpoint(out).held():
        write_with_summary(found, out, facts)
    for each in found:
        say(_untaught_told(each))
    say(f"rules in {out}, their reliabilities assumed; look at {out / SUMMARY}")


def _beside(
    given: "Sequence[TaskExamples]", others: "Sequence[UnlabelledQuestion]"
) -> "list[TaskExamples]":
    """Put what is unlabelled beside the labelled examples of its task."""
    from streams.unlabelled_tasks import unlabelled_of

    ids = {example.dialogue_id for each in given for example in each.examples}
    found = []
    for each in given:
        beside = unlabelled_of(each.task.name, others, labelled=ids)
        messages = (*each.messages, *beside.messages)
        found.append(replace(each, messages=messages, unlabelled=beside.examples))
    names = {each.task.name for each in given}
    left = [each for each in others if each.question.task not in names]
    if left:
        tasks = " and ".join(dict.fromkeys(each.question.task for each in left))
        say(
            f"{tasks}: {counted(len(left), 'unlabelled example')} without a labelled one left out; "
            "give --unlabelled without --examples, and another --out, for rules without labels"
        )
    return found


@contextmanager
def _stopped_said(out: Path) -> Iterator[None]:
    """When we are stopped, say how to go on."""
    from streams.mining_checkpoint import Checkpoint

    try:
        yield
    except KeyboardInterrupt:
        checkpoint = Checkpoint(out)
        say(
            f"stopped; {counted(checkpoint.count, 'finished mining')} kept in "
            f"{checkpoint.folder}: run the same command again to go on"
        )
        raise typer.Exit(STOPPED) from None


def _told(task: "MinedTask") -> str:
    from streams.unlabelled_summary import trial_said

    origins = [task.origin(rule.id) for rule in task.mined.chosen.rules]
    examples = counted(len(task.given.examples), "example")
    line = (
        f"{task.name}: {counted(origins.count('mined'), 'rule')} mined from {examples}, beside "
        f"{origins.count('pack')} of the pack"
    )
    if described := origins.count("description"):
        line += f" and {described} from descriptions"
    return line if task.trial is None else f"{line}; {trial_said(task.trial)}"


def _untaught_told(task: "UntaughtTask") -> str:
    told = task.estimates
    return (
        f"{task.name}: {counted(len(task.rules), 'rule')}, {len(task.described)} of them from "
        f"descriptions; one fires at {told.covered} of {counted(told.examples, 'example')}, two of "
        f"different labels at {told.conflicting}"
    )
