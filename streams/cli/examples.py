"""`kdsl examples`: labelled dialogues in the registry."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from streams.cli.options import DomainName
from streams.cli.release_options import ByOption, RegistryOption, domain_name, open_registry, who
from streams.cli.terminal import printable, say, say_notes, stdout
from streams.domain import Domain, load_domain
from streams.role import system_now_ms
from streams.settings import load_settings
from streams.stored_examples import add_lines, counted, example_ids, read_lines, stored_line

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import Added, LabelledExample

app = typer.Typer(no_args_is_help=True, help="Keep labelled dialogues in the registry.")

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Each a .jsonl, or a folder with dialogues.jsonl."),
]
_CONFLICTS_SHOWN = 10


@app.command("add")
def add(
    paths: Paths, domain: DomainName = None, by: ByOption = None, registry: RegistryOption = None
) -> None:
    """Add labelled lines; the same again changes nothing, another of one id is refused."""
    settings, person = load_settings({"domain": domain, "registry": registry}), who(by)
    pack = load_domain(settings.domain)
    conflicts = 0
    with open_registry(settings) as opened:

        def add_rows(rows: "Sequence[LabelledExample]") -> "Added":
            return opened.add_examples(pack.name, rows, by=person, at_ms=system_now_ms())

        for path in paths:
            # Once through before the first is added: of a malformed file nothing is.
            with_images = sum(line.has_images for line in read_lines(path, pack))
            adding = add_lines(_rows(path, pack), add_rows)
            say(
                f"{path}: {adding.added} added, {adding.known} there already, "
                f"{len(adding.conflicts)} conflicting"
            )
            for conflict in adding.conflicts[:_CONFLICTS_SHOWN]:
                say(conflict)
            if with_images:
                say(
                    f"{path}: {with_images} lines name images, of which only the names are kept: "
                    "keep the files yourself"
                )
            conflicts += len(adding.conflicts)
    if conflicts:
        raise typer.Exit(1)


@app.command("list")
def list_examples(
    domain: DomainName = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write the lines to this .jsonl, by example id.")
    ] = None,
    registry: RegistryOption = None,
) -> None:
    """Count the examples by task and label."""
    settings = load_settings({"domain": domain, "registry": registry})
    name = domain_name(settings)
    with open_registry(settings) as opened:
        counts = counted(opened.examples(name))
        if out is not None:
            with out.open("wb") as file:
                file.writelines(row.line + b"\n" for row in opened.examples(name))
        place = opened.place
    table = Table("task", "label", "examples")
    for (task, label), count in sorted(counts.items()):
        table.add_row(printable(task), printable(label), str(count))
    if counts:
        stdout().print(table)
    say(f"{counts.total()} examples of {name} in {place}{f', written to {out}' if out else ''}")


@app.command("remove")
def remove(
    paths: Paths, domain: DomainName = None, by: ByOption = None, registry: RegistryOption = None
) -> None:
    """Forget the examples whose ids stand in these files, whatever else their lines say."""
    settings, person = load_settings({"domain": domain, "registry": registry}), who(by)
    name = domain_name(settings)
    with open_registry(settings) as opened:
        for path in paths:
            ids = set(example_ids(path))
            removed = opened.remove_examples(name, ids, by=person, at_ms=system_now_ms())
            say(f"{path}: {removed} removed, {len(ids) - removed} were not there")


def _rows(path: Path, pack: Domain) -> "Iterator[LabelledExample]":
    from rule_store.registry import LabelledExample

    for line in read_lines(path, pack):
        say_notes(line.example)
        yield LabelledExample(
            example_id=line.example.event.event_id,
            line=stored_line(line),
            labels=(line.label,),
            origin=str(path),
        )
