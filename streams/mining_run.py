"""A run of mining: into a folder, or on with what a stopped one left there."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streams.domain import Domain
from streams.mined_files import write_mined
from streams.mined_folder import SUMMARY, check_writable
from streams.mined_summary import summary_html
from streams.mining_checkpoint import Checkpoint
from streams.rule_mining import MinedTask, MiningSettings, TaskExamples, Watcher, mine_tasks
from streams.untaught import UntaughtTask
from streams.whole_files import write_whole


def run_mining(
    out: Path,
    given: Sequence[TaskExamples],
    pack: Domain,
    how: MiningSettings,
    facts: Mapping[str, str],
    *,
    told: Callable[[str], None],
    watcher: Watcher,
) -> tuple[MinedTask, ...]:
    """Mine, and write all that came of it; what was mined before it was stopped is kept.

    Args:
        out: the folder.
        given: examples of each task.
        pack: brings lexicon, labels and written rules.
        how: the settings.
        facts: about the run, for the summary.
        told: is given sentences on what cannot be mined, or was kept and cannot be read.
        watcher: is told of every step.

    Raises:
        FolderInUse: another run uses the folder.
        InvalidSettings: what is in the folder is not of this mining, or would be lost.
    """
    # What was edited shall be refused before it is mined, not when all is mined.
    check_writable(out, [each.task.name for each in given if each.examples])
    for each in given:
        for message in each.messages:
            told(f"{each.task.name}: {message}")
    checkpoint = Checkpoint(out, told=told)
    with checkpoint.held():
        mined = mine_tasks(given, pack, how, checkpoint=checkpoint, watcher=watcher)
        # A clock may end a search before its iterations do.
        iterations = how.miner.iterations if how.budget_s is None else None
        write_with_summary(mined, out, facts, iterations=iterations)
        checkpoint.remove()
    return mined


def write_with_summary(
    mined: Sequence[MinedTask | UntaughtTask],
    out: Path,
    facts: Mapping[str, str],
    *,
    iterations: int | None = None,
) -> None:
    """Write what a release is built from, and the page for a person; the folder is held."""
    write_mined(mined, out)
    others = sorted({path.stem for path in out.glob("*.rules")} - {each.name for each in mined})
    page = summary_html(mined, facts, others=others, iterations=iterations)
    write_whole(out / SUMMARY, page)
