"""The ledger of a stopped or running daemon, read from its file, in the shape of a replay's."""

from __future__ import annotations

import sqlite3
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

_TABLES: dict[str, tuple[str, type[Any]]] = {
    "supervisions": ("supervision", SupervisionRecord),
    "segments": ("segment", SegmentRecord),
    "calls": ("call", CallRecord),
    "statuses": ("agent_status", StatusRecord),
    "gaps": ("gap", GapRecord),
}


def read_ledger(path: Path) -> dict[str, list[dict[str, Any]]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return {
            name: [
                msgspec.to_builtins(msgspec.convert(dict(row), cls, strict=False))
                for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY started, id')
            ]
            for name, (table, cls) in _TABLES.items()
        }
    finally:
        connection.close()


def read_audit(path: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [
            {**dict(row), "detail": msgspec.json.decode(row["detail"])}
            for row in connection.execute("SELECT * FROM audit ORDER BY n")
        ]
    finally:
        connection.close()
