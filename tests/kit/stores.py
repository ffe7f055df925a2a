"""A database for one test, of either kind: the tests of the ledgers run on both."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
)
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import URL

from monitord.store.postgres import postgres_url
from monitord.store.sqlite import sqlite_url
from tests.kit.postgres import Other, Server
from tests.lab.install import LabMissing, required

BOTH = ("sqlite", "postgresql")


EVERYTHING = """
    SELECT c.relname, c.relkind, c.relnatts, c.relowner, c.relfilenode, c.xmin::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema' ORDER BY 1
"""
"""For PostgreSQL: all that could be changed in a database, but for its rows."""


class Store(Protocol):
    """A database without tables, which the first ``open_store`` makes."""

    kind: str
    url: URL

    keys: Path
    """The file of the audit log's keys, of a daemon with these settings."""

    def settings(self, folder: Path) -> str:
        """The lines of ``[store]`` for a settings file in that folder."""

    def read(self, sql: str) -> list[dict[str, Any]]:
        """The rows, by a connection of its own, so only what is committed."""

    def change(self, *statements: str) -> None:
        """As another program does it."""

    def locked(self) -> AbstractAsyncContextManager[None]:
        """Another program holds it: what is there can be read, nothing can be written. Waited for
        beside the loop, in which a daemon may be in the middle of a transaction."""


class SqliteStore:
    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        """A daemon finds it only by the name that ``in_folder`` gives it."""
        self.path = path
        self.url = sqlite_url(self.path)
        self.keys = self.path.parent / "keys" / "audit.sqlite3"

    @classmethod
    def in_folder(cls, folder: Path) -> SqliteStore:
        return cls(folder / "monitord.sqlite3")

    def settings(self, folder: Path) -> str:
        return f'folder = "{self.path.parent}"'

    def read(self, sql: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def change(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        with closing(connection):
            await asyncio.to_thread(connection.execute, "BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")


class PostgresStore:
    kind = "postgresql"

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.address = f"postgresql://monitord@127.0.0.1:{server.port}/{name}"
        self.url = postgres_url(self.address, server.password)

    def settings(self, folder: Path) -> str:
        self.keys = folder / "keys" / "audit.sqlite3"
        file = folder / "database-password"
        file.touch(mode=0o600)
        file.write_text(self.server.password + "\n")
        return f'url = "{self.address}"\npassword_file = "{file}"'

    @contextmanager
    def other(self, user: str = "admin") -> Iterator[Other]:
        """Somebody else's connection to it."""
        other = Other(**self.server.socket(self.name, user))
        try:
            yield other
        finally:
            other.close()

    def read(self, sql: str) -> list[dict[str, Any]]:
        with self.other() as other:
            return other.read(sql)

    def change(self, *statements: str) -> None:
        with self.other("monitord") as other:
            for statement in statements:
                other.run(statement)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        with self.other() as other:
            tables = other.read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            names = ", ".join(f'"{row["tablename"]}"' for row in tables)
            other.run("BEGIN")
            await asyncio.to_thread(other.run, f"LOCK TABLE {names} IN EXCLUSIVE MODE")
            yield
            other.run("ROLLBACK")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One for each worker."""
    try:
        server = Server()
    except LabMissing as missing:
        if required():
            raise
        pytest.skip(str(missing))
    yield server
    server.end()


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[PostgresStore]:
    """A new database on the worker's server."""
    name = postgres_server.new_database()
    yield PostgresStore(postgres_server, name)
    postgres_server.drop(name)


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The test runs once on each kind."""
    if request.param == "sqlite":
        folder = tmp_path / "store"
        folder.mkdir()
        return SqliteStore.in_folder(folder)
    made: PostgresStore = request.getfixturevalue("postgres")
    return made
