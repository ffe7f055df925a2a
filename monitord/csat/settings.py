"""What the site says of scores: their scale."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.csat.rules import Scale
from monitord.people.store import Alongside, PeopleError, commit, write_setting
from monitord.store import tables
from monitord.store.engine import reason_of

NAME = "scores"


class ScaleStore:
    """Kept in memory as well, since every score is read by it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._changing = asyncio.Lock()
        self.now = Scale()

    async def load(self) -> None:
        """
        Raises:
            PeopleError: it cannot be read.
        """
        c = tables.setting.c
        try:
            async with self._engine.connect() as connection:
                value = await connection.scalar(select(c.value).where(c.name == NAME))
            if value is not None:
                self.now = msgspec.json.decode(value, type=Scale)
        except (SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
            raise PeopleError(reason_of(error)) from None

    async def put(self, new: Scale, *alongside: Alongside) -> None:
        """
        Raises:
            PeopleError: nothing was changed.
        """
        value: Any = msgspec.to_builtins(new)
        async with self._changing:
            await commit(self._engine, write_setting(NAME, value), *alongside)
            self.now = new
