"""Endpoints that were seen at a PBX and are nobody's: proposals for the roster.

Fed by the hub's frames, kept in memory, written now and then. An agent or a supervisor whom the
roster does not know carries the endpoint's own id, ``pbx/PJSIP/1001``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.domain.views import Agent, Party, Supervision
from monitord.live.hub import Frame, Hub
from monitord.people.store import Alongside, PeopleError
from monitord.people.words import How
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.turns import in_turn

SEEN_MOST = 20_000
"""Endpoints that are remembered, of all PBXs; what is beyond is left out."""

FORGOTTEN_MS = 180 * 24 * 3_600_000
"""What was not seen for so long is forgotten at the next start."""

FRESH_MS = 60_000
"""How exact it is kept when an endpoint was last seen."""

WRITE_S = 5.0
CHUNK = 500


class Seen(Struct):
    pbx: str
    endpoint: str
    name: str
    """As a queue calls it; empty where none does."""
    how: tuple[How, ...]
    first: int
    """ms UTC, as ``last``."""
    last: int
    dismissed: bool = False


Key = tuple[str, str]


class SeenEndpoints:
    def __init__(
        self,
        engine: AsyncEngine,
        hub: Hub,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._engine = engine
        self._hub = hub
        self._clock = clock
        self._seen: dict[Key, Seen] = {}
        self._unwritten: set[Key] = set()
        self._some = asyncio.Event()
        self._full = False
        self._log = structlog.get_logger("people")

    async def load(self) -> None:
        """Those from before this process; from then on it listens.

        Raises:
            PeopleError: they cannot be read.
        """
        table = tables.endpoint_seen
        old = self._clock() - FORGOTTEN_MS
        try:
            async with self._engine.begin() as connection:
                await connection.execute(delete(table).where(table.c.last < old))
                statement = select(table).order_by(table.c.last.desc()).limit(SEEN_MOST)
                rows = (await connection.execute(statement)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(reason_of(error)) from None
        for row in rows:
            known = {str(k): v for k, v in row.items()}
            known["how"] = [h for h in known["how"].split(",") if h in get_args(How)]
            one = msgspec.convert(known, Seen, strict=False)
            self._seen[one.pbx, one.endpoint] = one
        self._hub.listen(self._take)

    def all(self) -> list[Seen]:
        """In the order of PBX and endpoint."""
        return [self._seen[key] for key in sorted(self._seen)]

    def of(self, endpoint: str) -> list[Seen]:
        """One endpoint, at each PBX."""
        return [one for one in self.all() if one.endpoint == endpoint]

    def get(self, pbx: str, endpoint: str) -> Seen | None:
        return self._seen.get((pbx, endpoint))

    async def dismiss(self, one: Seen, dismissed: bool, alongside: Alongside) -> None:
        """Propose it no more, or again. ``alongside`` writes in the same transaction.

        Raises:
            PeopleError: the database did not take it; nothing is changed.
        """
        table = tables.endpoint_seen
        key = (one.pbx, one.endpoint)

        async def commit() -> None:
            async with in_turn(self._engine) as connection:
                await _write(connection, [_row(one)])
                which = (table.c.pbx == one.pbx, table.c.endpoint == one.endpoint)
                await connection.execute(update(table).where(*which).values(dismissed=dismissed))
                await alongside(connection)

        try:
            await uncut(commit())
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(reason_of(error)) from None
        self._seen[key].dismissed = dismissed

    def forget_name(self, name: str) -> None:
        """Endpoints that a queue called so have no name until one does again."""
        for one in self._seen.values():
            if one.name == name:
                one.name = ""

    async def run(self) -> None:
        """Write what was seen, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(WRITE_S)  # a whole floor appears at once
            self._some.clear()
            if not await uncut(self.write()):
                self._some.set()

    async def write(self) -> bool:
        """Write what is new. False where the database did not take it; it is tried again."""
        keys, self._unwritten = self._unwritten, set()
        rows = [_row(self._seen[key]) for key in keys]
        try:
            async with self._engine.begin() as connection:
                await _write(connection, rows)
        except (SQLAlchemyError, OSError) as error:
            self._unwritten |= keys
            self._log.warning("endpoints_seen_not_written", why=reason_of(error))
            return False
        return True

    def _take(self, frame: Frame) -> None:
        for change in frame.changes:
            entity = change.new
            if isinstance(entity, Agent):
                if _is_nobodys(entity.pbx, entity.party):
                    agent = self._hub.shards[entity.pbx].agents.get(entity.party.endpoint)
                    queue = agent is not None and agent.queue_agent
                    self._see(entity.pbx, entity.party, "queue" if queue else "agent", frame.at)
            elif isinstance(entity, Supervision) and _is_nobodys(entity.pbx, entity.supervisor):
                self._see(entity.pbx, entity.supervisor, "supervisor", frame.at)

    def _see(self, pbx: str, party: Party, how: How, at: int) -> None:
        key = (pbx, party.endpoint)
        name = party.name if party.name != party.endpoint else ""
        one = self._seen.get(key)
        if one is None:
            if len(self._seen) >= SEEN_MOST:
                if not self._full:
                    self._full = True
                    self._log.warning("endpoints_seen_full", most=SEEN_MOST)
                return
            one = self._seen[key] = Seen(pbx, party.endpoint, name, (how,), at, at)
        elif how in one.how and name in ("", one.name) and at - one.last < FRESH_MS:
            return
        one.last = max(one.last, at)
        one.name = name or one.name
        if how not in one.how:
            one.how = tuple(h for h in get_args(How) if h in (*one.how, how))
        self._unwritten.add(key)
        self._some.set()


def _is_nobodys(pbx: str, party: Party) -> bool:
    return party.id == f"{pbx}/{party.endpoint}"


def _row(one: Seen) -> dict[str, Any]:
    return {**msgspec.structs.asdict(one), "how": ",".join(one.how)}


async def _write(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Whether it was dismissed is not overwritten: that is decided elsewhere meanwhile."""
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(tables.endpoint_seen)
    statement = statement.on_conflict_do_update(
        index_elements=["pbx", "endpoint"],
        set_={name: statement.excluded[name] for name in ("name", "how", "first", "last")},
    )
    for start in range(0, len(rows), CHUNK):
        await connection.execute(statement, rows[start : start + CHUNK])
