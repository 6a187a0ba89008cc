"""`kdsl release list | show | diff`: what releases there are, what they hold, how they differ."""

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column

from rule_store import read_release
from rule_store.diff import RELIABILITY_STEP, diff_releases
from streams.brief import brief
from streams.cli.release_options import Named, RegistryOption, find_anywhere, open_registry
from streams.cli.release_tables import moment, print_rules_of, print_tasks
from streams.cli.tables import print_table, text_column
from streams.cli.terminal import printable, say, stdout
from streams.registering import in_force
from streams.settings import load_settings

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import ReleaseRow


def list_releases(
    domain: Annotated[
        str | None, typer.Option("--domain", help="Only those of this domain, by its name.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    registry: RegistryOption = None,
) -> None:
    """List the releases of the registry, the newest first."""
    settings = load_settings({"registry": registry})
    with open_registry(settings) as opened:
        active = {row.activation.digest for row in in_force(opened)}
        rows = opened.releases(domain, limit=limit)
        place = opened.place
    if rows:
        _print_releases(rows, active)
    say(f"{len(rows)} of the newest releases in {place}" if rows else f"no release in {place}")


def _print_releases(rows: "tuple[ReleaseRow, ...]", active: Collection[str]) -> None:
    names = ("release", "domain", "built", "by", "signed by", "made from")
    cells = [
        (
            f"{brief(row.digest)}{' (active)' * (row.digest in active)}",
            row.domain,
            moment(row.at_ms),
            row.by,
            "\n".join(row.signed_by) or "nobody",
            brief(row.parent) if row.parent else "-",
            row.note or "",
        )
        for row in rows
    ]
    columns = (*map(Column, names), text_column("note", cells=14))
    print_table(columns, cells, under={"made from": "release", "by": "built"})


def show(
    name: Named,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also every rule with its id and reliability.")
    ] = False,
    registry: RegistryOption = None,
) -> None:
    """Show what a release holds."""
    settings = load_settings({"registry": registry})
    named = find_anywhere(name, settings)
    release = read_release(named.signed.content)
    say(f"release {named.digest} for {release.domain}")
    say("signed by " + (", ".join(each.key_id for each in named.signed.signatures) or "nobody"))
    say(f"fitted with bundle {release.bundle}" if release.bundle else "fitted with no bundle")
    print_tasks(release)
    if rules:
        print_rules_of(release)


def diff(
    old: Annotated[str, typer.Argument(metavar="DIGEST|FILE", help="From this release.")],
    new: Annotated[str, typer.Argument(metavar="DIGEST|FILE", help="To this one.")],
    step: Annotated[
        float,
        typer.Option(min=0, max=1, help="Reliabilities that moved by no more are only counted."),
    ] = RELIABILITY_STEP,
    registry: RegistryOption = None,
) -> None:
    """Say in words what differs between two releases, rule by rule."""
    settings = load_settings({"registry": registry})
    one, other = find_anywhere(old, settings), find_anywhere(new, settings)
    changes = diff_releases(
        read_release(one.signed.content), read_release(other.signed.content), step=step
    )
    for change in changes:
        line = f"{change.where}: {change.kind}: {change.what}"
        stdout().print(printable(line), soft_wrap=True)
    counts = Counter(change.kind for change in changes)
    counted = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    say(f"{brief(one.digest)} → {brief(other.digest)}: {counted or 'no difference'}")
