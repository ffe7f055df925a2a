"""The migrations and the tables in code are the same thing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from monitord.store.engine import alembic_config, open_store, sqlite_url
from monitord.store.tables import metadata


def _compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


async def test_they_give_exactly_the_tables(tmp_path: Path) -> None:
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    async with engine.connect() as connection:
        assert await connection.run_sync(_compare) == []
    await engine.dispose()


async def test_one_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    """As a kill in the middle of it would: the next start must not find half of the tables."""
    path = tmp_path / "m.sqlite3"
    engine = await open_store(sqlite_url(tmp_path / "other.sqlite3"))
    other = await open_store(sqlite_url(path))
    await engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        for name in set(metadata.tables) - {"supervision"}:
            connection.execute(f'DROP TABLE "{name}"')
        connection.execute("DELETE FROM alembic_version")
        connection.commit()

    def migrate(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "head")

    async with other.connect() as connection:
        with pytest.raises(OperationalError, match="supervision already exists"):
            await connection.run_sync(migrate)
    await other.dispose()
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert {n for (n,) in names} == {"supervision", "alembic_version"}
