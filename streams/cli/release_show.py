"""`kdsl release list | show | diff`: what releases there are, what they hold, how they differ."""

from collections import Counter
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from rule_store import read_release
from rule_store.diff import RELIABILITY_STEP, diff_releases
from streams.cli.release_options import Named, RegistryOption, find_anywhere, open_registry
from streams.cli.release_status import short
from streams.cli.release_tables import moment, print_rules_of, print_tasks
from streams.cli.terminal import printable, say, stdout
from streams.registering import in_force
from streams.settings import load_settings


def list_releases(
    domain: Annotated[
        str | None, typer.Option("--domain", help="Only those of this domain, by its name.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    registry: RegistryOption = None,
) -> None:
    """List the releases of the registry, the newest first."""
    settings = load_settings({"registry": registry})
    names = ("release", "domain", "built", "by", "signed by", "made from", "note")
    table = Table(*(Column(name, overflow="fold") for name in names), box=SIMPLE_HEAD)
    with open_registry(settings) as opened:
        active = {row.activation.digest for row in in_force(opened)}
        rows = opened.releases(domain, limit=limit)
        place = opened.place
    for row in rows:
        table.add_row(
            f"{short(row.digest)}{' (active)' * (row.digest in active)}",
            row.domain,
            moment(row.at_ms),
            printable(row.by),
            ", ".join(row.signed_by) or "nobody",
            short(row.parent) if row.parent else "-",
            printable(row.note or ""),
        )
    if rows:
        stdout().print(table)
    say(f"{len(rows)} of the newest releases in {place}" if rows else f"no release in {place}")


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
    say(f"{short(one.digest)} → {short(other.digest)}: {counted or 'no difference'}")
