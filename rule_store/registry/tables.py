"""The registry's tables as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

# One order everywhere: by code point, as SQLite and Python have it. Paging relies on it.
KEY = Text().with_variant(Text(collation="C"), "postgresql")


def _number(*, unique: bool) -> Column[int]:
    """Number of the audit row that recorded it; rows came into being in this order."""
    return Column("number", BigInteger, nullable=False, unique=unique)


releases = Table(
    "releases",
    metadata,
    Column("digest", KEY, primary_key=True),
    _number(unique=True),
    Column("domain", KEY, nullable=False),
    Column("labels_digest", KEY, nullable=False),
    Column("parent", KEY, ForeignKey("releases.digest")),
    Column("note", Text),
    Column("made_by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("releases_by_domain", "domain", "number"),
)

signatures = Table(
    "signatures",
    metadata,
    Column("digest", KEY, ForeignKey("releases.digest"), primary_key=True),
    Column("key_id", KEY, primary_key=True),
    Column("place", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

activations = Table(
    "activations",
    metadata,
    Column("domain", KEY, primary_key=True),
    Column("labels_digest", KEY, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _number(unique=True),
    Column("digest", KEY, ForeignKey("releases.digest"), nullable=False),
    Column("shadow", KEY, ForeignKey("releases.digest")),
    Column("made_by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("domain", KEY, primary_key=True),
    Column("labels_digest", KEY, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _number(unique=True),
    Column("published_at_ms", BigInteger),
    Column("envelope", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["domain", "labels_digest", "sequence"],
        ["activations.domain", "activations.labels_digest", "activations.sequence"],
    ),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row: where the chain ends. Every writer locks it first, so writers come one after another.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", BigInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row at most: where its activations are published.
binding = Table(
    "binding",
    metadata,
    Column("id", BigInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("cluster", Text, nullable=False),
    Column("prefix", Text, nullable=False),
)

examples = Table(
    "examples",
    metadata,
    Column("domain", KEY, primary_key=True),
    Column("example_id", KEY, primary_key=True),
    _number(unique=False),
    Column("labels", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("line", LargeBinary, nullable=False),
)
