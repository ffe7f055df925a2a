"""Customers' scores of calls

Revision: 0013, after 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "score",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=True),
        sa.Column(
            *("given", sa.Text()),
            nullable=False,
            comment="the name of the call that came with it",
        ),
        sa.Column(
            *("call", sa.Text()),
            nullable=True,
            comment="NULL while no call of that name is known",
        ),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="in hundredths"),
        sa.Column("low", sa.BigInteger(), nullable=False, comment="the scale of then"),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when the customer gave it"),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="when it came to monitord"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "reference", sa.Text(), nullable=False, comment="another for each score of a call"
        ),
        sa.Column("by_id", sa.Text(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
    )
    op.create_index(op.f("ix_score_call_reference"), "score", ["call", "reference"], unique=True)
    op.create_index(op.f("ix_score_given"), "score", ["given"])
    op.create_index(op.f("ix_score_by_id"), "score", ["by_id"])


def downgrade() -> None:
    op.drop_table("score")
