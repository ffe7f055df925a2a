"""Flags and calls of weeks that are over, in a daemon's database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

from monitord.store import tables
from tests.kit.stores import Store


class Past:
    """Writes what was, as if the daemon had written it then."""

    def __init__(self, store: Store) -> None:
        self.store = store
        today = datetime.now(UTC).date()
        self.monday = today - timedelta(days=today.weekday())

    def in_week(self, ago: int, hours: float = 1.0) -> int:
        """So long after the week's begin in UTC; 0 is the running week."""
        day = datetime.combine(self.monday, datetime.min.time(), UTC) - timedelta(weeks=ago)
        return int((day + timedelta(hours=hours)).timestamp() * 1000)

    async def _put(self, table: Any, rows: list[Mapping[str, Any]]) -> None:
        engine = create_async_engine(self.store.url)
        async with engine.begin() as connection:
            await connection.execute(insert(table), rows)
        await engine.dispose()

    async def flags(
        self, agent: str, by: str, made: int, good: int = 0, bad: int = 0, **more: Any
    ) -> None:
        row = {
            "pbx": "lab",
            "call": "of old",
            "call_id": "of old",
            "agent_id": agent,
            "agent_name": f"{agent} as then",
            "agent_endpoint": "",
            "by_id": by,
            "by_name": f"{by} as then",
            "comment": "c",
            "wanted": "",
            "themes": "[]",
            "state": "open",
            "made": made,
            "visible": False,
        }
        kinds = ["good"] * good + ["bad"] * bad
        await self._put(
            tables.flag,
            [{**row, "id": secrets.token_hex(10), "polarity": kind, **more} for kind in kinds],
        )

    async def score(self, call: str, received: int, value: int, *, tied: bool = True) -> None:
        """By a survey; ``value`` in hundredths."""
        name = secrets.token_hex(10)
        row = {
            "pbx": "old",
            "given": call,
            "value": value,
            "low": 1,
            "high": 5,
            "at": received,
            "received": received,
            "source": "survey",
            "id": name,
            "reference": name,
            "call": call if tied else None,
        }
        await self._put(tables.score, [row])

    async def calls(self, agent: str, started: int, n: int, *, answered: bool = True) -> None:
        row = {
            "pbx": "old",
            "boot": "b",
            "call_id": "of old",
            "agent_id": agent,
            "direction": "inbound",
            "queue": "",
            "started": started,
            "started_exact": True,
            "answered": started + 5_000 if answered else None,
            "ended": started + 60_000,
            "ended_exact": True,
            "talk_ms": 0,
            "hold_ms": 0,
        }
        await self._put(tables.call, [{**row, "id": secrets.token_hex(10)} for _ in range(n)])
