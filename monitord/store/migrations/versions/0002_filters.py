"""An index for each filter of the history

Revision: 0002, after 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PLACE = ["started", "id"]
_INDICES = [
    ("supervision", ["campaign", *_PLACE]),
    ("supervision", ["type", *_PLACE]),
    ("supervision", ["length_ms"]),
    ("segment", ["campaign"]),
    ("call", ["number", *_PLACE]),
    ("call", ["queue", *_PLACE]),
    ("call", ["campaign", *_PLACE]),
    ("call", ["list", *_PLACE]),
    ("call", ["result", *_PLACE]),
    ("call", ["length_ms"]),
    ("agent_status", ["length_ms"]),
]


def upgrade() -> None:
    for table, columns in _INDICES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns, unique=False)
