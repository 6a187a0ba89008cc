"""`kdsl release history`: what was in force when, and who did what."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column

from streams.brief import brief
from streams.cli.options import DomainName
from streams.cli.release_options import RegistryOption, domain_name, open_registry
from streams.cli.release_tables import moment
from streams.cli.tables import number_column, print_table, text_column
from streams.cli.terminal import say
from streams.settings import load_settings

if TYPE_CHECKING:  # see `open_registry`
    from rule_store.registry import ActivationRow, AuditRow

# Digests in details, to be shortened as `short` shortens one.
_DIGEST = re.compile(r"\b(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}\b")


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
    with open_registry(settings) as opened:
        rows = opened.history(name, limit=limit)
        trail = opened.audit(limit=limit) if audit else ()
        if rows:
            _print_activations(rows)
        else:
            say(f"nothing was ever activated for {name} in {opened.place}")
        if audit:
            _print_audit(trail)
            count = opened.verify_audit()
            last = trail[0].hash if trail else "none"
            say(f"{count} rows of the audit trail, unbroken; its last hash is {last}")


def _print_activations(rows: "tuple[ActivationRow, ...]") -> None:
    names = ("release", "shadow", "labels", "when", "by", "published")
    cells = [
        (
            str(row.activation.sequence),
            brief(row.activation.digest),
            brief(row.activation.shadow) if row.activation.shadow else "-",
            brief(row.activation.labels_digest),
            moment(row.activation.at_ms),
            row.activation.by,
            fate,
        )
        for row, fate in zip(rows, _fates(rows), strict=True)
    ]
    print_table((number_column("no."), *map(Column, names)), cells, under={"shadow": "release"})


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
    rows = [
        (
            str(row.number),
            moment(row.at_ms),
            row.by,
            row.what,
            brief(row.subject) if row.subject.startswith("sha256:") else row.subject,
            _DIGEST.sub(r"\1", json.dumps(row.details, ensure_ascii=False, sort_keys=True)),
        )
        for row in trail
    ]
    names = ("when", "by", "what", "of")
    columns = (number_column("no."), *map(Column, names), text_column("details"))
    print_table(columns, rows, under={"by": "when", "of": "what"})
