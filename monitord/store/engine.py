"""Opening the database: refuse what is not ours, broken or newer; bring an older one up to date.

A database is never emptied, moved or made anew in place of a broken one: history that vanishes
silently is worse than a daemon that does not start.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_SQLITE_MAGIC = b"SQLite format 3\x00"


class StoreError(Exception):
    """The database cannot be used. The text says which and why, for the administrator."""


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _alembic(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


async def open_store(url: str) -> AsyncEngine:
    """An engine on a database that is whole and has the present schema.

    Raises:
        StoreError: the file is not a database, is damaged, belongs to something else, was
            written by a newer monitord, or cannot be reached.
    """
    name = url.split("@")[-1]  # never the password
    if url.startswith("sqlite"):
        path = Path(url.split("///", 1)[1])
        name = str(path)
        _look_at_file(path)
    try:
        engine = create_async_engine(url)
    except Exception as error:
        raise StoreError(f"database {name}: the URL cannot be used: {error}") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _pragmas)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_bring_up_to_date, name)
    except (DatabaseError, OSError, sqlite3.DatabaseError) as error:
        await engine.dispose()
        reason = getattr(error, "orig", None) or error
        raise StoreError(
            f"database {name} cannot be used: {reason}. It was left as it is; restore a backup "
            "or name another file."
        ) from None
    except StoreError:
        await engine.dispose()
        raise
    return engine


def _look_at_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"database {path}: the folder {path.parent} does not exist")
    if not path.exists():
        path.touch(mode=0o600)  # numbers and names are in it
        return
    with path.open("rb") as file:
        start = file.read(len(_SQLITE_MAGIC))
    if start and start != _SQLITE_MAGIC:
        raise StoreError(
            f"database {path} is not an SQLite database, or its beginning is damaged. It was left "
            "as it is; restore a backup or name another file."
        )


def _pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # FULL: a row that we call saved survives a power cut, which NORMAL does not promise in WAL.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _bring_up_to_date(connection: Connection, name: str) -> None:
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            raise StoreError(
                f"database {name} is damaged ({found}). It was left as it is; restore a backup "
                "or name another file."
            )
    present = set(inspect(connection).get_table_names())
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {s.revision for s in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"database {name} was written by a newer monitord (schema {revision}). It was left as "
            "it is; install that version again."
        )
    if revision is None and present - {"alembic_version"}:
        raise StoreError(
            f"database {name} belongs to another program (it has the tables "
            f"{', '.join(sorted(present)[:3])} …). Name another one."
        )
    connection.rollback()
    command.upgrade(_alembic(connection), "head")
    connection.commit()
