"""Whom nobody may listen to; alerts of more than one kind

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # All alerts so far were of a missing right.
    op.add_column("alert", sa.Column("kind", sa.Text(), server_default="no right", nullable=False))
    op.create_table(
        "never_monitor",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True, comment="either this one or the number"),
        sa.Column("number", sa.Text(), nullable=True, comment="its digits"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_never_monitor")),
        sa.UniqueConstraint("number", name=op.f("uq_never_monitor_number")),
        sa.UniqueConstraint("person", name=op.f("uq_never_monitor_person")),
    )
