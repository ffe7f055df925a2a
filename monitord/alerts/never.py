"""The list of those whom nobody may listen to: in memory, and the same as in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.alerts.listing import Entry, Listing, listing_of
from monitord.people.store import Alongside, PeopleError, commit
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.rows import record_of

ENTRIES_MOST = 2_000


class ListedError(Exception):
    """It is on the list already."""


class FullError(Exception):
    """The list holds ``ENTRIES_MOST``."""


class NeverMonitor:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._listeners: dict[int, Callable[[], None]] = {}
        self._next = 0
        self._changing = asyncio.Lock()
        self._take({})

    def _take(self, entries: dict[str, Entry]) -> None:
        self.entries = entries
        self.listing: Listing = listing_of(entries.values())

    async def load(self) -> None:
        """What was put there before this start.

        Raises:
            PeopleError: it cannot be read.
        """
        table = tables.never_monitor
        try:
            async with self._engine.connect() as connection:
                statement = select(table).order_by(table.c.at, table.c.id)
                rows = (await connection.execute(statement)).mappings().all()
            self._take({row["id"]: record_of(row, Entry) for row in rows})
        except (SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
            raise PeopleError(reason_of(error)) from None

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """``call`` after each change. Gives the function that ends it."""
        self._next += 1
        key = self._next
        self._listeners[key] = call
        return lambda: self._listeners.pop(key, None) and None

    async def add(self, entry: Entry, alongside: Alongside) -> None:
        """``alongside`` writes in the same transaction.

        Raises:
            ListedError: the person or number is there already.
            FullError: there is no room.
            PeopleError: the database did not take it; nothing is changed.
        """

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(
                insert(tables.never_monitor).values(msgspec.structs.asdict(entry))
            )

        async with self._changing:
            if entry.person in self.listing.people or entry.number in self.listing.numbers:
                raise ListedError
            if len(self.entries) >= ENTRIES_MOST:
                raise FullError
            await commit(self._engine, write, alongside)
            self._take({**self.entries, entry.id: entry})
        self._tell()

    async def remove(self, entry_id: str, alongside: Callable[[Entry], Alongside]) -> bool:
        """Whether it was there. ``alongside`` is given what is removed.

        Raises:
            PeopleError: the database did not take it; nothing is changed.
        """
        table = tables.never_monitor

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(delete(table).where(table.c.id == entry_id))

        async with self._changing:
            entry = self.entries.get(entry_id)
            if entry is None:
                return False
            await commit(self._engine, write, alongside(entry))
            self._take({k: v for k, v in self.entries.items() if k != entry_id})
        self._tell()
        return True

    async def again(self) -> None:
        """Somebody was erased, on the list or as who put somebody there.

        Raises:
            PeopleError: it cannot be read.
        """
        async with self._changing:
            await self.load()
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners.values()):
            listener()
