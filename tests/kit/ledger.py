"""The ledger of a stopped or running daemon, read from its database, in the shape of a replay's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from tests.kit.stores import SqliteStore, Store

_TABLES: dict[str, tuple[str, type[Any]]] = {
    "supervisions": ("supervision", SupervisionRecord),
    "segments": ("segment", SegmentRecord),
    "calls": ("call", CallRecord),
    "statuses": ("agent_status", StatusRecord),
    "gaps": ("gap", GapRecord),
}


def read_ledger(where: Path | Store) -> dict[str, list[dict[str, Any]]]:
    """``where`` is an SQLite file or a test's database."""
    store = SqliteStore(where) if isinstance(where, Path) else where
    return {
        name: [
            msgspec.to_builtins(msgspec.convert(row, cls, strict=False))
            for row in store.read(f'SELECT * FROM "{table}" ORDER BY started, id')
        ]
        for name, (table, cls) in _TABLES.items()
    }


def read_audit(where: Path | Store) -> list[dict[str, Any]]:
    store = SqliteStore(where) if isinstance(where, Path) else where
    return [
        {**row, "detail": msgspec.json.decode(row["detail"])}
        for row in store.read("SELECT * FROM audit ORDER BY n")
    ]
