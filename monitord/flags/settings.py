"""What the site says of flags: whether agents see them, and which themes there are."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.people.setting import KeptSetting

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


class SettingsStore(KeptSetting[FlagSettings]):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, NAME, FlagSettings())
