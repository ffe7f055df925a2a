"""The migrations and the tables in code are the same thing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from monitord.store import schema
from monitord.store.engine import StoreError, alembic_config, open_store
from monitord.store.tables import metadata
from tests.kit.stores import Store

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
}


def _compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def tables(store: Store) -> set[str]:
    return {row["name"] for row in store.read(TABLES[store.kind])}


async def test_they_give_exactly_the_tables(store: Store) -> None:
    engine = await open_store(store.url)
    async with engine.connect() as connection:
        assert await connection.run_sync(_compare) == []
    await engine.dispose()


async def test_one_that_fails_leaves_nothing_half_done(store: Store) -> None:
    """As a kill in the middle of it would: the next start must not find half of the tables."""
    engine = await open_store(store.url)
    lost = set(metadata.tables) - {"supervision"}
    store.change(*(f'DROP TABLE "{name}"' for name in lost), "DELETE FROM alembic_version")

    def migrate(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "head")

    async with engine.connect() as connection:
        with pytest.raises(SQLAlchemyError, match=r'"?supervision"? already exists'):
            await connection.run_sync(migrate)
    await engine.dispose()
    assert tables(store) == {"supervision", "alembic_version"}


_FAILING = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{after}"


def upgrade() -> None:
    op.create_table("more", sa.Column("id", sa.Text(), primary_key=True))
    op.execute("SELECT no_such_column")
"""


async def test_of_several_all_or_none_is_done(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last one fails, the older program can go on with what it had."""
    copied = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, copied)
    (copied / "versions" / "9999_fails.py").write_text(_FAILING.format(after=schema.head()))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", copied)
        with pytest.raises(StoreError, match="no_such_column"):
            await open_store(store.url)
    assert tables(store) == set()
    await (await open_store(store.url)).dispose()
    assert tables(store) == {*metadata.tables, "alembic_version"}
