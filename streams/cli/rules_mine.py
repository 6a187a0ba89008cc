"""`kdsl rules mine`: dialogues, labelled or not, become rules with honest reliabilities."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rule_store.folds import is_admission
from streams.cli.choices import one_view
from streams.cli.labelled import read_learnable_questions
from streams.cli.mining_runs import mine_into, write_untaught
from streams.cli.options import DomainName, ReadingsOption, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.terminal import stoppable
from streams.cli.unlabelled import read_unlabelled_questions
from streams.domain import Domain, load_domain
from streams.settings import load_settings

if TYPE_CHECKING:  # mining brings numpy and the search, which the other commands do without
    from rule_store.mining.miner_settings import MinerSettings


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
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the search.")] = 0,
    label_noise: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0.0, max=0.45, help="Share of the labels that is wrong."),
    ] = 0.0,
    hold_out: Annotated[
        Literal["admission"] | None,
        typer.Option(
            help="Leave out the one example in ten that only the gate of `kdsl refresh` may read. "
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
    seen = one_view(view, default="live")
    chosen = choose_readings(readings, [*(examples or ()), *(unlabelled or ())], settings)
    reading = replace(settings, readings=chosen, bundle=None)  # no model is asked
    labelled = read_learnable_questions(examples, seen, reading, pack) if examples else []
    others = read_unlabelled_questions(unlabelled, seen, reading, pack) if unlabelled else []
    if hold_out is not None:
        labelled = [each for each in labelled if not is_admission(each.dialogue_id)]
        others = [each for each in others if not is_admission(each.dialogue_id)]
    facts = {
        "domain": pack.name,
        "view": seen,
        "readings": chosen,
        "held out for the gate": "one example in ten" if hold_out else "nothing",
    }
    if not examples:
        write_untaught(others, pack, task or (), out, facts)
        return
    how = MiningSettings(
        miner=_miner_settings(search, proposer, iterations, seed, label_noise), budget_s=budget
    )
    facts |= {
        "search": search if search == "beam" else f"{search}, {proposer} proposer",
        "iterations for a rule": str(iterations),
        "seed": str(seed),
        "budget": "none" if budget is None else f"{budget:g} s",
    }
    if label_noise:
        facts["labels reckoned wrong"] = f"{label_noise:.1%}"
    given = examples_by_task(labelled, pack, tasks=task or ())
    mine_into(out, given, others, pack, how, facts)


def _miner_settings(
    search: Literal["mcts", "beam"],
    proposer: Literal["statistical", "linear", "uniform"],
    iterations: int,
    seed: int,
    label_noise: float,
) -> "MinerSettings":
    from rule_store.mining.miner_settings import MinerSettings
    from rule_store.mining.noisy_settings import NoisySettings

    how = MinerSettings(search=search, proposer=proposer, iterations=iterations, seed=seed)
    return NoisySettings.of(how, label_noise) if label_noise else how


def _check_tasks(names: Sequence[str], pack: Domain) -> None:
    for name in names:
        if name not in pack.tasks:
            raise typer.BadParameter(f"no task {name!r}; known: {', '.join(pack.tasks)}")
