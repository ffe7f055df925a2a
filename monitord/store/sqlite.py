"""The ledger in one SQLite file.

A file that is refused is not changed by a single byte, so it is looked at read-only first: already
WAL mode would be written into its header.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from monitord.store.errors import StoreError, emptied, left_alone
from monitord.store.schema import VERSIONS, refuse_others, revision_in_words

SETTING = "store.folder"
MAGIC = b"SQLite format 3\x00"
AT_ONCE = "monitord_at_once"
"""Execution option: take the right to write as the transaction begins, not with its first row."""


def sqlite_url(path: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=str(path))


async def sqlite_engine(url: URL, busy_ms: int, known_from: Path | None = None) -> AsyncEngine:
    """An engine on a file that was looked at; it need not have our tables yet, but for where
    ``known_from``, a file, tells of rows in it.

    Raises:
        StoreError: the file is not a database, is damaged, belongs to something else, was
            written by a newer monitord, or cannot be reached.
    """
    path = Path(url.database or "")
    try:
        await asyncio.to_thread(_look_at_file, path, known_from)
    except sqlite3.Error as error:
        raise StoreError(
            f"database {path} is damaged or cannot be used: {error}. {left_alone(SETTING)}"
        ) from None
    except OSError as error:
        raise StoreError(f"database {path} cannot be used: {error.strerror}") from None
    # Parameters hold names and numbers, which must not get into a log by an error's text.
    engine = create_async_engine(url, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _set_up(busy_ms))
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _look_at_file(path: Path, known_from: Path | None) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"database {path}: the folder {path.parent} does not exist")
    if known_from is not None and (not path.exists() or not path.stat().st_size):
        raise StoreError(emptied(str(path), known_from))
    if not path.exists():
        path.touch(mode=0o600)  # numbers and names are in it
        return
    if not path.is_file():
        raise StoreError(f"database {path} is not a file")
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        return
    if start != MAGIC:
        raise StoreError(
            f"database {path} is not an SQLite database, or its beginning is damaged. "
            f"{left_alone(SETTING)}"
        )
    address = f"{path.absolute().as_uri()}?mode=ro"
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or not wal.stat().st_size:
        # Nothing waits to be read from the log, so none needs to be made.
        address += "&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        look_inside(path, connection)
        if (
            known_from is not None
            and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        ):
            raise StoreError(emptied(str(path), known_from))


def look_inside(path: Path, connection: sqlite3.Connection) -> str:
    """Look through the whole file; gives its schema in words.

    Raises:
        StoreError: it is damaged, another program's, newer, or not whole.
        sqlite3.Error: it cannot be read.
    """
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(f"database {path} is damaged ({found}). {left_alone(SETTING)}")
    names = connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    present = {name for (name,) in names}
    revisions: set[str] = set()
    if VERSIONS in present:
        revisions = {r for (r,) in connection.execute("SELECT version_num FROM alembic_version")}
    refuse_others(str(path), SETTING, present, revisions)
    return revision_in_words(revisions)


def _set_up(busy_ms: int) -> Callable[[Any, object], None]:
    def set_up(connection: Any, _record: object) -> None:
        # The driver would begin no transaction before a SELECT or a CREATE TABLE; see _begin.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_ms}")
        cursor.execute("PRAGMA journal_mode=WAL")
        mode = cursor.fetchone()[0]
        # FULL: a row that we call saved survives a power cut, which NORMAL does not promise in WAL.
        cursor.execute("PRAGMA synchronous=FULL")
        # What is erased is overwritten, and does not live on in pages that nothing uses.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()
        if mode != "wal":
            raise sqlite3.OperationalError(
                f"the file system cannot keep it in WAL mode (it stays in {mode!r})"
            )

    return set_up


def _begin(connection: Connection) -> None:
    """So that a migration is done whole or not at all, and a reader sees one moment."""
    at_once = connection.get_execution_options().get(AT_ONCE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if at_once else "BEGIN")
