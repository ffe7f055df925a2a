"""What the site says of flags: whether agents see them, and which themes there are."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.people.store import Alongside, PeopleError, commit, write_setting
from monitord.store import tables
from monitord.store.engine import reason_of

NAME = "flags"


class Theme(Struct, frozen=True):
    """What a flag can be about."""

    id: str
    name: str


THEMES = (
    Theme("de-escalation", "De-escalation"),
    Theme("escalation-timing", "Escalation timing"),
    Theme("tone", "Tone"),
    Theme("listening", "Listening"),
    Theme("procedure", "Procedure"),
    Theme("product-knowledge", "Product knowledge"),
)
"""Until the site names its own."""


class ThemeWeek(Struct, frozen=True):
    """A week in which flags are about one thing."""

    monday: str
    """ISO date."""
    theme: str
    """Id."""


class FlagSettings(Struct, frozen=True):
    visible: bool = False
    """Agents see flags on themselves at once, and answer; else they see none."""
    themes: tuple[Theme, ...] = THEMES
    weeks: tuple[ThemeWeek, ...] = ()
    """In their order."""

    def theme_on(self, day: date) -> str | None:
        """Id of the theme of that day's week."""
        monday = (day - timedelta(days=day.weekday())).isoformat()
        return next((week.theme for week in self.weeks if week.monday == monday), None)


class SettingsStore:
    """Kept in memory as well, since every flag is made by them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._changing = asyncio.Lock()
        self.now = FlagSettings()

    async def load(self) -> None:
        """
        Raises:
            PeopleError: it cannot be read.
        """
        table = tables.setting
        try:
            async with self._engine.connect() as connection:
                some = select(table.c.value).where(table.c.name == NAME)
                value = await connection.scalar(some)
            if value is not None:
                self.now = msgspec.json.decode(value, type=FlagSettings)
        except (SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
            raise PeopleError(reason_of(error)) from None

    async def put(self, new: FlagSettings, *alongside: Alongside) -> None:
        """
        Raises:
            PeopleError: nothing was changed.
        """
        value: Any = msgspec.to_builtins(new)
        # Of two at once the one that is kept must be the one that holds.
        async with self._changing:
            await commit(self._engine, write_setting(NAME, value), *alongside)
            self.now = new
