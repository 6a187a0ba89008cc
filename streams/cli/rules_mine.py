"""`kdsl rules mine`: dialogues, labelled or not, become rules with honest reliabilities."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from rule_store.folds import is_admission
from streams.cli.choices import one_view
from streams.cli.labelled import read_learnable_questions, say_empty
from streams.cli.mining_runs import mine_into, write_untaught
from streams.cli.options import DomainName, ReadingsOption, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.terminal import stoppable
from streams.cli.unlabelled import read_unlabelled_questions
from streams.datasets import View
from streams.domain import Domain, load_domain
from streams.labelled import LabelledQuestion
from streams.mined_folder import check_writable
from streams.settings import Settings, load_settings
from streams.unlabelled import UnlabelledQuestion

if TYPE_CHECKING:  # mining brings numpy and the search, which the other commands do without
    from streams.rule_mining import MiningSettings

_Question = TypeVar("_Question", LabelledQuestion, UnlabelledQuestion)


def mine(
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where rules, reliabilities and summary go.")
    ],
    examples: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Labelled dialogues: a .jsonl or a folder; may be repeated."
        ),
    ] = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Dialogues without labels, likewise. Alone they judge the rules of the pack and "
            "of the label descriptions; beside --examples they may be mined, too.",
        ),
    ] = None,
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
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Of what mcts tries first; beam leaves nothing to chance."
        ),
    ] = 0,
    label_noise: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0.0, max=0.45, help="Share of the labels that is wrong."),
    ] = 0.0,
    hold_out: Annotated[
        Literal["admission"] | None,
        typer.Option(
            help="Leave out the one dialogue in ten that only the gate of `kdsl refresh` may read. "
            "(default: none)",
        ),
    ] = None,
) -> None:
    """Find rules in labelled dialogues, and judge them by dialogues they were not found in.

    With --unlabelled alone it writes rules of pack and label descriptions, of assumed reliability.

    Writes <task>.rules, fitted.json, votes.jsonl and summary.html for `kdsl release build --rules`.

    Stopped at any moment, by Ctrl-C or worse, it goes on when the same command is run again.

    Exit 1 when the examples cannot be mined or the folder is of others; 130 when stopped.
    """
    from rule_store.mining.miner_settings import MinerSettings
    from streams.rule_mining import MiningSettings, examples_by_task

    stoppable()
    if not examples and not unlabelled:
        raise typer.BadParameter(
            "nothing to mine: give --examples PATH (labelled dialogues), --unlabelled PATH "
            "(dialogues without labels), or both"
        )
    settings = load_settings({"domain": domain})
    pack = load_domain(settings.domain)
    _check_tasks(task or (), pack)
    check_writable(out, task or ())
    seen = one_view(view, default="live")
    chosen = choose_readings(readings, [*(examples or ()), *(unlabelled or ())], settings)
    reading = replace(settings, readings=chosen, bundle=None)  # no model is asked
    labelled, others = _read(examples or (), unlabelled or (), seen, reading, pack)
    if hold_out is not None:
        labelled, others = _without_admission(labelled), _without_admission(others)
    facts = {"domain": pack.name, "view": seen, "readings": chosen} | _held_out(hold_out)
    if not examples:
        write_untaught(others, pack, task or (), out, facts)
        return
    miner = MinerSettings(
        search=search, proposer=proposer, iterations=iterations, seed=seed, label_noise=label_noise
    )
    how = MiningSettings(miner=miner, budget_s=budget)
    given = examples_by_task(labelled, pack, tasks=task or ())
    mine_into(out, given, others, pack, how, facts | _in_words(how))


def _read(
    examples: Sequence[Path],
    unlabelled: Sequence[Path],
    view: View,
    settings: Settings,
    pack: Domain,
) -> tuple[list[LabelledQuestion], list[UnlabelledQuestion]]:
    say_empty([*examples, *unlabelled])
    labelled = read_learnable_questions(examples, view, settings, pack) if examples else []
    others = read_unlabelled_questions(unlabelled, view, settings, pack) if unlabelled else []
    return labelled, others


def _held_out(split: str | None) -> dict[str, str]:
    return {"held out for the gate": "one dialogue in ten" if split else "nothing"}


def _without_admission(asked: list[_Question]) -> list[_Question]:
    return [each for each in asked if not is_admission(each.dialogue_id)]


def _in_words(how: "MiningSettings") -> dict[str, str]:
    miner = how.miner
    search = miner.search if miner.search == "beam" else f"mcts, {miner.proposer} proposer"
    facts = {
        "search": search,
        "iterations for a rule": str(miner.iterations),
        "seed": str(miner.seed),
        "budget": "none" if how.budget_s is None else f"{how.budget_s:g} s",
    }
    noise = {"labels said to be wrong": f"{miner.label_noise:.1%}"} if miner.label_noise else {}
    return facts | noise


def _check_tasks(names: Sequence[str], pack: Domain) -> None:
    for name in names:
        if name not in pack.tasks:
            raise typer.BadParameter(f"no task {name!r}; known: {', '.join(pack.tasks)}")
