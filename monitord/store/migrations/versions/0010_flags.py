"""Flags, what they said before, and what agents answered

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flag",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("agent_endpoint", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("polarity", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column(
            *("wanted", sa.Text()),
            nullable=False,
            comment="what the agent should do another time",
        ),
        sa.Column("themes", sa.Text(), nullable=False, comment="JSON: a list of ids"),
        sa.Column("moment", sa.BigInteger(), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=True),
        sa.Column(
            *("settled", sa.BigInteger()),
            nullable=True,
            comment="when it was reviewed or taken off",
        ),
        sa.Column("settled_by_id", sa.Text(), nullable=True),
        sa.Column("settled_by_name", sa.Text(), nullable=True),
        sa.Column("settled_why", sa.Text(), nullable=True),
        sa.Column("visible", sa.Boolean(), nullable=False, comment="to the agent"),
        sa.Column("shared", sa.BigInteger(), nullable=True, comment="with the agent's team"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
    )
    op.create_index(op.f("ix_flag_made_id"), "flag", ["made", "id"])
    op.create_index(op.f("ix_flag_agent_id_made_id"), "flag", ["agent_id", "made", "id"])
    op.create_index(op.f("ix_flag_by_id_made_id"), "flag", ["by_id", "made", "id"])
    op.create_index(op.f("ix_flag_call"), "flag", ["call"])
    op.create_index(op.f("ix_flag_state_made_id"), "flag", ["state", "made", "id"])
    op.create_table(
        "flag_version",
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False, comment="1, 2, 3"),
        sa.Column("polarity", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("themes", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it was edited"),
        sa.PrimaryKeyConstraint("flag", "n", name=op.f("pk_flag_version")),
        comment="What a flag said before each edit",
    )
    op.create_table(
        "flag_answer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_answer")),
    )
    op.create_index(op.f("ix_flag_answer_flag_at"), "flag_answer", ["flag", "at"])


def downgrade() -> None:
    for table in ("flag_answer", "flag_version", "flag"):
        op.drop_table(table)
