"""The cluster and the prefix that a registry belongs to."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    binding = op.create_table(
        "binding",
        sa.Column(
            "id", sa.BigInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
    )
    # A registry that had this table once has forgotten nothing: the audit trail stays.
    last = "SELECT details FROM audit WHERE what = 'bound' ORDER BY number DESC LIMIT 1"
    bound = op.get_bind().execute(sa.text(last)).scalar()
    if bound is not None:
        said = json.loads(bound)
        op.bulk_insert(binding, [{"id": 1, "cluster": said["cluster"], "prefix": said["prefix"]}])


def downgrade() -> None:
    op.drop_table("binding")
