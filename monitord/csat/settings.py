"""What the site says of scores: their scale."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.csat.rules import Scale
from monitord.people.setting import KeptSetting

NAME = "scores"


class ScaleStore(KeptSetting[Scale]):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, NAME, Scale())
