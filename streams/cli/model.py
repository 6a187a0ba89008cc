"""`kdsl model`: train a bundle."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from inference.inputs import TaskSpec
from streams.cli.choices import one_view
from streams.cli.labelled import read_questions
from streams.cli.options import DomainName, ExamplesOption, ReadingsOption, Threads, ViewOption
from streams.cli.readings import choose_readings
from streams.cli.terminal import say
from streams.domain import Domain, load_domain
from streams.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Train the model that answers what rules cannot.")


@app.command("train")
def train(
    examples: ExamplesOption,
    out: Annotated[Path, typer.Option(help="The bundle's directory.")],
    domain: DomainName = None,
    view: ViewOption = None,
    readings: ReadingsOption = None,
    seed: Annotated[int, typer.Option(help="Of folds and training.")] = 0,
    threads: Threads = None,
) -> None:
    """Train the compact bundle from labelled dialogues and screenshots; no GPU, no download."""
    settings = load_settings({"domain": domain, "threads": threads})
    pack = load_domain(settings.domain)
    settings = replace(
        settings, readings=choose_readings(readings, examples, settings), bundle=None
    )
    seen = one_view(view, default="live")
    labelled = read_questions(examples, seen, settings, pack)
    # scikit-learn is imported in here; only training needs it.
    from inference.compact import train as train_compact

    bundle = train_compact(
        task_specs(pack),
        [each.training_example for each in labelled],
        concepts=pack.lexicon.concepts,
        out=out,
        seed=seed,
        progress=say,
    )
    say(f"bundle {bundle.digest} in {out}, from {len(labelled)} questions ({seen} view)")


def task_specs(domain: Domain) -> list[TaskSpec]:
    """What the model must answer, in its own words."""
    return [
        TaskSpec(
            name=task.name,
            labels=task.label_names,
            descriptions={label.name: label.description for label in task.labels},
        )
        for task in domain.tasks.values()
    ]
