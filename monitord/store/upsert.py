"""Rows that are written again whenever they changed: insert, or update what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.domain.ledger import Record
from monitord.store.rows import TABLE_OF, row_of

CHUNK = 200
"""Rows of one statement: SQLite takes 32,766 parameters, a row has some 30."""


async def write_records(
    connection: AsyncConnection, cls: type[Any], records: Sequence[Record]
) -> None:
    """``records`` are all of ``cls``."""
    if not records:
        return
    if connection.dialect.name == "postgresql":
        await upsert(connection, TABLE_OF[cls], [row_of(r) for r in records])
        return
    # Past SQLAlchemy's handling of each value, which costs more than SQLite itself: a record holds
    # texts, whole numbers and truth values only.
    rows = [msgspec.structs.astuple(record) for record in records]
    await connection.exec_driver_sql(_STATEMENTS[cls], rows)


async def upsert(connection: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = _keys(table)
    statement = insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=keys,
        set_={c.name: statement.excluded[c.name] for c in table.c if c.name not in keys},
    )
    for start in range(0, len(rows), CHUNK):
        await connection.execute(statement, rows[start : start + CHUNK])


def _keys(table: Table) -> list[str]:
    return [c.name for c in table.primary_key]


def _statement_of(cls: type[Any]) -> str:
    """An upsert into SQLite whose parameters are the fields of ``cls`` in their order."""
    table, fields = TABLE_OF[cls], cls.__struct_fields__
    keys = _keys(table)
    updates = ", ".join(f"{name}=excluded.{name}" for name in fields if name not in keys)
    names, values = ", ".join(fields), ", ".join("?" * len(fields))
    return (
        f"INSERT INTO {table.name} ({names}) VALUES ({values}) "  # noqa: S608  # all our own
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {updates}"
    )


_STATEMENTS = {cls: _statement_of(cls) for cls in TABLE_OF}
