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
from streams.mined_folder import check_writable

if TYPE_CHECKING:  # mining brings numpy and the search, which the other commands do without
    from streams.mining_checkpoint import Checkpoint
    from streams.rule_mining import MinedTask, MiningSettings, TaskExamples
    from streams.unlabelled import UnlabelledQuestion
    from streams.untaught import UntaughtTask

STOPPED = 130
_SUMMARY = "summary.html"


def mine_into(
    out: Path,
    labelled: "Sequence[TaskExamples]",
    unlabelled: "Sequence[UnlabelledQuestion]",
    pack: Domain,
    how: "MiningSettings",
    facts: Mapping[str, str],
) -> None:
    """Mine, or go on with it, and write all that came of it."""
    from streams.mining_checkpoint import Checkpoint
    from streams.rule_mining import mine_tasks

    check_writable(out, [each.task.name for each in labelled])  # not only when all is mined
    given = _beside(labelled, unlabelled)
    for each in given:
        _say_all(each.task.name, each.messages)
    checkpoint = Checkpoint(out, told=say)
    with _kept(checkpoint), MiningProgress(stderr()) as shown:
        mined = mine_tasks(given, pack, how, checkpoint=checkpoint, watcher=shown)
        _write(mined, out, facts)
        checkpoint.remove()
    for task in mined:
        say(_told(task))
    say(f"rules, reliabilities and votes in {out}; look at {out / _SUMMARY}")


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
    from streams.untaught import untaught_tasks

    found = untaught_tasks(asked, pack, tasks=tasks)
    for each in found:
        _say_all(each.name, each.messages)
    with _kept(Checkpoint(out)):
        _write(found, out, facts)
    for each in found:
        say(_untaught_told(each))
    say(f"rules in {out}, their reliabilities assumed; look at {out / _SUMMARY}")


def _write(
    mined: "Sequence[MinedTask | UntaughtTask]", out: Path, facts: Mapping[str, str]
) -> None:
    from streams.mined_files import write_mined
    from streams.mined_summary import summary_html
    from streams.whole_files import write_whole

    write_mined(mined, out)
    write_whole(out / _SUMMARY, summary_html(mined, facts))


def _say_all(task: str, messages: Sequence[str]) -> None:
    for message in messages:
        say(f"{task}: {message}")


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
def _kept(checkpoint: "Checkpoint") -> Iterator[None]:
    """Hold the folder; when we are stopped, say how to go on."""
    checkpoint.acquire()
    try:
        yield
    except KeyboardInterrupt:
        say(
            f"stopped; {counted(checkpoint.count, 'finished mining')} kept in "
            f"{checkpoint.folder}: run the same command again to go on"
        )
        raise typer.Exit(STOPPED) from None
    finally:
        checkpoint.release()


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
