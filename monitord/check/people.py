"""Whether the people of the settings still mean something. Changes nothing, like the rest."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import URL

from monitord.check.database import LOOK_S, quiet_address
from monitord.check.report import Line, Verdict
from monitord.config import Loaded
from monitord.people.bootstrap import DONE, everybody_of
from monitord.store.postgres import Unreachable, close, connect

_NAME = "people"


async def people_line(loaded: Loaded) -> Line:
    begun = await _begun(loaded)
    tables = len(loaded.settings.people)
    if begun is not None:
        found = f"the roster is in the database since {begun}"
        if tables:
            found += f"; the {tables} [[people]] of the settings mean nothing any more"
        return Line(_NAME, Verdict.OK, f"{found}. It is changed on the page, Settings > People")
    everybody = everybody_of(loaded.first)
    rights = [everybody.roster.rights_of(a.person) for a in everybody.accounts]
    may = sum(r.may("supervision.disconnect") for r in rights)
    found = f"{len(rights)} can sign in at the first start, {may} of them may disconnect"
    if may:
        return Line(_NAME, Verdict.OK, found)
    lost = "use Disconnect User" if rights else "sign in"
    return Line(
        _NAME, Verdict.WARNING, found, f"Nobody can {lost}: see [[people]] in docs/settings.md."
    )


async def _begun(loaded: Loaded) -> str | None:
    """The day on which a database took them over; None where none did, or it cannot be told."""
    if loaded.folder is None:
        value = await _postgres(loaded.store_url)
    else:
        value = await asyncio.to_thread(_sqlite, Path(loaded.store_url.database or ""))
    try:
        done: Any = msgspec.json.decode(value or "")
        return f"{datetime.fromtimestamp(done['at'] / 1000, UTC):%Y-%m-%d}"
    except (msgspec.DecodeError, TypeError, KeyError, ValueError, OverflowError, OSError):
        return None


def _sqlite(path: Path) -> str | None:
    address = quiet_address(path) if path.is_file() else None
    if address is None:
        return None
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            until = time.monotonic() + LOOK_S
            connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
            row = connection.execute("SELECT value FROM setting WHERE name = ?", (DONE,)).fetchone()
    except sqlite3.Error:  # the database's own line says what is wrong with it
        return None
    return None if row is None else str(row[0])


async def _postgres(url: URL) -> str | None:
    try:
        connection = await connect(url, statement_s=LOOK_S)
    except Unreachable:
        return None
    try:
        value = await connection.fetchval("SELECT value FROM setting WHERE name = $1", DONE)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        return None
    finally:
        await close(connection)
    return None if value is None else str(value)
