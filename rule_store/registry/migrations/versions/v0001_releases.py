"""Releases, their signatures and activations, the outbox and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_UNCHANGED = ("releases", "activations", "audit")


def upgrade() -> None:
    _create_releases()
    _create_activations()
    _create_audit()
    for table in _UNCHANGED:
        _refuse_changes(table)


def downgrade() -> None:
    for table in ("outbox", "activations", "signatures", "releases", "audit_head", "audit"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION kdsl_refuse_change()")


def _create_releases() -> None:
    op.create_table(
        "releases",
        sa.Column("digest", _KEY, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("domain", _KEY, nullable=False),
        sa.Column("labels_digest", _KEY, nullable=False),
        sa.Column("parent", _KEY, sa.ForeignKey("releases.digest")),
        sa.Column("note", sa.Text),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("releases_by_domain", "releases", ["domain", "number"])
    op.create_table(
        "signatures",
        sa.Column("digest", _KEY, sa.ForeignKey("releases.digest"), primary_key=True),
        sa.Column("key_id", _KEY, primary_key=True),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def _create_activations() -> None:
    op.create_table(
        "activations",
        sa.Column("domain", _KEY, primary_key=True),
        sa.Column("labels_digest", _KEY, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("digest", _KEY, sa.ForeignKey("releases.digest"), nullable=False),
        sa.Column("shadow", _KEY, sa.ForeignKey("releases.digest")),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("domain", _KEY, primary_key=True),
        sa.Column("labels_digest", _KEY, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("published_at_ms", sa.BigInteger),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["domain", "labels_digest", "sequence"],
            ["activations.domain", "activations.labels_digest", "activations.sequence"],
        ),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column(
            "id", sa.BigInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "0" * 64}])


def _refuse_changes(table: str) -> None:
    """Let the database itself refuse what the program never does."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} never change'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION kdsl_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME; END $$"
    )
    for name, event in (("change", "UPDATE OR DELETE"), ("truncate", "TRUNCATE")):
        op.execute(
            f"CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION kdsl_refuse_change()"
        )
