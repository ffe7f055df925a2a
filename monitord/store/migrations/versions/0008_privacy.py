"""Holds and receipts of erasures; indexes by which retention finds what belongs to a call

Revision: 0008, after 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            *("value", sa.Text()),
            nullable=False,
            comment="id, or a number's digits; empty for all",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("lifted", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by_id", sa.Text(), nullable=True),
        sa.Column("lifted_by_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_lifted"), "hold", ["lifted"])
    op.create_table(
        "receipt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="person or number"),
        sa.Column("pseudonyms", sa.Text(), nullable=False, comment="JSON list"),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False, comment="JSON: how many, by table"),
        sa.Column(
            *("audit", sa.BigInteger()),
            nullable=False,
            comment="n of the row that says who did it",
        ),
        sa.Column(
            *("done", sa.BigInteger()),
            nullable=True,
            comment="NULL: the keys may still be there; the next start ends it",
        ),
        sa.Column("body", sa.Text(), nullable=True, comment="JSON, as it was signed"),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_begun_id"), "receipt", ["begun", "id"])
    op.create_index(op.f("ix_segment_number"), "segment", ["number"])
    op.create_index(op.f("ix_call_alias_call"), "call_alias", ["call"])


def downgrade() -> None:
    op.drop_index(op.f("ix_call_alias_call"), "call_alias")
    op.drop_index(op.f("ix_segment_number"), "segment")
    op.drop_table("receipt")
    op.drop_table("hold")
