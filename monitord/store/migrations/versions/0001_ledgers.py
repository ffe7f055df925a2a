"""The ledgers and the audit

Revision: 0001, after nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_status",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("agent_endpoint", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("started_exact", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("ended_exact", sa.Boolean(), nullable=False),
        sa.Column("ended_after", sa.BigInteger(), nullable=True),
        sa.Column("length_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_status")),
    )
    with op.batch_alter_table("agent_status", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agent_status_agent_id_started_id"),
            ["agent_id", "started", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_agent_status_pbx_ended"), ["pbx", "ended"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_agent_status_started_id"), ["started", "id"], unique=False
        )

    op.create_table(
        "attachment",
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_attachment")),
        comment="When the daemon was last known to see a PBX: where a gap begins after a kill",
    )
    op.create_table(
        "audit",
        sa.Column(
            "n",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column(
            "about",
            sa.BigInteger(),
            nullable=True,
            comment="n of the row that this one is the outcome of",
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=True),
        sa.Column("agent_endpoint", sa.Text(), nullable=True),
        sa.Column("agent_provenance", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("list", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("started_exact", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("ended_exact", sa.Boolean(), nullable=False),
        sa.Column("ended_after", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("talk_ms", sa.BigInteger(), nullable=False),
        sa.Column("hold_ms", sa.BigInteger(), nullable=False),
        sa.Column("wrap_up_ms", sa.BigInteger(), nullable=True),
        sa.Column("length_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_call_agent_id_started_id"), ["agent_id", "started", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_call_pbx_ended"), ["pbx", "ended"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_started_id"), ["started", "id"], unique=False)

    op.create_table(
        "call_alias",
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "boot", "alias", name=op.f("pk_call_alias")),
    )
    with op.batch_alter_table("call_alias", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_alias_alias"), ["alias"], unique=False)

    op.create_table(
        "gap",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
    )
    with op.batch_alter_table("gap", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gap_started_id"), ["started", "id"], unique=False)

    op.create_table(
        "segment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supervision", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at_least", sa.Boolean(), nullable=False),
        sa.Column("type_provenance", sa.Text(), nullable=False),
        sa.Column("spyee", sa.Text(), nullable=True),
        sa.Column("call", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("list", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("started_exact", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("ended_exact", sa.Boolean(), nullable=False),
        sa.Column("length_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_call"), ["call"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_segment_supervision_n"), ["supervision", "n"], unique=False
        )

    op.create_table(
        "supervision",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("spyer", sa.Text(), nullable=False),
        sa.Column("supervisor_id", sa.Text(), nullable=False),
        sa.Column("supervisor_name", sa.Text(), nullable=False),
        sa.Column("supervisor_endpoint", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=True),
        sa.Column("agent_endpoint", sa.Text(), nullable=True),
        sa.Column("agent_provenance", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at_least", sa.Boolean(), nullable=False),
        sa.Column("type_provenance", sa.Text(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("call", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("started_exact", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("ended_exact", sa.Boolean(), nullable=False),
        sa.Column("ended_after", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("ended_by_id", sa.Text(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.Column("length_ms", sa.BigInteger(), nullable=True),
        sa.Column("waiting_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervision")),
    )
    with op.batch_alter_table("supervision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_supervision_agent_id_started_id"),
            ["agent_id", "started", "id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_supervision_call"), ["call"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_supervision_pbx_ended"), ["pbx", "ended"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_supervision_started_id"), ["started", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_supervision_supervisor_id_started_id"),
            ["supervisor_id", "started", "id"],
            unique=False,
        )
