"""What can be checked of the ledger's database.

Changes nothing: no file or table is made, nothing is migrated, no lock is kept.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import asyncpg
from sqlalchemy import URL

from monitord.check.report import Line, Section, Verdict
from monitord.config import Loaded
from monitord.store.engine import name_of, reason_of
from monitord.store.errors import StoreError
from monitord.store.postgres import Unreachable, close, connect
from monitord.store.postgres_look import Seen, look, refuse
from monitord.store.schema import head, revision_in_words
from monitord.store.sqlite import MAGIC, look_inside

LOOK_S = 20.0
"""A database that takes longer to be looked through is left to the daemon's own start."""

_NO_START = "“monitord run” does not start with it."


async def database_section(loaded: Loaded) -> Section:
    if loaded.folder is None:
        return Section("Database", await _postgres(loaded.store_url))
    # In a thread, as a large ledger takes a while to be looked through.
    return Section("Database", await asyncio.to_thread(_sqlite, loaded.store_url))


async def _postgres(url: URL) -> list[Line]:
    name = name_of(url)
    try:
        connection = await connect(url, statement_s=LOOK_S)
    except Unreachable as error:
        why = f"{name} cannot be reached: {error}"
        return [Line("server", Verdict.WRONG, why, "“monitord run” does not start without it.")]
    try:
        seen = await look(connection)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        why = f"{name} cannot be looked at: {reason_of(error)}"
        return [Line("database", Verdict.REFUSED, why, _NO_START)]
    finally:
        await close(connection)
    return [_server(name, seen), _rights(seen), _tables(name, seen), _others(seen)]


def _server(name: str, seen: Seen) -> Line:
    found = f"{name} is reached; PostgreSQL {seen.version}"
    if seen.crash_safe:
        return Line("server", Verdict.OK, found)
    return Line(
        *("server", Verdict.WARNING, f"{found}; fsync or full_page_writes is off"),
        "After a power cut rows that were saved may be gone, or the whole database.",
    )


def _rights(seen: Seen) -> Line:
    if seen.superuser:
        return Line(
            *("role", Verdict.WARNING, f"{seen.role} is a superuser"),
            "monitord needs a role that owns its own database and nothing else.",
        )
    if not seen.may_create and seen.schema is not None:
        return Line(
            *("role", Verdict.WARNING, f"{seen.role} may not make tables in {seen.schema}"),
            "A later version of monitord may need to, and would not start.",
        )
    return Line("role", Verdict.OK, f"{seen.role} may make tables in {seen.schema}")


def _tables(name: str, seen: Seen) -> Line:
    try:
        refuse(name, seen)
    except StoreError as error:
        return Line("database", Verdict.REFUSED, str(error), _NO_START)
    found = f"{name}, schema {seen.schema}, {revision_in_words(seen.revisions)}"
    if not seen.may_create and seen.revisions != {head()}:
        return Line(
            *("database", Verdict.REFUSED, found),
            f"{_NO_START} Role {seen.role} may not make tables there.",
        )
    return Line("database", Verdict.OK, found)


def _others(seen: Seen) -> Line:
    if not seen.daemons:
        return Line("other monitord", Verdict.OK, "none runs on this database")
    who = ", ".join(seen.daemons)
    return Line("other monitord", Verdict.OK, f"one runs on this database ({who})")


def running_pid(folder: Path) -> str | None:
    """Of the monitord that holds the ledger, None where none does. The lock is only tried, shared
    and for an instant, on a file that is there already."""
    try:
        with (folder / "monitord.lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read(20).decode("ascii", "replace").strip()
                return text if text.isdigit() else "?"
    except OSError:
        return None
    return None


def _sqlite(url: URL) -> list[Line]:
    path = Path(url.database or "")
    lines = [_database(path)]
    pid = running_pid(path.parent)
    lines.append(
        Line("other monitord", Verdict.OK, "none runs on this database")
        if pid is None
        else Line("other monitord", Verdict.OK, f"one runs on this database (process {pid})")
    )
    return lines


def _database(path: Path) -> Line:
    if not os.path.lexists(path):
        return _to_be_made(path)
    try:
        found = _look(path)
    except StoreError as error:
        return _refused(str(error))
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            return Line(
                "file", Verdict.WARNING, f"{path} was not looked through within {LOOK_S:g} s"
            )
        return _refused(f"database {path} is damaged or cannot be used: {error}")
    except OSError as error:
        return _refused(f"database {path} cannot be read: {error.strerror}")
    for needed in (path, path.parent):
        if not os.access(needed, os.W_OK):
            return _refused(f"{needed} cannot be written")
    return Line("file", Verdict.OK, f"{path} {found}")


def _refused(why: str) -> Line:
    return Line("file", Verdict.REFUSED, why, _NO_START)


def _to_be_made(path: Path) -> Line:
    there = next(p for p in path.parents if os.path.lexists(p))
    if not there.is_dir():
        return _refused(f"{there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        return _refused(f"{path} does not exist and {there} cannot be written")
    return Line("file", Verdict.OK, f"{path} does not exist yet; the first start makes it")


def quiet_address(path: Path) -> str | None:
    """With which SQLite reads it and makes no file; None where it cannot."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    wal, shared = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    if wal.exists() and shared.exists():
        return address
    if wal.exists() and wal.stat().st_size:
        return None
    return address + "&immutable=1"  # nobody writes to it; else SQLite would make both files


def _look(path: Path) -> str:
    """What there is in it, in words."""
    if not path.is_file():
        raise StoreError(f"database {path} is not a file")
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        return "is empty; the first start fills it"
    if start != MAGIC:
        raise StoreError(f"database {path} is not an SQLite database, or its beginning is damaged")
    address = quiet_address(path)
    if address is None:
        return "is there, with a log beside it; looking inside would make files, so it was not"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        until = time.monotonic() + LOOK_S
        connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
        return look_inside(path, connection)
