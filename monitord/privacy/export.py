"""All that is held on somebody, table by table, a few rows at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from sqlalchemy import Table, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.keys import Keys
from monitord.audit.reading import opened, row_from
from monitord.people.audience import mask
from monitord.people.erased import is_pseudonym
from monitord.privacy.places import Subject, is_of, of_subject
from monitord.privacy.rules import HOLDINGS
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError

BATCH = 500


async def pieces(
    engine: AsyncEngine, keys: Keys, subject: Subject, about: dict[str, Any], *, numbers: bool
) -> AsyncIterator[bytes]:
    """One JSON object. ``about``: what stands at its beginning; ``numbers``: whoever asks may see
    customers' numbers whole. Each batch is a transaction of its own.

    Raises:
        UnreadableError: the database does not answer.
    """
    yield msgspec.json.encode(about)[:-1] + b',"holdings":['
    total, first = 0, True
    for name, holding in HOLDINGS.items():
        head = msgspec.json.encode({"table": name, "what": holding.says})
        yield (b"\n" if first else b",\n") + head[:-1] + b',"rows":['
        first, count = False, 0
        async for rows in _batches(engine, keys, tables.metadata.tables[name], subject, numbers):
            start = b"\n" if count == 0 else b",\n"
            count += len(rows)
            yield start + b",\n".join(msgspec.json.encode(row) for row in rows)
        total += count
        yield b"]}"
    yield b'\n],"complete":true,"rows":%d}\n' % total


async def _batches(
    engine: AsyncEngine, keys: Keys, table: Table, subject: Subject, numbers: bool
) -> AsyncIterator[list[dict[str, Any]]]:
    place: tuple[Any, ...] | None = None
    columns = list(table.primary_key)
    while True:
        some = select(table).where(of_subject(table, subject)).order_by(*columns).limit(BATCH)
        if place is not None:
            some = some.where(tuple_(*columns) > tuple_(*place))
        try:
            async with engine.connect() as connection:
                found = await _rows(connection, some)
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None
        theirs = [row for row in found if is_of(row, table, subject)]
        if theirs and table is tables.audit:
            yield await _opened(keys, theirs, subject)
        elif theirs:
            yield [_shown(row, table, subject, numbers) for row in theirs]
        if len(found) < BATCH:
            return
        place = tuple(found[-1][column.name] for column in columns)


async def _rows(connection: AsyncConnection, statement: Any) -> list[dict[str, Any]]:
    found = (await connection.execute(statement)).mappings()
    return [{str(key): value for key, value in row.items()} for row in found]


def _shown(row: dict[str, Any], table: Table, subject: Subject, numbers: bool) -> dict[str, Any]:
    holding = HOLDINGS[table.name]
    shown = {key: value for key, value in row.items() if key not in holding.omit}
    column = holding.number
    # A customer's number is that one's own, not the agent's whose call it was.
    if column is not None and subject.person is not None and not numbers:
        number = shown[column]
        shown[column] = number if is_pseudonym(number) else mask(number)
    if subject.person is not None and not numbers:
        _mask_what_they_wrote(shown, table)
    return shown


def _mask_what_they_wrote(shown: dict[str, Any], table: Table) -> None:
    """Customers' numbers in rows that are somebody's for another reason than a call."""
    match table.name:
        case "never_monitor":
            shown["number"] = mask(shown["number"])
        case "hold" if shown["kind"] == "number":
            shown["value"] = mask(shown["value"])
        case "saved_view":
            filters = msgspec.json.decode(shown["filters"])
            if "number" in filters:
                filters["number"] = mask(filters["number"])
                shown["filters"] = msgspec.json.encode(filters).decode()


class _OnlyTheirs:
    """Keys that open what is the people's, and of numbers only this one's."""

    def __init__(self, keys: Keys, subject: Subject) -> None:
        self._keys, self._subject = keys, subject

    async def keys_of(self, pseudonyms: Iterable[str]) -> dict[str, bytes]:
        own = self._subject.pseudonyms
        return await self._keys.keys_of(
            name for name in pseudonyms if name in own or not name.startswith("n")
        )


async def _opened(keys: Keys, rows: list[dict[str, Any]], subject: Subject) -> list[dict[str, Any]]:
    return [
        {
            "n": one.row.n,
            "at": one.row.at,
            "action": one.row.action,
            "actor": None if one.actor_id is None else [one.actor_id, one.actor_name],
            "target": one.target,
            "about": one.row.about,
            "detail": one.detail,
        }
        for one in await opened(_OnlyTheirs(keys, subject), [row_from(row) for row in rows])
    ]
