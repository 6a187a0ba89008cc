"""`kdsl rules mine`: labelled dialogues become rules with honest reliabilities."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rule_store.folds import is_admission
from streams.cli.choices import one_view
from streams.cli.labelled import read_questions
from streams.cli.mining_progress import MiningProgress
from streams.cli.options import DomainName, ExamplesOption, ReadingsOption, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.terminal import counted, say, stderr, stoppable
from streams.domain import Domain, load_domain
from streams.labelled import LabelledQuestion
from streams.settings import load_settings

if TYPE_CHECKING:  # mining brings numpy and the search, which the other commands do without
    from streams.mining_checkpoint import Checkpoint
    from streams.rule_mining import MinedTask, MiningSettings

STOPPED = 130


def mine(
    examples: ExamplesOption,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where rules, reliabilities and summary go.")
    ],
    domain: DomainName = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK",
            help="Only this task; may be repeated. (default: all that have examples)",
        ),
    ] = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=1.0,
            help="Most time for the search; then two runs may find other rules. (default: none)",
        ),
    ] = None,
    iterations: Annotated[
        int, typer.Option(metavar="N", min=1, help="Rule bodies expanded for a rule, at most.")
    ] = 40,
    search: Annotated[
        Literal["mcts", "beam"],
        typer.Option(help="Monte Carlo tree search, or the best bodies of each length."),
    ] = "mcts",
    proposer: Annotated[
        Literal["statistical", "linear", "uniform"],
        typer.Option(help="What mcts tries first: by counts, by a linear model, or all alike."),
    ] = "statistical",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the search.")] = 0,
    hold_out: Annotated[
        Literal["admission"] | None,
        typer.Option(
            help="Leave out the one example in ten that only the gate of `kdsl refresh` may read. "
            "(default: none)",
        ),
    ] = None,
) -> None:
    """Find rules in labelled dialogues, and judge them by dialogues they were not found in.

    Writes <task>.rules, fitted.json, votes.jsonl and summary.html for `kdsl release build --rules`.

    Stopped at any moment, by Ctrl-C or worse, it goes on when the same command is run again.

    Exit 1 when the examples cannot be mined or the folder is of others; 130 when stopped.
    """
    from rule_store.mining.miner_settings import MinerSettings
    from streams.rule_mining import MiningSettings

    stoppable()
    settings = load_settings({"domain": domain})
    pack = load_domain(settings.domain)
    _check_tasks(task or (), pack)
    seen = one_view(view, default="live")
    chosen = choose_readings(readings, examples, settings)
    labelled = read_questions(examples, seen, replace(settings, readings=chosen), pack)
    if hold_out is not None:
        labelled = [each for each in labelled if not is_admission(each.example_id)]
    how = MiningSettings(
        miner=MinerSettings(search=search, proposer=proposer, iterations=iterations, seed=seed),
        budget_s=budget,
    )
    facts = {
        "domain": pack.name,
        "view": seen,
        "readings": chosen,
        "held out for the gate": "one example in ten" if hold_out else "nothing",
        "search": search if search == "beam" else f"{search}, {proposer} proposer",
        "iterations for a rule": str(iterations),
        "seed": str(seed),
        "budget": "none" if budget is None else f"{budget:g} s",
    }
    _mine(labelled, pack, task or (), how, out, facts)


def _check_tasks(names: Sequence[str], pack: Domain) -> None:
    for name in names:
        if name not in pack.tasks:
            raise typer.BadParameter(f"no task {name!r}; known: {', '.join(pack.tasks)}")


def _mine(
    labelled: Sequence[LabelledQuestion],
    pack: Domain,
    tasks: Sequence[str],
    how: "MiningSettings",
    out: Path,
    facts: dict[str, str],
) -> None:
    from streams.mined_files import write_mined
    from streams.mined_summary import summary_html
    from streams.mining_checkpoint import Checkpoint
    from streams.rule_mining import examples_by_task, mine_tasks
    from streams.whole_files import write_whole

    given = examples_by_task(labelled, pack, tasks=tasks)
    for each in given:
        for message in each.messages:
            say(f"{each.task.name}: {message}")
    checkpoint = Checkpoint(out)
    with _kept(checkpoint), MiningProgress(stderr()) as shown:
        mined = mine_tasks(given, pack, how, checkpoint=checkpoint, watcher=shown)
        write_mined(mined, out)
        write_whole(out / "summary.html", summary_html(mined, facts))
        checkpoint.remove()
    for task in mined:
        say(_told(task))
    say(f"rules, reliabilities and votes in {out}; look at {out / 'summary.html'}")


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
    mined = len(task.mined.fitted_on)
    own = len(task.mined.chosen.rules) - mined
    examples = counted(len(task.given.examples), "example")
    return f"{task.name}: {counted(mined, 'rule')} mined from {examples}, beside {own} of the pack"
