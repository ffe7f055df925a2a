"""Alerts of supervisions without a right to them; people's saved views

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("supervision", sa.Text(), nullable=False),
        sa.Column("supervisor_id", sa.Text(), nullable=False),
        sa.Column("supervisor_name", sa.Text(), nullable=False),
        sa.Column("supervisor_endpoint", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=True),
        sa.Column("agent_endpoint", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at_least", sa.Boolean(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("raised", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("done_why", sa.Text(), nullable=False),
        sa.Column("acknowledged", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by_id", sa.Text(), nullable=True),
        sa.Column("acknowledged_by_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_raised_id"), "alert", ["raised", "id"], unique=False)
    op.create_index(
        op.f("ix_alert_acknowledged_raised_id"),
        "alert",
        ["acknowledged", "raised", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_alert_supervision"), "alert", ["supervision"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False, comment="JSON object of texts"),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_person"), "saved_view", ["person"], unique=False)
    op.create_index(op.f("ix_saved_view_shared"), "saved_view", ["shared"], unique=False)
    op.create_table(
        "chosen_view",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column(
            "view",
            sa.Text(),
            nullable=False,
            comment="id of a saved one, or the name of a built-in",
        ),
        sa.PrimaryKeyConstraint("person", "page", name=op.f("pk_chosen_view")),
    )
