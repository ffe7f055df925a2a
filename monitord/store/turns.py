"""Transactions that write audit rows: one after another, since each row is chained to the one
before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.store.sqlite import AT_ONCE

TURN_S = 15.0
"""How long one waits for its turn, before its database counts as one that takes nothing."""

_turns: WeakKeyDictionary[Engine, asyncio.Lock] = WeakKeyDictionary()


@asynccontextmanager
async def in_turn(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction, committed at the end of the block, which nobody else of this process is in
    at the same time. What two processes do at once, the primary key of the log keeps apart: the
    later one is refused whole.

    Raises:
        TimeoutError: others took too long.
        SQLAlchemyError: what the database says.
    """
    turn = _turns.setdefault(engine.sync_engine, asyncio.Lock())
    async with asyncio.timeout(TURN_S):
        await turn.acquire()
    try:
        async with engine.connect() as connection:
            # SQLite: what is read of the last row still holds when the next one is written.
            await connection.execution_options(**{AT_ONCE: True})
            async with connection.begin():
                yield connection
    finally:
        turn.release()
