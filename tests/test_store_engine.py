"""Opening the database: what is refused stays as it is, byte by byte."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from monitord.store import tables
from monitord.store.engine import StoreError, open_store, reason_of, sqlite_url
from tests.kit.stores import Store


async def _filled(path: Path) -> None:
    """A database of ours, of many pages, stopped in order."""
    engine = await open_store(sqlite_url(path))
    async with engine.begin() as connection:
        rows = [
            {"id": f"g{n:05}", "pbx": "lab", "started": n, "ended": None, "why": "x" * 200}
            for n in range(2000)
        ]
        await connection.execute(insert(tables.gap), rows)
    await engine.dispose()


def _write(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _sql(*statements: str) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return do


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


DAMAGE = {
    "garbage": (lambda p: p.write_bytes(b"no database at all" * 999), "not an SQLite database"),
    "magic-flipped": (lambda p: _write(p, 3, b"\xff"), "not an SQLite database"),
    "header-flipped": (lambda p: _write(p, 16, b"\x03\x07"), "cannot be used"),
    "first-page-flipped": (lambda p: _write(p, 100, b"\xff" * 8), "damaged"),
    "middle-page-flipped": (lambda p: _write(p, 40 * 4096, b"\xff" * 64), "damaged"),
    "truncated": (_truncate, "damaged"),
    "newer": (_sql("UPDATE alembic_version SET version_num='9999'"), "written by a newer monitord"),
    "a-table-lost": (_sql("DROP TABLE segment"), "lacks the tables segment"),
}


@pytest.mark.fault("DB corrupted")
@pytest.mark.parametrize("name", DAMAGE)
async def test_refuses_and_leaves_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    await _filled(path)
    spoil, words = DAMAGE[name]
    spoil(path)
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(StoreError, match=words) as refused:
        await open_store(sqlite_url(path))
    assert str(path) in str(refused.value)
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert [f.name for f in tmp_path.iterdir()] == ["m.sqlite3"], "nothing new beside it"


FOREIGN = {
    "tables": _sql("CREATE TABLE accounts (id)", "INSERT INTO accounts VALUES (1)"),
    "view-only": _sql("CREATE VIEW v AS SELECT 1"),
    "same-table-name": _sql("CREATE TABLE call (id)"),
    "alembic-too": _sql(
        "CREATE TABLE alembic_version (version_num)",
        "INSERT INTO alembic_version VALUES ('0001')",
        "CREATE TABLE other (id)",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_refuses_another_programs(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    FOREIGN[name](path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        await open_store(sqlite_url(path))
    assert path.read_bytes() == before, "not even its journal mode is changed"


async def test_refuses_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a file"):
        await open_store(sqlite_url(tmp_path))


async def test_refuses_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        await open_store(sqlite_url(tmp_path / "none" / "m.sqlite3"))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("start", ["missing", "empty"])
async def test_a_new_one_is_made_for_its_owner_only(start: str, tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite3"
    if start == "empty":
        path.touch(mode=0o600)
    engine = await open_store(sqlite_url(path))
    await engine.dispose()
    assert path.stat().st_mode & 0o777 == 0o600
    await (await open_store(sqlite_url(path))).dispose()


@pytest.mark.parametrize("name", ["a b?c=d#e%20f", "%(here)s", "per@son:x"])
async def test_any_folder_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name / "m.sqlite3"
    path.parent.mkdir()
    await _filled(path)
    assert path.stat().st_size > 100_000
    await (await open_store(sqlite_url(path))).dispose()


@pytest.mark.fault("power loss")
async def test_every_connection_is_durable(tmp_path: Path) -> None:
    engine = await open_store(sqlite_url(tmp_path / "m.sqlite3"))
    connections = [await engine.connect() for _ in range(8)]
    for connection in connections:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
        assert found == ["wal", 2, 5000]
        await connection.close()
    await engine.dispose()


async def test_an_error_holds_no_values(store: Store) -> None:
    engine = await open_store(store.url)
    with pytest.raises(SQLAlchemyError, match=r"(?i)not[ -]null") as error:
        async with engine.begin() as connection:
            await connection.execute(insert(tables.gap).values(id="5551234", pbx="lab"))
    assert "5551234" not in str(error.value) + reason_of(error.value)
    await engine.dispose()


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b", "\udfff\ud800\0", "é \U0001f4de \uffff"])
async def test_any_text_is_taken_and_found_again(value: str, store: Store) -> None:
    """One that a database refuses would keep its whole batch from being written, for ever."""
    engine = await open_store(store.url)
    row = {"id": "g", "pbx": value, "started": (1 << 63) - 1, "ended": -(1 << 63), "why": value}
    async with engine.begin() as connection:
        await connection.execute(insert(tables.gap), [row])
        found = await connection.execute(select(tables.gap).where(tables.gap.c.pbx == value))
        (got,) = found.mappings()
    await engine.dispose()
    kept = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)
    assert dict(got) == {**row, "pbx": kept, "why": kept}
