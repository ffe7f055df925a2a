"""Agents who had a call before another one took it

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    texts = ("id", "pbx", "call", "agent_id", "agent_name", "agent_endpoint")
    op.create_table(
        "call_part",
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column(
            *("exact", sa.Boolean()),
            nullable=False,
            comment="false: nobody saw when it changed hands",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_part")),
        comment="Agents who had a call before another one took it",
    )
    op.create_index(op.f("ix_call_part_call_ended"), "call_part", ["call", "ended"])
    op.create_index(
        op.f("ix_call_part_agent_id_started_id"), "call_part", ["agent_id", "started", "id"]
    )


def downgrade() -> None:
    op.drop_table("call_part")
