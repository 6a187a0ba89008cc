"""Refreshes as they stand in the audit trail: what each run came to, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from typing import Literal, cast, get_args

from rule_store.registry import activations, audit
from rule_store.registry.activations import ActivationRow
from rule_store.registry.audit import AuditRow
from rule_store.registry.database import Database
from rule_store.registry.limits import ROWS

RefreshOutcome = Literal[
    "activating", "activated", "staged", "refused", "unchanged", "failed", "interrupted"
]
# These came to no decision: the next run with the same inputs begins again.
_UNDECIDED = ("activating", "failed", "interrupted")

# All reasons of a run fit into an audit row, in any script.
_REASONS = 16
_REASON_CHARS = 250
# How far back runs are looked for: thirteen years of nightly ones. Older ones are run again.
_RUNS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRow:
    """A run of `kdsl refresh`.

    outcome: *activating* is written just before it activates, so that whose activation it is can
        be told also when the run is killed; every other one when the run is over.
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
        if found.inputs == inputs and _decided(found):
            return found
    return None


def overruled(database: Database, domain: str, labels_digest: str, release: str) -> bool:
    """Whether a person has put another in the place of a release since it was last in force."""
    since = _in_force_since(database, domain, labels_digest, release)
    if len(since) < 2:
        return False
    runs = [(row.number, _read(row)) for row in _runs_since(database, domain, since[0].number)]
    return any(
        row.activation.digest != before.activation.digest
        and not _announced(runs, row, after=before.number)
        for before, row in pairwise(since)
    )


def _decided(row: RefreshRow) -> bool:
    """Whether it says more than the decision before it."""
    repeats = row.outcome == "unchanged" and row.release != row.active
    return row.outcome not in _UNDECIDED and not repeats


def _in_force_since(
    database: Database, domain: str, labels_digest: str, release: str
) -> list[ActivationRow]:
    """The newest activation of a release and those behind it, in order; none without one."""
    found: list[ActivationRow] = []
    before = None
    while True:
        rows = activations.history(
            database, domain, labels_digest=labels_digest, limit=ROWS, before=before
        )
        for row in rows:
            found.append(row)
            if row.activation.digest == release:
                return found[::-1]
        if len(rows) < ROWS:
            return []
        before = rows[-1].number


def _announced(runs: Iterable[tuple[int, RefreshRow]], made: ActivationRow, *, after: int) -> bool:
    """Whether the last that runs told of its release before an activation is that they activate it.

    Args:
        runs: the newest first, with the numbers of their rows.
        made: the activation.
        after: the number of the one before it.
    """
    for number, run in runs:
        if after < number < made.number and run.release == made.activation.digest:
            return run.outcome == "activating"
    return False


def _runs_since(database: Database, domain: str, number: int) -> Iterator[AuditRow]:
    """The newest first, down to an audit row."""
    return takewhile(lambda row: row.number > number, _runs(database, domain))


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
