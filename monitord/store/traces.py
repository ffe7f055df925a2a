"""What is left of rows that were changed or removed, in the files of the database.

SQLite overwrites what is freed (``secure_delete``), but a row that was moved to another page may
have left a copy in the gap of its old one. So after an erasure the file is searched, and rebuilt
where anything is found. PostgreSQL keeps dead rows until they are vacuumed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.store.engine import reason_of, uncut
from monitord.store.tables import metadata

READ = 1 << 20
WAIT_S = 30.0
"""How long readers are waited for, who hold the log of SQLite."""


async def sweep(engine: AsyncEngine, words: Iterable[str] | None, *, wait_s: float = WAIT_S) -> str:
    """Leave nothing of what was erased in the database's files. ``words``: what is searched for;
    None: it is not known any more. Gives why it could not be done, else an empty text."""
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        some = None if words is None else [w.encode() for w in words if w]
        return await uncut(asyncio.to_thread(_sweep_file, path, some, wait_s))
    try:
        await uncut(_vacuum(engine))
    except (SQLAlchemyError, OSError) as error:
        return reason_of(error)
    return ""


def _sweep_file(path: Path, words: list[bytes] | None, wait_s: float) -> str:
    try:
        with closing(sqlite3.connect(path, timeout=wait_s, isolation_level=None)) as db:
            db.execute("PRAGMA secure_delete=ON").fetchone()
            if not _empty_log(db, wait_s):
                return "readers hold the database's log"
            if words is None or stands_in(path, words):
                db.execute("VACUUM")
                if not _empty_log(db, wait_s):
                    return "readers hold the database's log"
    except (sqlite3.Error, OSError) as error:
        return str(error)
    return ""


def _empty_log(db: sqlite3.Connection, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def stands_in(path: Path, words: Iterable[bytes]) -> bool:
    """Whether a file holds one of these anywhere."""
    some = list(words)
    longest = max(map(len, some), default=0)
    if not longest:
        return False
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(READ):
            window = tail + piece
            if any(word in window for word in some):
                return True
            tail = window[-(longest - 1) :] if longest > 1 else b""
    return False


async def _vacuum(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # Of a large table it takes longer than any other statement may.
        await connection.execute(text("SET statement_timeout = 0"))
        try:
            for table in metadata.tables:
                await connection.execute(text(f'VACUUM "{table}"'))
        finally:
            await connection.execute(text("RESET statement_timeout"))
