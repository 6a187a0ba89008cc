"""The cluster and the prefix that a registry belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "binding",
        sa.Column(
            "id", sa.BigInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
        ),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("binding")
