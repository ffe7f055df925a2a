"""How far the clock was set back between rows of the audit log

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="always 1"),
        sa.Column("back", sa.BigInteger(), nullable=False, comment="ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_clock")),
        comment="How far the clock was ever behind an earlier row of the audit log: rows of a time"
        " are found by their numbers with it",
    )
    op.execute(
        "INSERT INTO audit_clock (id, back) SELECT 1, coalesce(max(latest - at), 0) FROM "
        "(SELECT at, max(at) OVER (ORDER BY n) AS latest FROM audit) AS seen"
    )


def downgrade() -> None:
    op.drop_table("audit_clock")
