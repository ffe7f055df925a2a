"""The audit log becomes a chain that the database keeps from being changed

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXES = (
    ("at",),
    ("action", "n"),
    ("actor", "n"),
    ("subject", "n"),
    ("number", "n"),
    ("target", "n"),
    ("about",),
)


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    # What stands there is sealed with keys that no migration has; the daemon takes it over.
    op.rename_table("audit", "audit_before")
    if postgresql:
        op.execute("ALTER TABLE audit_before RENAME CONSTRAINT pk_audit TO pk_audit_before")
    op.create_table(
        "audit",
        sa.Column(
            "n",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="1, 2, 3, without gap",
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True, comment="pseudonym; NULL: monitord itself"),
        sa.Column(
            "subject", sa.Text(), nullable=True, comment="pseudonym of whom else it concerns"
        ),
        sa.Column(
            *("number", sa.Text()),
            nullable=True,
            comment="keyed hash of the customer's number that it concerns",
        ),
        sa.Column("target", sa.Text(), nullable=False, comment="id of a thing, never of a person"),
        sa.Column(
            *("about", sa.BigInteger()),
            nullable=True,
            comment="n of the row that this one is the outcome of",
        ),
        sa.Column(
            *("body", sa.Text()),
            nullable=False,
            comment="JSON: what is nobody's own, and what is sealed",
        ),
        sa.Column(
            *("hash", sa.Text()),
            nullable=False,
            comment="of this row and the hash of the one before",
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit")),
    )
    for columns in _INDEXES:
        op.create_index(op.f(f"ix_audit_{'_'.join(columns)}"), "audit", list(columns))
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)


_SQLITE = tuple(
    f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit rows are never changed or removed'); END"
    for what in ("UPDATE", "DELETE")
)
_POSTGRESQL = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'audit rows are never changed or removed'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    # Of the role itself, too, which as the owner would have to take it back first.
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM PUBLIC, CURRENT_USER",
)


def downgrade() -> None:
    raise NotImplementedError("a chained log is not unchained")
