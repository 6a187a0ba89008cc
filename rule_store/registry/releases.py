"""Releases as they stand in the registry: never changed, only signed by more keys."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, delete, insert, select

from rule_store.errors import InvalidEnvelope
from rule_store.registry import audit
from rule_store.registry.database import Database
from rule_store.registry.limits import NOTE_CHARS, check_page, check_text
from rule_store.registry.tables import releases, signatures
from rule_store.registry_errors import RegistryConflict, RegistryDamaged, UnknownRelease
from rule_store.release import Release, digest, read_release
from rule_store.signing import SIGNATURES, Signature, Signed, signed_to_bytes

_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{4,64})")
_CANDIDATES = 5
_COLUMNS = [column for column in releases.c if column.name != "content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """What the registry knows of a release beside its bytes.

    number: of the audit row that recorded it; later releases have higher ones.
    parent: digest of the release it was made from, if any.
    signed_by: key ids, in the order in which they signed.
    """

    digest: str
    number: int
    domain: str
    labels_digest: str
    parent: str | None
    note: str | None
    by: str
    at_ms: int
    size_bytes: int
    signed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who brings a release, when, made from which, and what they say about it."""

    by: str
    at_ms: int
    parent: str | None
    note: str | None


def add(
    database: Database, signed: Signed, provenance: Provenance, verified: frozenset[str]
) -> ReleaseRow:
    """Keep a release; one that is there already gains the signatures of further keys.

    Raises:
        RegistryError, InvalidRelease, InvalidEnvelope: as `Registry.add_release` says.
    """
    release = read_release(signed.content)
    signed_to_bytes(signed)  # refuses what could not be read back
    if provenance.note is not None:
        check_text("note", provenance.note, chars=NOTE_CHARS)
    name = digest(signed.content)
    with database.writing() as connection:
        if connection.execute(select(releases.c.digest).filter_by(digest=name)).first() is None:
            _insert(connection, signed, release, provenance)
        else:
            _cosign(connection, name, signed.signatures, provenance, verified)
        return find(connection, name)


def find(connection: Connection, name: str) -> ReleaseRow:
    """The one release of this digest, or whose digest begins so.

    Raises:
        UnknownRelease: none, or several.
    """
    prefix = _PREFIX.fullmatch(name)
    if prefix is None:
        raise UnknownRelease(name)
    begins = releases.c.digest.startswith(f"sha256:{prefix[1]}", autoescape=True)
    query = select(*_COLUMNS).where(begins).order_by(releases.c.digest).limit(_CANDIDATES)
    rows = _with_signers(connection, query)
    if len(rows) != 1:
        raise UnknownRelease(name, found=[row.digest for row in rows])
    return rows[0]


def read(connection: Connection, row: ReleaseRow) -> Signed:
    """The bytes of a release and the signatures over them.

    Raises:
        RegistryDamaged: the bytes are not those that were put there.
    """
    query = select(releases.c.content).filter_by(digest=row.digest)
    content = connection.execute(query).scalar_one()
    if digest(content) != row.digest:
        raise RegistryDamaged(
            f"the bytes of release {row.digest} were changed past kdsl; restore them from a "
            "backup or from the file they came from"
        )
    return Signed(content=content, signatures=_signatures(connection, row.digest))


def page(
    database: Database, domain: str | None, *, limit: int, before: int | None
) -> tuple[ReleaseRow, ...]:
    """The newest releases first, of one domain or of all."""
    check_page(limit, before)
    query = select(*_COLUMNS).order_by(releases.c.number.desc()).limit(limit)
    if domain is not None:
        query = query.where(releases.c.domain == domain)
    if before is not None:
        query = query.where(releases.c.number < before)
    with database.reading() as connection:
        return _with_signers(connection, query)


