"""Between ledger records and rows: which table each belongs to, and back."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Table

from monitord.domain.ledger import (
    AlertRecord,
    AliasRecord,
    AskedRecord,
    CallRecord,
    GapRecord,
    NoticeRecord,
    OutgoingRecord,
    PartRecord,
    Record,
    RecordingRecord,
    ScoreRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.store import tables

TABLE_OF: dict[type[Any], Table] = {
    CallRecord: tables.call,
    PartRecord: tables.call_part,
    RecordingRecord: tables.recording,
    AliasRecord: tables.call_alias,
    SupervisionRecord: tables.supervision,
    SegmentRecord: tables.segment,
    StatusRecord: tables.agent_status,
    GapRecord: tables.gap,
    AlertRecord: tables.alert,
    NoticeRecord: tables.notice,
    AskedRecord: tables.reason_asked,
    OutgoingRecord: tables.outbox,
    ScoreRecord: tables.score,
}
"""In the order in which a batch is written."""


def row_of(record: Record) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(record)
    return row


def record_of(row: Any, cls: type[Any]) -> Any:
    """SQLite keeps booleans as 0 and 1, so the conversion is not strict."""
    # SQLAlchemy gives some names as a subclass of str, which msgspec does not take for one.
    return msgspec.convert({str(k): v for k, v in row.items()}, cls, strict=False)
