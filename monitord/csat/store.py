"""Scores in the database.

A score keeps the name of the call that came with it. It is tied to the call of that name: at once
where the ledger has it, else as soon as it does; until then it waits.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import structlog
from msgspec import Struct
from sqlalchemy import Select, and_, func, insert, or_, select, union, union_all, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Actor, Entry
from monitord.audit.log import AuditLog
from monitord.csat.rules import Scale
from monitord.domain.ledger import AliasRecord, ScoreRecord
from monitord.domain.words import ScoreSource
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.history import rows_of
from monitord.store.listed import listed
from monitord.store.rows import record_of, row_of
from monitord.store.turns import in_turn

WAITING_MOST = 50_000
"""Scores without a call; beyond that no more of them are taken."""

TIED_MOST = 1_000
"""In one transaction."""

OF_CALL_MOST = 50
"""Scores of one call that are shown."""

EVERY_S = 2.0
"""From one look for calls of waiting scores to the next at least."""

TRIED_MS = 7 * 86_400_000
"""How long a call is looked for each time new ones are known; an older score is tried again at a
start only."""

_S = tables.score.c

What = Literal["new", "newer", "waiting", "repeated", "other value"]
"""``newer``: the call had another score, which is kept. ``other value``: under this reference there
is another score already."""


class Given(Struct, frozen=True, kw_only=True):
    """A score as somebody sends it."""

    call: str
    """Internal id of the call, its Call ID, or any linkedid or uniqueid seen for it."""
    value: int
    at: int | None = None
    reference: str | None = None


class Sender(Struct, frozen=True, kw_only=True):
    who: Actor
    source: ScoreSource
    scale: Scale
    received: int
    pbx: str | None = None


class Named(Struct, frozen=True):
    """A call that a name stands for."""

    id: str
    pbx: str
    call_id: str
    agent_id: str | None
    agent_name: str | None
    started: int


class Outcome(Struct, frozen=True):
    what: What
    row: ScoreRecord
    call: Named | None


class FullError(Exception):
    """There is no room for more scores without a call."""


class NotWrittenError(Exception):
    """The database did not take it, so nothing was changed."""


class OutOfReachError(Exception):
    """Somebody may give scores to other calls only."""


class ScoreStore:
    """What reads raises ``UnreadableError`` where the database does not answer, what writes
    ``NotWrittenError``."""

    def __init__(self, engine: AsyncEngine, audit: AuditLog) -> None:
        self._engine, self._audit = engine, audit
        self.waiting = 0
        """Scores without a call, when they were counted last."""
        self._some = asyncio.Event()
        self._log = structlog.get_logger("csat")

    # --- reading -----------------------------------------------------------------------------

    async def of_call(self, call: str) -> list[ScoreRecord]:
        """The latest first: that is the one that counts."""
        some = select(tables.score).where(_S.call == call)
        some = some.order_by(_S.at.desc(), _S.received.desc(), _S.id).limit(OF_CALL_MOST)
        return [record_of(row, ScoreRecord) for row in await rows_of(self._engine, some)]

    async def first_received(self, calls: Iterable[str]) -> dict[str, int]:
        """When the first score of each of these calls came to monitord, where it has any."""
        among = _S.call.in_(select(listed(set(calls)).c.value))
        some = select(_S.call, func.min(_S.received).label("first")).where(among)
        rows = await rows_of(self._engine, some.group_by(_S.call))
        return {row["call"]: row["first"] for row in rows}

    async def count(self) -> tuple[int, int]:
        """How many belong to a call, and how many wait for theirs."""
        of_calls, every = func.count(_S.call).label("tied"), func.count().label("every")
        some: Select[Any] = select().add_columns(of_calls, every).select_from(tables.score)
        found = (await rows_of(self._engine, some))[0]
        return found["tied"], found["every"] - found["tied"]

    # --- writing -----------------------------------------------------------------------------

    async def give(
        self,
        given: Sequence[Given],
        sender: Sender,
        *,
        may: Callable[[Named | None], bool] = lambda call: True,
        entries: Callable[[list[Outcome]], list[Entry]] = lambda outcomes: [],
        dry: bool = False,
    ) -> list[Outcome]:
        """All of them or none. ``may``: whether one of that call is taken from whoever sends it.
        ``entries``: what the audit log says of it. ``dry``: nothing is written.

        Raises:
            FullError, OutOfReachError: nothing was written.
        """

        async def all_of() -> list[Outcome]:
            if dry:
                async with self._engine.connect() as connection:
                    return await _planned(connection, given, sender, may)
            async with in_turn(self._engine) as connection:
                outcomes = await _planned(connection, given, sender, may)
                rows = [row_of(o.row) for o in outcomes if o.what in ("new", "newer", "waiting")]
                more = sum(row["call"] is None for row in rows)
                if more and await _waiting(connection) + more > WAITING_MOST:
                    raise FullError
                if rows:
                    await connection.execute(insert(tables.score), rows)
                await self._audit.append(connection, entries(outcomes))
                return outcomes

        try:
            outcomes = await uncut(all_of())
        except (SQLAlchemyError, OSError) as error:
            raise NotWrittenError(reason_of(error)) from None
        if not dry and any(o.what == "waiting" for o in outcomes):
            self.waiting += sum(o.what == "waiting" for o in outcomes)
            self._some.set()  # its call may have been written meanwhile
        return outcomes

    # --- tying -------------------------------------------------------------------------------

    def written(self, kinds: frozenset[type]) -> None:
        """Such records were committed."""
        if ScoreRecord in kinds or (self.waiting and AliasRecord in kinds):
            self._some.set()

    async def run(self, clock: Callable[[], int]) -> None:
        """Until cancelled: ties what waits, whenever there may be something new."""
        since = 0
        while True:
            self._some.clear()
            try:
                await uncut(self.tie(since))
                since = clock() - TRIED_MS
            except (SQLAlchemyError, OSError) as error:
                self._log.warning("scores_not_tied", why=reason_of(error))
                self._some.set()
            await asyncio.sleep(EVERY_S if self.waiting else 0.05)
            await self._some.wait()

    async def tie(self, since: int = 0) -> int:
        """Scores that waited and were received since then, to calls that are known now. Gives how
        many. Whether there are any is looked up before anybody is kept from writing.

        Raises:
            SQLAlchemyError, OSError: they stay as they are.
        """
        call, alias = tables.call.c, tables.call_alias.c
        waits = and_(_S.call.is_(None), _S.received >= since)
        of_pbx = or_(_S.pbx.is_(None), _S.pbx == alias.pbx)
        by_alias = select(_S.id).where(waits, alias.alias == _S.given, of_pbx)
        by_id = select(_S.id).where(waits, call.id == _S.given)
        tied = 0
        while True:
            async with self._engine.connect() as connection:
                ids = list(await connection.scalars(union(by_alias, by_id).limit(TIED_MOST)))
                self.waiting = await _waiting(connection)
            done = 0
            if ids:
                async with in_turn(self._engine) as connection:
                    some = select(tables.score).where(_S.id.in_(ids), _S.call.is_(None))
                    found = (await connection.execute(some)).mappings().all()
                    done = await _tie(connection, [record_of(row, ScoreRecord) for row in found])
            tied += done
            if not done:
                return tied


async def _waiting(connection: AsyncConnection) -> int:
    some = select(func.count()).select_from(tables.score).where(_S.call.is_(None))
    return await connection.scalar(some) or 0


async def _tie(connection: AsyncConnection, rows: list[ScoreRecord]) -> int:
    calls = await _calls(connection, {row.given for row in rows})
    found = [(row, _best(calls.get(row.given, []), row.at, row.pbx)) for row in rows]
    known = [(row, call) for row, call in found if call is not None]
    there = await _references(connection, {call.id for _, call in known})
    for row, call in known:
        if (call.id, row.reference) in there:
            # The same score came by another name of the call before.
            await connection.execute(tables.score.delete().where(_S.id == row.id))
            continue
        there[call.id, row.reference] = row
        change = update(tables.score).where(_S.id == row.id, _S.call.is_(None))
        await connection.execute(change.values(call=call.id, pbx=call.pbx))
    return len(known)


async def _calls(connection: AsyncConnection, names: Iterable[str]) -> dict[str, list[Named]]:
    """Calls by the names that they were asked for by."""
    call, alias, named = tables.call.c, tables.call_alias.c, listed(set(names)).c.value
    columns = (call.id, call.pbx, call.call_id, call.agent_id, call.agent_name, call.started)
    by_id = select(named.label("name"), *columns).where(call.id == named)
    by_alias = select(named.label("name"), *columns).where(
        alias.alias == named, call.id == alias.call
    )
    found: dict[str, list[Named]] = {}
    for row in await connection.execute(union_all(by_id, by_alias)):
        name, *rest = row
        found.setdefault(name, []).append(Named(*rest))
    return found


def _best(calls: list[Named], at: int, pbx: str | None) -> Named | None:
    """Of several that a name stands for, such as one for each agent who had it, the last one that
    had begun by then: whoever the customer spoke to last is whom they were asked about."""
    fits = [call for call in calls if pbx is None or call.pbx == pbx]
    return max(fits, key=lambda c: (c.started <= at, c.started, c.id), default=None)


async def _references(
    connection: AsyncConnection, calls: Iterable[str]
) -> dict[tuple[str, str], ScoreRecord]:
    some = select(tables.score).where(_S.call.in_(select(listed(set(calls)).c.value)))
    rows = (await connection.execute(some)).mappings().all()
    return {(row["call"], row["reference"]): record_of(row, ScoreRecord) for row in rows}


async def _planned(
    connection: AsyncConnection,
    given: Sequence[Given],
    sender: Sender,
    may: Callable[[Named | None], bool],
) -> list[Outcome]:
    calls = await _calls(connection, {one.call for one in given})
    best = {
        one: _best(calls.get(one.call, []), one.at or sender.received, sender.pbx) for one in given
    }
    of_calls = await _references(connection, {c.id for c in best.values() if c is not None})
    names = select(listed({one.call for one, call in best.items() if call is None}).c.value)
    some = select(tables.score).where(_S.call.is_(None), _S.given.in_(names))
    waiting = (await connection.execute(some)).mappings().all()
    there: dict[str, list[ScoreRecord]] = {}
    for row in (*of_calls.values(), *(record_of(row, ScoreRecord) for row in waiting)):
        there.setdefault(row.call or f"?{row.given}", []).append(row)
    outcomes = []
    for one in given:
        call = best[one]
        if not may(call):
            raise OutOfReachError(one.call)
        before = there.setdefault(call.id if call is not None else f"?{one.call}", [])
        outcome = _outcome(one, call, before, sender)
        if outcome.what in ("new", "newer", "waiting"):
            before.append(outcome.row)
        outcomes.append(outcome)
    return outcomes


def _outcome(one: Given, call: Named | None, before: list[ScoreRecord], sender: Sender) -> Outcome:
    at = sender.received if one.at is None else one.at
    if one.reference is not None:
        reference = f"ref:{one.reference}"
    elif one.at is not None:
        reference = f"at:{one.at}"
    else:
        reference = f"now:{sender.received}:{one.value}"
    same = next((row for row in before if row.reference == reference), None)
    if same is None and one.reference is None and one.at is None:
        # With nothing to tell it by, the score that counts already is the same one once more.
        latest = max(before, key=lambda row: (row.at, row.received), default=None)
        same = latest if latest is not None and latest.value == one.value else None
    if same is not None:
        return Outcome("repeated" if same.value == one.value else "other value", same, call)
    key = f"{call.id if call is not None else one.call}\x1f{reference}"
    row = ScoreRecord(
        id=hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=10).hexdigest(),
        pbx=call.pbx if call is not None else sender.pbx,
        given=one.call,
        call=call.id if call is not None else None,
        value=one.value,
        low=sender.scale.low,
        high=sender.scale.high,
        at=at,
        received=sender.received,
        source=sender.source,
        reference=reference,
        by_id=sender.who.id,
        by_name=sender.who.name,
    )
    if call is None:
        return Outcome("waiting", row, None)
    return Outcome("newer" if before else "new", row, call)