def _insert(
    connection: Connection, signed: Signed, release: Release, provenance: Provenance
) -> None:
    name, parent = digest(signed.content), _parent(connection, release, provenance.parent)
    told: dict[str, str | None] = {"parent": parent, "note": provenance.note}
    key_ids = [each.key_id for each in signed.signatures]
    details: dict[str, audit.Detail] = {**told, "domain": release.domain, "signed_by": key_ids}
    by, at_ms = provenance.by, provenance.at_ms
    number = audit.append(connection, "release added", name, details, by=by, at_ms=at_ms)
    connection.execute(
        insert(releases).values(
            **told,
            digest=name,
            number=number,
            domain=release.domain,
            labels_digest=release.labels_digest,
            made_by=by,
            at_ms=at_ms,
            size_bytes=len(signed.content),
            content=signed.content,
        )
    )
    _write_signatures(connection, name, signed.signatures)


def _parent(connection: Connection, release: Release, name: str | None) -> str | None:
    """The whole digest of the release that this one was made from."""
    if name is None:
        return None
    row = find(connection, name)
    if row.domain != release.domain:
        raise RegistryConflict(
            f"the parent {row.digest} is of domain {row.domain}, the release of "
            f"{release.domain}; name a parent of the same domain or none"
        )
    return row.digest


def _cosign(
    connection: Connection,
    name: str,
    given: Iterable[Signature],
    provenance: Provenance,
    verified: frozenset[str],
) -> None:
    """Add signatures beside those of other keys; only a verified one replaces one that stands."""
    stand = _signatures(connection, name)
    new = tuple(each for each in given if each not in stand)
    if not new:
        return
    key_ids = [each.key_id for each in new]
    replaced = {each.key_id for each in stand}.intersection(key_ids)
    _refuse_replacing(name, replaced - verified)
    merged = (*(each for each in stand if each.key_id not in replaced), *new)
    if len(merged) > SIGNATURES:
        raise InvalidEnvelope("signatures", f"would be {len(merged)}, at most {SIGNATURES} count")
    by, at_ms = provenance.by, provenance.at_ms
    details: dict[str, audit.Detail] = {"signed_by": key_ids}
    if replaced:
        details["replaced"] = sorted(replaced)
    audit.append(connection, "release signed", name, details, by=by, at_ms=at_ms)
    connection.execute(delete(signatures).filter_by(digest=name))
    _write_signatures(connection, name, merged)


def _refuse_replacing(name: str, key_ids: set[str]) -> None:
    """A key signs the same bytes in one way only: of two signatures one is wrong."""
    if key_ids:
        raise RegistryConflict(
            f"release {name} stands with another signature of key {min(key_ids)}, of which only "
            f"one can be right: see with `kdsl release verify {name} --trust …` whether the one "
            "that stands is, and leave the other out; or activate the file with --trust, which "
            "keeps the one that fits"
        )


def _write_signatures(connection: Connection, name: str, given: Iterable[Signature]) -> None:
    rows = [
        {"digest": name, "key_id": each.key_id, "place": place, "value": each.value}
        for place, each in enumerate(given)
    ]
    if rows:
        connection.execute(insert(signatures), rows)


def _signatures(connection: Connection, name: str) -> tuple[Signature, ...]:
    query = select(signatures).filter_by(digest=name).order_by(signatures.c.place)
    return tuple(Signature(key_id=row.key_id, value=row.value) for row in connection.execute(query))


def _with_signers(
    connection: Connection, query: Select[tuple[object, ...]]
) -> tuple[ReleaseRow, ...]:
    rows = connection.execute(query).all()
    names = [row.digest for row in rows]
    signers = select(signatures.c.digest, signatures.c.key_id).order_by(signatures.c.place)
    signed_by: dict[str, list[str]] = defaultdict(list)
    for signer in connection.execute(signers.where(signatures.c.digest.in_(names))):
        signed_by[signer.digest].append(signer.key_id)
    return tuple(_row(row, signed_by[row.digest]) for row in rows)


def _row(row: Row[tuple[object, ...]], signed_by: Iterable[str]) -> ReleaseRow:
    return ReleaseRow(
        digest=row.digest,
        number=row.number,
        domain=row.domain,
        labels_digest=row.labels_digest,
        parent=row.parent,
        note=row.note,
        by=row.made_by,
        at_ms=row.at_ms,
        size_bytes=row.size_bytes,
        signed_by=tuple(signed_by),
    )
