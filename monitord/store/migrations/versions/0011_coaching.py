"""Talks about flags, what agents agree to in them, and what is looked for next

Revision: 0011, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _parties() -> list[sa.Column[str]]:
    names = ("agent_id", "agent_name", "by_id", "by_name")
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Text(), nullable=False),
        *_parties(),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False, comment="JSON: a list of ids"),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        comment="Talks about flags",
    )
    op.create_index(op.f("ix_review_agent_id_begun_id"), "review", ["agent_id", "begun", "id"])
    op.create_table(
        "review_pattern",
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_review_pattern")),
        comment="Chosen for an agent; without a row it goes by how long they are there",
    )
    op.create_table(
        "commitment",
        sa.Column("id", sa.Text(), nullable=False),
        *_parties(),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.Column("settled_by_id", sa.Text(), nullable=True),
        sa.Column("settled_by_name", sa.Text(), nullable=True),
        sa.Column("settled_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment")),
    )
    op.create_index(
        op.f("ix_commitment_agent_id_made_id"), "commitment", ["agent_id", "made", "id"]
    )
    op.create_table(
        "focus",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=True),
        *_parties(),
        sa.Column("rule", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("begin", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_focus")),
    )
    op.create_index(op.f("ix_focus_agent_id_begin_id"), "focus", ["agent_id", "begin", "id"])


def downgrade() -> None:
    for table in ("focus", "commitment", "review_pattern", "review"):
        op.drop_table(table)
