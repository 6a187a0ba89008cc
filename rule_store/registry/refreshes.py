"""Refreshes as they stand in the audit trail: what each run came to, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, cast, get_args

from rule_store.registry import audit
from rule_store.registry.audit import AuditRow
from rule_store.registry.database import Database
from rule_store.registry.limits import ROWS

RefreshOutcome = Literal["activated", "staged", "refused", "unchanged", "failed", "interrupted"]
# These came to no decision: the next run with the same inputs begins again.
_UNDECIDED = ("failed", "interrupted")

# All reasons of a run fit into an audit row, in any script.
_REASONS = 16
_REASON_CHARS = 250
# How far back runs are looked for: thirteen years of nightly ones. Older ones are run again.
_RUNS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRow:
    """A run of `kdsl refresh`.

    inputs: digest of all that decides what is mined and built; empty when it ended before that
        was known.
    release: the candidate; None when there was none.
    active: what was in force before.
    reasons: sentences.
    """

    domain: str
    outcome: RefreshOutcome
    inputs: str = ""
    release: str | None = None
    active: str | None = None
    reasons: tuple[str, ...] = ()


def note(database: Database, row: RefreshRow, *, by: str, at_ms: int) -> None:
    """Write a run down; reasons that are too long are cut.

    Raises:
        InvalidEntry: `by` or `at_ms` out of bounds.
    """
    details: dict[str, audit.Detail] = {
        "outcome": row.outcome,
        "inputs": row.inputs,
        "release": row.release,
        "active": row.active,
        "reasons": [_storable(reason) for reason in row.reasons[:_REASONS]],
    }
    with database.writing() as connection:
        audit.append(connection, "refreshed", row.domain, details, by=by, at_ms=at_ms)


def last(database: Database, domain: str, inputs: str) -> RefreshRow | None:
    """The newest run with these inputs that came to a decision; None if there was none."""
    for row in _runs(database, domain):
        found = _read(row)
        if found.inputs == inputs and found.outcome not in _UNDECIDED:
            return found
    return None


def has_put_in_force(database: Database, domain: str, release: str, *, number: int) -> bool:
    """Whether a run made the activation of this release that the audit row `number` tells of.

    A run is written down when it is over; one that failed may have come as far as to activate.
    """
    for row in _runs(database, domain):
        if row.number < number:
            return False
        found = _read(row)
        if found.release == release and found.outcome in ("activated", *_UNDECIDED):
            return True
    return False


def _runs(database: Database, domain: str) -> Iterator[AuditRow]:
    """The newest first."""
    return islice(_all_runs(database, domain), _RUNS)


def _all_runs(database: Database, domain: str) -> Iterator[AuditRow]:
    before = None
    while True:
        rows = audit.page(database, limit=ROWS, before=before, what="refreshed", subject=domain)
        yield from rows
        if len(rows) < ROWS:
            return
        before = rows[-1].number


def _read(row: AuditRow) -> RefreshRow:
    told = row.details
    outcome = told.get("outcome")
    reasons = told.get("reasons")
    return RefreshRow(
        domain=row.subject,
        # What a later kdsl may write counts as no decision here.
        outcome=cast(RefreshOutcome, outcome) if outcome in get_args(RefreshOutcome) else "failed",
        inputs=str(told.get("inputs") or ""),
        release=_text(told.get("release")),
        active=_text(told.get("active")),
        reasons=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _storable(reason: str) -> str:
    return reason[:_REASON_CHARS].encode("utf-8", "replace").decode()
