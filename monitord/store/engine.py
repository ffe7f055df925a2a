"""Opening the database: refuse what is not ours, broken or newer; bring an older one up to date.

A database is never emptied, moved or made anew in place of a broken one: history that vanishes
silently is worse than a daemon that does not start. A file that is refused is not changed by a
single byte, so it is looked at read-only first: already WAL mode would be written into its header.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from monitord.store.tables import metadata

T = TypeVar("T")

BUSY_MS = 5000
"""How long a statement waits for another program's lock."""

_SQLITE_MAGIC = b"SQLite format 3\x00"
_LEFT = "It was left as it is; restore a backup or name another store.folder."


class StoreError(Exception):
    """The database cannot be used. The text says which and why, for the administrator."""


def sqlite_url(path: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=str(path))


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic's settings are a ConfigParser's, in which a per cent sign begins a name.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config


async def open_store(url: URL | str) -> AsyncEngine:
    """An engine on a database that is whole and has the present schema.

    Raises:
        StoreError: the file is not a database, is damaged, belongs to something else, was
            written by a newer monitord, or cannot be reached.
    """
    url = make_url(url)
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        name = str(path)
        try:
            await asyncio.to_thread(_look_at_file, path)
        except sqlite3.Error as error:
            raise StoreError(
                f"database {name} is damaged or cannot be used: {error}. {_LEFT}"
            ) from (None)
        except OSError as error:
            raise StoreError(f"database {name} cannot be used: {error.strerror}") from None
    # Parameters hold names and numbers, which must not get into a log by an error's text.
    engine = create_async_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up)
        event.listen(engine.sync_engine, "begin", _begin)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_bring_up_to_date)
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        await engine.dispose()
        reason = getattr(error, "orig", None) or error
        raise StoreError(f"database {name} cannot be used: {reason}. {_LEFT}") from None
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def uncut(work: Coroutine[Any, Any, T]) -> T:
    """Await a transaction to its end, also where the caller is cancelled meanwhile.

    A connection that is cancelled in a transaction is thrown away with it still open, and SQLite's
    write lock stays taken until the garbage collector comes by (measured: every later write of the
    process failed, the last rows of a stop among them).
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen; the cancellation goes before it
        raise


def _look_at_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"database {path}: the folder {path.parent} does not exist")
    if not path.exists():
        path.touch(mode=0o600)  # numbers and names are in it
        return
    if not path.is_file():
        raise StoreError(f"database {path} is not a file")
    with path.open("rb") as file:
        start = file.read(len(_SQLITE_MAGIC))
    if not start:
        return
    if start != _SQLITE_MAGIC:
        raise StoreError(
            f"database {path} is not an SQLite database, or its beginning is damaged. {_LEFT}"
        )
    address = f"{path.absolute().as_uri()}?mode=ro"
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or not wal.stat().st_size:
        # Nothing waits to be read from the log, so none needs to be made.
        address += "&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        _look_inside(path, connection)


def _look_inside(path: Path, connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreError(f"database {path} is damaged ({found}). {_LEFT}")
    names = connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    present = {name for (name,) in names}
    revisions: set[str] = set()
    if "alembic_version" in present:
        revisions = {r for (r,) in connection.execute("SELECT version_num FROM alembic_version")}
    ours = set(metadata.tables)
    if present - {"alembic_version"} and not (revisions and present & ours):
        raise StoreError(
            f"database {path} belongs to another program (it has "
            f"{', '.join(sorted(present - {'alembic_version'})[:3])} …). {_LEFT}"
        )
    scripts = ScriptDirectory.from_config(alembic_config())
    unknown = revisions - {s.revision for s in scripts.walk_revisions()}
    if unknown:
        raise StoreError(
            f"database {path} was written by a newer monitord (schema {sorted(unknown)[0]}). It "
            "was left as it is; install that version again."
        )
    lost = ours - present
    if revisions == {scripts.get_current_head()} and lost:
        raise StoreError(f"database {path} lacks the tables {', '.join(sorted(lost))}. {_LEFT}")


def _set_up(connection: Any, _record: object) -> None:
    # The driver would begin no transaction before a SELECT or a CREATE TABLE; see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    mode = cursor.fetchone()[0]
    # FULL: a row that we call saved survives a power cut, which NORMAL does not promise in WAL.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
    if mode != "wal":
        raise sqlite3.OperationalError(
            f"the file system cannot keep it in WAL mode (it stays in {mode!r})"
        )


def _begin(connection: Connection) -> None:
    """So that a migration is done whole or not at all, and a reader sees one moment."""
    connection.exec_driver_sql("BEGIN")


def _bring_up_to_date(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")
    connection.commit()
