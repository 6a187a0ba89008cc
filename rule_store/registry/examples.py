"""Labelled examples as they stand in the registry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Row, delete, insert, select

from rule_store.canonical import canonical_json
from rule_store.errors import InvalidRelease, shown
from rule_store.registry import audit
from rule_store.registry.database import Database
from rule_store.registry.limits import (
    EXAMPLE_BYTES,
    EXAMPLE_ID_CHARS,
    EXAMPLE_LABELS,
    ORIGIN_CHARS,
    ROWS,
    check_text,
)
from rule_store.registry.tables import examples
from rule_store.registry_errors import InvalidEntry, RegistryConflict
from rule_store.release import check_domain, digest

# One transaction writes at most so much, and others wait no longer than that.
_WRITTEN_BYTES = 16 * 1024 * 1024
# Read at once: with every line as long as it may be, 128 MiB.
_READ_ROWS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledExample:
    """An example to learn from.

    line: the labelled line of a dataset as canonical JSON.
    labels: what it should be tagged.
    origin: where it came from, such as a file's name or an operator's correction.
    """

    example_id: str
    line: bytes
    labels: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How many examples are new, and how many stood there already with the same content."""

    new: int
    known: int


def add(
    database: Database, domain: str, rows: Iterable[LabelledExample], *, by: str, at_ms: int
) -> Added:
    """Keep examples, up to `ROWS` in one transaction: what comes before a refusal stays.

    Raises:
        InvalidEntry: a row, `by` or `at_ms` out of bounds.
        RegistryConflict: an example of this id stands there with another content.
    """
    _check_domain(domain)
    added = Added(new=0, known=0)
    for chunk in _chunks(rows):
        with database.writing() as connection:
            new = _unknown(connection, domain, chunk)
            if new:
                _insert(connection, domain, new, by=by, at_ms=at_ms)
        added = Added(new=added.new + len(new), known=added.known + len(chunk) - len(new))
    return added


def stream(
    database: Database, domain: str, *, label: str | None, origin: str | None
) -> Iterator[LabelledExample]:
    """All examples of a domain by id, some at a time: no transaction outlives its chunk."""
    after = ""
    while True:
        query = select(examples).where(examples.c.domain == domain, examples.c.example_id > after)
        if origin is not None:
            query = query.where(examples.c.origin == origin)
        with database.reading() as connection:
            rows = connection.execute(query.order_by(examples.c.example_id).limit(_READ_ROWS)).all()
        read = map(_example, rows)
        yield from (each for each in read if label is None or label in each.labels)
        if len(rows) < _READ_ROWS:
            return
        after = rows[-1].example_id


def remove(database: Database, domain: str, ids: Iterable[str], *, by: str, at_ms: int) -> int:
    """Forget examples, up to `ROWS` in one transaction; how many there were.

    The audit row keeps how many went and a digest of their ids, and nothing of what they said.
    """
    removed = 0
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), ROWS):
        named = examples.c.example_id.in_(wanted[start : start + ROWS])
        with database.writing() as connection:
            query = select(examples.c.example_id).where(examples.c.domain == domain, named)
            found = list(connection.scalars(query.order_by(examples.c.example_id)))
            if not found:
                continue
            details = _summary([[example_id] for example_id in found])
            audit.append(connection, "examples removed", domain, details, by=by, at_ms=at_ms)
            connection.execute(delete(examples).where(examples.c.domain == domain, named))
        removed += len(found)
    return removed


def _chunks(rows: Iterable[LabelledExample]) -> Iterator[list[LabelledExample]]:
    chunk: list[LabelledExample] = []
    size_bytes = 0
    for row in rows:
        _check(row)
        chunk.append(row)
        size_bytes += len(row.line)
        if len(chunk) == ROWS or size_bytes >= _WRITTEN_BYTES:
            yield chunk
            chunk, size_bytes = [], 0
    if chunk:
        yield chunk


def _unknown(
    connection: Connection, domain: str, chunk: Sequence[LabelledExample]
) -> list[LabelledExample]:
    """Those that do not stand there yet, each once.

    Raises:
        RegistryConflict: names both when one id has two contents.
    """
    ids = [row.example_id for row in chunk]
    query = select(examples).where(examples.c.domain == domain, examples.c.example_id.in_(ids))
    known = {row.example_id: _example(row) for row in connection.execute(query)}
    new: list[LabelledExample] = []
    for row in chunk:
        other = known.setdefault(row.example_id, row)
        if other is row:
            new.append(row)
        elif (other.line, other.labels) != (row.line, row.labels):
            raise RegistryConflict(
                f"example {shown(row.example_id)} of {shown(row.origin)} ({digest(row.line)}, "
                f"labels {_listed(row)}) is another than the one of {shown(other.origin)} "
                f"({digest(other.line)}, labels {_listed(other)}); remove that one first or give "
                "this one an id of its own"
            )
    return new


def _insert(
    connection: Connection, domain: str, new: Sequence[LabelledExample], *, by: str, at_ms: int
) -> None:
    details = _summary([[row.example_id, digest(row.line), *row.labels] for row in new])
    number = audit.append(connection, "examples added", domain, details, by=by, at_ms=at_ms)
    connection.execute(
        insert(examples),
        [
            {
                "domain": domain,
                "example_id": row.example_id,
                "number": number,
                "labels": canonical_json(list(row.labels)).decode(),
                "origin": row.origin,
                "made_by": by,
                "at_ms": at_ms,
                "line": row.line,
            }
            for row in new
        ],
    )


def _summary(rows: Sequence[Sequence[str]]) -> dict[str, audit.Detail]:
    return {"examples": len(rows), "sha256": sha256(canonical_json(rows)).hexdigest()}


def _check(row: LabelledExample) -> None:
    check_text("example id", row.example_id, chars=EXAMPLE_ID_CHARS)
    check_text("origin", row.origin, chars=ORIGIN_CHARS)
    named = f"example {shown(row.example_id)}"
    if not 0 < len(row.labels) <= EXAMPLE_LABELS:
        raise InvalidEntry(named, f"has {len(row.labels)} labels; give 1 to {EXAMPLE_LABELS}")
    for label in row.labels:
        check_text(f"label of {named}", label)
    if len(row.line) > EXAMPLE_BYTES:
        raise InvalidEntry(named, f"{len(row.line)} bytes are more than {EXAMPLE_BYTES}; cut it")
    if not _is_canonical(row.line):
        raise InvalidEntry(named, "is no canonical JSON object; write it with `canonical_json`")


def _is_canonical(line: bytes) -> bool:
    try:
        read: object = json.loads(line)
        return isinstance(read, dict) and canonical_json(read) == line
    except (ValueError, RecursionError):  # also bad UTF-8 and numbers that are not finite
        return False


def _check_domain(domain: str) -> None:
    try:
        check_domain(domain)
    except InvalidRelease as error:
        raise InvalidEntry(error.where, error.fault) from None


def _listed(row: LabelledExample) -> str:
    return ", ".join(shown(label) for label in row.labels)


def _example(row: Row[tuple[object, ...]]) -> LabelledExample:
    return LabelledExample(
        example_id=row.example_id,
        line=row.line,
        labels=tuple(json.loads(row.labels)),
        origin=row.origin,
    )
