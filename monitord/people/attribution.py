"""Whose the ledgers' rows are, where an endpoint is given from a date that has passed.

A row of an endpoint that nobody owned carries the endpoint's own id, ``pbx/PJSIP/1001``, in the
place of a person's. Where the roster now says whose it was when the row began, the row becomes
theirs. A row that names a person is never given to another (docs/decisions/0006).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import structlog
from msgspec import Struct
from sqlalchemy import Column, Table, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.people.people import People
from monitord.people.roster import Ownership, Roster
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.turns import in_turn

RETRY_S = 5.0
CHUNK = 500

_PLACES: tuple[tuple[str, Table, Column[Any], Column[Any]], ...] = (
    (
        "supervisions by them",
        tables.supervision,
        tables.supervision.c.supervisor_id,
        tables.supervision.c.supervisor_name,
    ),
    (
        "supervisions of them",
        tables.supervision,
        tables.supervision.c.agent_id,
        tables.supervision.c.agent_name,
    ),
    (
        "notices of supervisions by them",
        tables.notice,
        tables.notice.c.supervisor_id,
        tables.notice.c.supervisor_name,
    ),
    (
        "notices to them",
        tables.notice,
        tables.notice.c.agent_id,
        tables.notice.c.agent_name,
    ),
    ("calls", tables.call, tables.call.c.agent_id, tables.call.c.agent_name),
    (
        "calls that they handed on",
        tables.call_part,
        tables.call_part.c.agent_id,
        tables.call_part.c.agent_name,
    ),
    (
        "intervals of status",
        tables.agent_status,
        tables.agent_status.c.agent_id,
        tables.agent_status.c.agent_name,
    ),
)
"""Where a row names somebody. Each of these ids begins an index."""


class Claim(Struct, frozen=True):
    """An endpoint that the roster knows an owner of, for a time that has begun."""

    endpoint: str
    person: str
    name: str
    since: int
    until: int | None


def claims(old: Roster, new: Roster, wall: int) -> list[Claim]:
    """The ownerships of ``new`` that cover a time which they did not cover before."""
    before = {o.id: o for o in old.owned}
    return [
        _claim(new, own)
        for own in new.owned
        if own.since < wall and _covers_more(before.get(own.id), own)
    ]


def _covers_more(old: Ownership | None, new: Ownership) -> bool:
    if old is None or (old.endpoint, old.person) != (new.endpoint, new.person):
        return True
    later = old.until is not None and (new.until is None or new.until > old.until)
    return new.since < old.since or later


def _claim(roster: Roster, own: Ownership) -> Claim:
    name = roster.people[own.person].name
    return Claim(own.endpoint, own.person, name, own.since, own.until)


Observe = Callable[[AsyncConnection, Collection[str]], Awaitable[None]]
"""Writes into the audit log, in the same transaction, what supervisions with these ids say now."""


Say = Callable[[AsyncConnection, list["Claim"], dict[str, int]], Awaitable[None]]
"""Writes there which rows became whose."""


async def attribute(
    connection: AsyncConnection, some: Iterable[Claim], observe: Observe
) -> dict[str, int]:
    """Give the ended rows that began in the time of a claim to its person. Gives how many, by
    kind of row, those without any left out.

    A row that runs still is not touched: whose it is the live state knows and writes.
    """
    by_endpoint: dict[str, list[Claim]] = {}
    for claim in some:
        by_endpoint.setdefault(claim.endpoint, []).append(claim)
    if not by_endpoint:
        return {}
    pbxs = list(await connection.scalars(select(tables.attachment.c.pbx)))
    owners = {f"{pbx}/{e}": claims for e, claims in by_endpoint.items() for pbx in pbxs}
    counts: dict[str, int] = {}
    supervisions: dict[str, None] = {}
    for what, table, who, name in _PLACES:
        changed = 0
        for party in await _present(connection, who, list(owners)):
            for claim in owners[party]:
                within = [who == party, table.c.started >= claim.since, table.c.ended.is_not(None)]
                if claim.until is not None:
                    within.append(table.c.started < claim.until)
                values = {who.name: claim.person, name.name: claim.name}
                change = update(table).where(*within).values(values).returning(table.c.id)
                ids = list(await connection.scalars(change))
                changed += len(ids)
                if table is tables.supervision:
                    supervisions.update(dict.fromkeys(ids))
        if changed:
            counts[what] = changed
    if supervisions:
        await observe(connection, supervisions)
    return counts


async def _present(connection: AsyncConnection, who: Column[Any], ids: list[str]) -> list[str]:
    """Those of the ids that there are rows of: of thousands, mostly few."""
    found: list[str] = []
    for start in range(0, len(ids), CHUNK):
        some = select(who).where(who.in_(ids[start : start + CHUNK])).distinct()
        found += await connection.scalars(some)
    return found


class Attribution:
    """Does it once more when the live state has taken a change over: what ended in between was
    still written under the endpoint's own id."""

    def __init__(
        self,
        people: People,
        engine: AsyncEngine,
        taken_over: Callable[[], Awaitable[None]],
        observe: Observe,
        say: Say,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """``taken_over`` waits until all PBXs know the people as they are, and what was recorded
        before that is written."""
        self._people = people
        self._engine = engine
        self._taken_over = taken_over
        self._observe = observe
        self._say = say
        self._clock = clock
        self._known = people.roster
        self._waiting: list[Claim] = []
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stop = people.listen(self._changed)

    def _changed(self) -> None:
        old, self._known = self._known, self._people.roster
        self._waiting += claims(old, self._known, self._clock())
        if self._waiting:
            self._idle.clear()
            self._some.set()

    async def settled(self) -> None:
        """Wait until nothing is left to be done."""
        await self._idle.wait()

    async def run(self) -> None:
        """Until cancelled."""
        log = structlog.get_logger("people")
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                some, self._waiting = self._waiting, []
                await self._taken_over()
                try:
                    counts = await uncut(self._write(some))
                except (SQLAlchemyError, OSError) as error:
                    log.warning("rows_not_attributed", why=reason_of(error))
                    self._waiting = some + self._waiting
                    self._some.set()
                    await asyncio.sleep(RETRY_S)
                    continue
                if counts:
                    log.info("rows_attributed", rows=sum(counts.values()))
                if not self._waiting:
                    self._idle.set()
        finally:
            self._stop()

    async def _write(self, some: list[Claim]) -> dict[str, int]:
        async with in_turn(self._engine) as connection:
            counts = await attribute(connection, some, self._observe)
            if counts:
                await self._say(connection, some, counts)
            return counts
