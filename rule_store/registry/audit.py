"""Audit trail: who did what when, each row bound to the one before it by its hash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection, Row, func, insert, select, update

from rule_store.canonical import canonical_json
from rule_store.registry.database import Database
from rule_store.registry.limits import ROWS, check_number, check_page, check_text
from rule_store.registry.tables import audit, audit_head
from rule_store.registry_errors import AuditBroken, InvalidEntry

GENESIS = "0" * 64
DETAILS_BYTES = 16 * 1024

What = Literal[
    "release added",
    "release signed",
    "activated",
    "bound",
    "examples added",
    "examples removed",
    "refreshed",
]
Detail = str | int | list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One thing that was done.

    number: counts from 1 without a gap.
    subject: what it was done to: a release's digest, a domain, or where the registry belongs.
    hash: SHA-256 (hexadecimal) over the previous row's hash and this row's canonical JSON.
    """

    number: int
    at_ms: int
    by: str
    what: str
    subject: str
    details: Mapping[str, object]
    hash: str


def link(previous: str, row: Mapping[str, object]) -> str:
    """Hash a row's canonical JSON together with the hash before it.

    >>> link(GENESIS, {"number": 1}) == sha256(GENESIS.encode() + b'{"number":1}').hexdigest()
    True
    """
    return sha256(previous.encode() + canonical_json(row)).hexdigest()


def append(
    connection: Connection,
    what: What,
    subject: str,
    details: Mapping[str, Detail],
    *,
    by: str,
    at_ms: int,
) -> int:
    """Write the next row inside a writing transaction; its number.

    Raises:
        InvalidEntry: `by`, `at_ms` or `details` out of bounds.
    """
    check_text("by", by)
    check_number("at_ms", at_ms)
    encoded = canonical_json(details)
    if len(encoded) > DETAILS_BYTES:
        raise InvalidEntry("details", f"{len(encoded)} bytes are more than {DETAILS_BYTES}")
    head = connection.execute(select(audit_head.c.number, audit_head.c.hash)).one()
    number = int(head.number) + 1
    row = {"number": number, "at_ms": at_ms, "what": what, "subject": subject}
    end = link(head.hash, {**row, "by": by, "details": details})
    connection.execute(insert(audit).values(**row, made_by=by, details=encoded.decode(), hash=end))
    connection.execute(update(audit_head).values(number=number, hash=end))
    return number


def page(
    database: Database,
    *,
    limit: int,
    before: int | None,
    what: What | None = None,
    subject: str | None = None,
) -> tuple[AuditRow, ...]:
    """The newest rows first; all, or those of one kind, of one subject."""
    check_page(limit, before)
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.number < before)
    if what is not None:
        query = query.where(audit.c.what == what)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    with database.reading() as connection:
        return tuple(_read(row) for row in connection.execute(query))


def verify(database: Database) -> int:
    """Recount every hash from the first row to the last; how many rows there are.

    Who changes rows and recounts all hashes behind them leaves no trace here; compare the last
    hash with one noted elsewhere for that.

    Raises:
        AuditBroken: names the first row that is not as it was written.
    """
    with database.reading() as connection:
        head = connection.execute(select(audit_head.c.number, audit_head.c.hash)).one_or_none()
        last = connection.execute(select(func.max(audit.c.number))).scalar() or 0
    previous, number = GENESIS, 0
    for number, row in enumerate(_all(database, upto=last), start=1):
        previous = _check(row, number, previous)
    if head is None:
        raise AuditBroken(number, "is not known to be the last: the end of the trail is gone")
    if number < head.number:
        raise AuditBroken(number + 1, "is gone")
    if number > head.number:
        raise AuditBroken(head.number + 1, "stands behind the end of the trail")
    if previous != head.hash:
        raise AuditBroken(number, "is not the end that was noted")
    return number


def _check(row: Row[tuple[object, ...]], number: int, previous: str) -> str:
    if row.number != number:
        raise AuditBroken(number, "is gone")
    try:
        content = _fields(row)
    except ValueError:
        raise AuditBroken(number, "holds details that are no JSON") from None
    if link(previous, content) != row.hash:
        raise AuditBroken(number, "does not fit its hash")
    return str(row.hash)


def _all(database: Database, *, upto: int) -> Iterator[Row[tuple[object, ...]]]:
    """All rows in order, some at a time: no transaction outlives its page."""
    after = -1
    while True:
        query = select(audit).where(audit.c.number > after, audit.c.number <= upto)
        with database.reading() as connection:
            rows = connection.execute(query.order_by(audit.c.number).limit(ROWS)).all()
        yield from rows
        if len(rows) < ROWS:
            return
        after = rows[-1].number


def _fields(row: Row[tuple[object, ...]]) -> dict[str, object]:
    return {
        "number": row.number,
        "at_ms": row.at_ms,
        "by": row.made_by,
        "what": row.what,
        "subject": row.subject,
        "details": json.loads(row.details),
    }


def _read(row: Row[tuple[object, ...]]) -> AuditRow:
    try:
        details = json.loads(row.details)
    except ValueError:
        raise AuditBroken(row.number, "holds details that are no JSON") from None
    return AuditRow(
        number=row.number,
        at_ms=row.at_ms,
        by=row.made_by,
        what=row.what,
        subject=row.subject,
        details=details,
        hash=row.hash,
    )
