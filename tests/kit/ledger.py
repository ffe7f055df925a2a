"""The ledger of a stopped or running daemon, read from its database, in the shape of a replay's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from monitord.audit.chain import BEFORE_FIRST, hash_of
from monitord.audit.keys import open_keys
from monitord.audit.reading import opened, row_from
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from tests.kit.stores import SqliteStore, Store

T = TypeVar("T")

_TABLES: dict[str, tuple[str, type[Any]]] = {
    "supervisions": ("supervision", SupervisionRecord),
    "segments": ("segment", SegmentRecord),
    "calls": ("call", CallRecord),
    "statuses": ("agent_status", StatusRecord),
    "gaps": ("gap", GapRecord),
}


def read_ledger(where: Path | Store) -> dict[str, list[dict[str, Any]]]:
    """``where`` is an SQLite file or a test's database. All tables as they are at one moment: a
    daemon may commit between two of them."""
    store = SqliteStore(where) if isinstance(where, Path) else where
    tables = _tables(store)
    while (again := _tables(store)) != tables:
        tables = again
    return tables


def _tables(store: Store) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            msgspec.to_builtins(msgspec.convert(row, cls, strict=False))
            for row in store.read(f'SELECT * FROM "{table}" ORDER BY started, id')
        ]
        for name, (table, cls) in _TABLES.items()
    }


ITS_OWN = frozenset({"begin log", "start", "change settings"})
"""Rows of the audit log that are of no person's doing."""

VIEWS = frozenset({"view history", "view audit log"})
"""They change nothing; tests of what is done look past them."""


def read_audit(where: Path | Store, *, whole: bool = False) -> list[dict[str, Any]]:
    """What people have done by the audit log, opened with its keys; ``whole``: all rows."""
    store = SqliteStore(where) if isinstance(where, Path) else where
    found = [row_from(row) for row in store.read("SELECT * FROM audit ORDER BY n")]
    before = BEFORE_FIRST
    for n, row in enumerate(found, 1):
        assert (row.n, row.hash) == (n, hash_of(before, row)), f"the chain is broken at {row}"
        before = row.hash
    if not found:
        return []
    keys = open_keys(store.keys, make=False)
    try:
        rows = asyncio_run(opened(keys, found))
    finally:
        keys.close()
    return [
        {
            "n": one.row.n,
            "at": one.row.at,
            "action": one.row.action,
            "target": one.target,
            "actor_id": one.actor_id,
            "actor_name": one.actor_name,
            "detail": one.detail,
            "about": one.row.about,
            "erased": one.erased,
        }
        for one in rows
        if whole or not (one.row.action in ITS_OWN | VIEWS or one.row.action.startswith("observe "))
    ]


def asyncio_run(work: Coroutine[Any, Any, T]) -> T:
    """Also where a loop runs in this thread."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, work).result()
