"""`kdsl release history`: what was in force when, and who did what."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from streams.cli.options import DomainName
from streams.cli.release_options import RegistryOption, domain_name, open_registry
from streams.cli.release_status import short
from streams.cli.release_tables import moment
from streams.cli.terminal import printable, say, stdout
from streams.settings import load_settings

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import ActivationRow, AuditRow


def history(
    domain: DomainName = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many rows at most.")] = 20,
    audit: Annotated[
        bool, typer.Option("--audit", help="Also the audit trail of all domains, recounted.")
    ] = False,
    registry: RegistryOption = None,
) -> None:
    """List the activations of a domain, the newest first."""
    settings = load_settings({"domain": domain, "registry": registry})
    name = domain_name(settings)
    names = ("no.", "release", "shadow", "labels", "when", "by", "published")
    table = Table(*(Column(each, overflow="fold") for each in names), box=SIMPLE_HEAD)
    with open_registry(settings) as opened:
        rows = opened.history(name, limit=limit)
        trail = opened.audit(limit=limit) if audit else ()
        for row, fate in zip(rows, _fates(rows), strict=True):
            activation = row.activation
            table.add_row(
                str(activation.sequence),
                short(activation.digest),
                short(activation.shadow) if activation.shadow else "-",
                short(activation.labels_digest),
                moment(activation.at_ms),
                printable(activation.by),
                fate,
            )
        if rows:
            stdout().print(table)
        else:
            say(f"nothing was ever activated for {name} in {opened.place}")
        if audit:
            _print_audit(trail)
            count = opened.verify_audit()
            last = trail[0].hash if trail else "none"
            say(f"{count} rows of the audit trail, unbroken; its last hash is {last}")


def _fates(rows: "Iterable[ActivationRow]") -> Iterator[str]:
    """When each was published, the newest first, or why it was not."""
    reached: set[str] = set()
    for row in rows:
        labels = row.activation.labels_digest
        if row.published_at_ms is not None:
            reached.add(labels)
            yield moment(row.published_at_ms)
        else:
            yield "no: superseded" if labels in reached else "no: run sync"


def _print_audit(trail: "tuple[AuditRow, ...]") -> None:
    names = ("no.", "when", "by", "what", "of", "details")
    table = Table(*(Column(name, overflow="fold") for name in names), box=SIMPLE_HEAD)
    for row in trail:
        details = json.dumps(row.details, ensure_ascii=False, sort_keys=True)
        subject = short(row.subject) if row.subject.startswith("sha256:") else row.subject
        texts = (str(row.number), moment(row.at_ms), row.by, row.what, subject, details)
        table.add_row(*map(printable, texts))
    stdout().print(table)
