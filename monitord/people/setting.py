"""One choice of the whole site, kept in the database and in memory."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.people.store import Alongside, PeopleError, commit, write_setting
from monitord.store import tables
from monitord.store.engine import reason_of

S = TypeVar("S", bound=msgspec.Struct)


class KeptSetting(Generic[S]):
    """``now`` is what holds: what is asked for each flag or score is not read from a database."""

    def __init__(self, engine: AsyncEngine, name: str, usual: S) -> None:
        """``usual``: until the site chooses."""
        self._engine = engine
        self._name = name
        self._changing = asyncio.Lock()
        self.now = usual

    async def load(self) -> None:
        """
        Raises:
            PeopleError: it cannot be read.
        """
        c = tables.setting.c
        try:
            async with self._engine.connect() as connection:
                value = await connection.scalar(select(c.value).where(c.name == self._name))
            if value is not None:
                self.now = msgspec.json.decode(value, type=type(self.now))
        except (SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
            raise PeopleError(reason_of(error)) from None

    async def put(self, new: S, *alongside: Alongside) -> None:
        """
        Raises:
            PeopleError: nothing was changed.
        """
        value: Any = msgspec.to_builtins(new)
        # Of two at once the one that is kept must be the one that holds.
        async with self._changing:
            await commit(self._engine, write_setting(self._name, value), *alongside)
            self.now = new
