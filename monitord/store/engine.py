"""Opening the database: refuse what is not ours, broken or newer; bring an older one up to date.

A database is never emptied, moved or made anew in place of a broken one: history that vanishes
silently is worse than a daemon that does not start.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.store import postgres
from monitord.store.errors import StoreError, left_alone
from monitord.store.postgres_look import look, refuse
from monitord.store.schema import alembic_config, bring_up_to_date, head, revision_of
from monitord.store.sqlite import SETTING, sqlite_engine, sqlite_url

__all__ = [
    "BUSY_MS",
    "StoreError",
    "alembic_config",
    "name_of",
    "open_store",
    "reason_of",
    "setting_of",
    "sqlite_url",
    "uncut",
    "visit_store",
]

T = TypeVar("T")

BUSY_MS = 5000
"""How long a statement waits for another program's lock."""

TAKEN_S = 5.0
"""How long a start waits for a daemon that was just killed: its connections end when the server
has noticed."""


def name_of(url: URL) -> str:
    """How a database is called in errors: its file, or its address without the password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return postgres.shown(url)


def setting_of(url: URL) -> str:
    """The key of the settings that names it."""
    return SETTING if url.get_backend_name() == "sqlite" else postgres.SETTING


async def open_store(url: URL | str, known_from: Path | None = None) -> AsyncEngine:
    """An engine on a database that is whole and has the present schema. ``known_from``: a file that
    tells of rows in it, so that an empty one is not made anew (of PostgreSQL's the audit log's own
    beginning sees to that, as nothing is lost by making tables).

    Raises:
        StoreError: it is not a database, is damaged, belongs to something else, was written by a
            newer monitord, cannot be reached, or (PostgreSQL; for SQLite the daemon locks the
            folder) another monitord runs on it.
    """
    url = make_url(url)
    name = name_of(url)
    try:
        if url.get_backend_name() == "sqlite":
            engine = await sqlite_engine(url, BUSY_MS, known_from)
            await _used(engine, bring_up_to_date)
            return engine
        return await _open_postgres(url)
    except postgres.Unreachable as error:
        raise StoreError(f"database {name} cannot be used: {error}") from None
    except (SQLAlchemyError, OSError, sqlite3.Error, asyncpg.PostgresError) as error:
        raise StoreError(
            f"database {name} cannot be used: {reason_of(error)}. {left_alone(setting_of(url))}"
        ) from None


def reason_of(error: BaseException) -> str:
    """What the database said, without the details, which may hold values of a row."""
    error = getattr(error, "orig", None) or error
    if isinstance(error, asyncpg.PostgresError) and error.args:
        return str(error.args[0])
    return str(error) or "no answer in time"  # as a TimeoutError says nothing


async def visit_store(url: URL | str) -> AsyncEngine:
    """An engine for a short look or a single row, beside a daemon that may run. Nothing is made or
    migrated, and no claim is laid to it.

    Raises:
        StoreError: there is none of the present schema.
    """
    url = make_url(url)
    name = name_of(url)
    none_yet = StoreError(f"database {name} has no tables of this version; start monitord first")
    try:
        if url.get_backend_name() == "sqlite":
            if not await asyncio.to_thread(Path(url.database or "").exists):
                raise none_yet
            engine = await sqlite_engine(url, BUSY_MS)
        else:
            connection = await postgres.connect(url, busy_ms=BUSY_MS)
            try:
                refuse(name, await look(connection))
            finally:
                await postgres.close(connection)
            engine = postgres.visiting_engine(url, BUSY_MS)
        if await _revision(engine) != head():
            await engine.dispose()
            raise none_yet
        return engine
    except postgres.Unreachable as error:
        raise StoreError(f"database {name} cannot be used: {error}") from None
    except (SQLAlchemyError, OSError, sqlite3.Error, asyncpg.PostgresError) as error:
        raise StoreError(f"database {name} cannot be used: {reason_of(error)}") from None


async def _revision(engine: AsyncEngine) -> str | None:
    found: list[str | None] = []

    def look_up(connection: Connection) -> None:
        found.append(revision_of(connection))

    await _used(engine, look_up)
    return found[0]


async def _open_postgres(url: URL) -> AsyncEngine:
    place = postgres.Place(url, BUSY_MS)
    # This first connection holds the place until the engine has one of its own.
    keeper = await _taken(place)
    try:
        refuse(name_of(url), await look(keeper, place.me))
        migrating = place.migrating_engine()
        await _used(migrating, bring_up_to_date)
        await migrating.dispose()
        engine = place.engine()
        await _used(engine, lambda connection: None)
        return engine
    finally:
        await postgres.close(keeper)


async def _taken(place: postgres.Place) -> asyncpg.Connection:
    end = time.monotonic() + TAKEN_S
    while True:
        try:
            return await place.connect(statement_s=0)
        except postgres.Taken:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(0.2)


async def _used(engine: AsyncEngine, work: Callable[[Connection], None]) -> None:
    """Do it on a connection of the engine, which is closed where that fails."""
    try:
        async with engine.connect() as connection:
            await connection.run_sync(work)
    except BaseException:
        await engine.dispose()
        raise


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
