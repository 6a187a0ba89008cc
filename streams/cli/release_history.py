"""`kdsl release history`: what was in force when, and who did what."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column

from streams.brief import brief
from streams.cli.options import DomainName, Json
from streams.cli.release_options import RegistryOption, domain_name, open_registry
from streams.cli.release_tables import moment
from streams.cli.tables import number_column, print_table, text_column
from streams.cli.terminal import counted, put_json, say
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
    as_json: Json = False,
) -> None:
    """List the activations of a domain, the newest first."""
    settings = load_settings({"domain": domain, "registry": registry})
    name = domain_name(settings)
    with open_registry(settings) as opened:
        rows = opened.history(name, limit=limit)
        trail = opened.audit(limit=limit) if audit else ()
        if not rows:
            say(f"nothing was ever activated for {name} in {opened.place}")
        _show(rows, trail, as_json=as_json)
        if audit:
            count = opened.verify_audit()
            last = trail[0].hash if trail else "none"
            say(f"{count} rows of the audit trail, unbroken; its last hash is {last}")


def _show(
    rows: "tuple[ActivationRow, ...]", trail: "tuple[AuditRow, ...]", *, as_json: bool
) -> None:
    if not as_json:
        if rows:
            _print_activations(rows)
        if trail:
            _print_audit(trail)
        return
    for each in rows:
        told = {**asdict(each.activation), "published_at_ms": each.published_at_ms}
        put_json({"row": "activation", **told})
    for row in trail:
        put_json({"row": "audit", **asdict(row)})


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
            _DIGEST.sub(r"\1", " ".join("; ".join(_told(row)).split())),
        )
        for row in trail
    ]
    names = ("when", "by", "what", "of")
    columns = (number_column("no."), *map(Column, names), text_column("details"))
    print_table(columns, rows, under={"by": "when", "of": "what"})


def _told(row: "AuditRow") -> Iterator[str]:
    """The details that say something; of a refresh what it came to, and why, before the rest."""
    details = {name: value for name, value in row.details.items() if value not in (None, "", [])}
    if row.what == "refreshed":
        yield str(details.pop("outcome", ""))
        yield from _reasons(_each(details.pop("reasons", [])))
        details.pop("inputs", None)
    for name, value in sorted(details.items()):
        yield f"{name.replace('_', ' ')} {', '.join(_each(value))}"


def _reasons(given: Sequence[str]) -> Iterator[str]:
    """All but the checks that passed: those are many and long, so they are counted."""
    told = [reason for reason in given if not reason.startswith("passed: ")]
    yield from told
    if passed := len(given) - len(told):
        yield f"{counted(passed, 'check')} passed"


def _each(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
