"""Flags in the database. Each act on one stands in the audit log, in the same transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Actor, Entry, of_person
from monitord.audit.log import AuditLog
from monitord.domain.ledger import CallRecord
from monitord.domain.words import AnswerKind, FlagState, Polarity
from monitord.flags.outgoing import NOTHING, TOLD, Outgoing
from monitord.outbox.store import put
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.history import rows_of
from monitord.store.listed import listed
from monitord.store.rows import record_of
from monitord.store.turns import in_turn

T = TypeVar("T")

ANSWERS_MOST = 20
"""Of one flag."""

SHOWN_AT_A_TIME = 500

CALLED_MOST = 20
"""Calls that one name is looked up to."""

Place = tuple[int, str]
"""When the last row of the page before was made, and its id."""


class FlagRow(Struct, frozen=True, kw_only=True):
    id: str
    pbx: str
    call: str
    call_id: str
    agent_id: str
    agent_name: str
    agent_endpoint: str
    by_id: str
    by_name: str
    polarity: Polarity
    comment: str
    wanted: str
    themes: tuple[str, ...]
    moment: int | None
    offset_ms: int | None
    state: FlagState
    made: int
    changed: int | None = None
    settled: int | None = None
    settled_by_id: str | None = None
    settled_by_name: str | None = None
    settled_why: str | None = None
    visible: bool = False
    shared: int | None = None


class AnswerRow(Struct, frozen=True, kw_only=True):
    id: str
    flag: str
    agent_id: str
    kind: AnswerKind
    text: str
    at: int


class VersionRow(Struct, frozen=True, kw_only=True):
    """What a flag said before an edit."""

    flag: str
    n: int
    polarity: Polarity
    comment: str
    wanted: str
    themes: tuple[str, ...]
    until: int


class Wanted(Struct, frozen=True, kw_only=True):
    """Which flags; what is None does not matter."""

    within: frozenset[str] | None = None
    """Agents; None: everybody."""
    agents: frozenset[str] | None = None
    """Of these alone, such as somebody's direct reports."""
    by: str | None = None
    calls: tuple[str, ...] | None = None
    """Internal ids."""
    state: FlagState | None = None
    polarity: Polarity | None = None
    theme: str | None = None
    begin: int | None = None
    end: int | None = None
    visible: bool | None = None
    shared: bool = False
    """Only those that are shared with the agent's team."""


class NotWrittenError(Exception):
    """The database did not take it, so nothing was changed."""


class ChangedError(Exception):
    """Somebody else changed it meanwhile; it is as ``now`` says."""

    def __init__(self, now: FlagRow) -> None:
        super().__init__(now.id)
        self.now = now


_F = tables.flag.c


class FlagStore:
    """What reads raises ``UnreadableError`` where the database does not answer, what writes
    ``NotWrittenError``."""

    def __init__(
        self,
        engine: AsyncEngine,
        audit: AuditLog,
        outgoing: Outgoing = NOTHING,
        posted: Callable[[], None] = lambda: None,
    ) -> None:
        """``posted`` is called when there may be rows for webhooks and mail."""
        self._engine = engine
        self._audit = audit
        self._outgoing, self._posted = outgoing, posted

    # --- reading -----------------------------------------------------------------------------

    async def one(self, flag: str) -> FlagRow | None:
        rows = await rows_of(self._engine, select(tables.flag).where(_F.id == flag))
        return _flag(rows[0]) if rows else None

    async def some(self, flags: Iterable[str]) -> list[FlagRow]:
        """Those of these ids that there are, in no order."""
        among = _F.id.in_(select(listed(flags).c.value))
        return [_flag(row) for row in await rows_of(self._engine, select(tables.flag).where(among))]

    async def page(
        self, wanted: Wanted, limit: int, after: Place | None
    ) -> tuple[list[FlagRow], Place | None]:
        """Newest first, and where the next page begins; None at the end."""
        some = select(tables.flag).where(*_where(wanted))
        if after is not None:
            some = some.where(tuple_(_F.made, _F.id) < tuple_(*after))
        some = some.order_by(_F.made.desc(), _F.id.desc()).limit(limit + 1)
        rows = [_flag(row) for row in await rows_of(self._engine, some)]
        last = rows[limit - 1] if len(rows) > limit else None
        return rows[:limit], None if last is None else (last.made, last.id)

    async def count(self, wanted: Wanted) -> int:
        some = select(func.count().label("rows")).select_from(tables.flag).where(*_where(wanted))
        rows = await rows_of(self._engine, some)
        return int(rows[0]["rows"])

    async def of_calls(self, calls: Iterable[str]) -> list[FlagRow]:
        """Those that were not taken off, the first made first."""
        # All calls that run, after a start: more than a database takes as parameters.
        among = _F.call.in_(select(listed(calls).c.value))
        some = select(tables.flag).where(among, _F.state != FlagState.TAKEN_OFF)
        return [_flag(row) for row in await rows_of(self._engine, some.order_by(_F.made, _F.id))]

    async def answers(self, flags: Iterable[str]) -> dict[str, list[AnswerRow]]:
        """Of each of these flags that has any, in their order."""
        c = tables.flag_answer.c
        some = select(tables.flag_answer).where(c.flag.in_(list(flags))).order_by(c.at, c.id)
        found: dict[str, list[AnswerRow]] = {}
        for row in await rows_of(self._engine, some):
            found.setdefault(row["flag"], []).append(record_of(row, AnswerRow))
        return found

    async def versions(self, flag: str) -> list[VersionRow]:
        """What it said before, in the order of the edits."""
        c = tables.flag_version.c
        rows = await rows_of(
            self._engine, select(tables.flag_version).where(c.flag == flag).order_by(c.n)
        )
        return [msgspec.convert(_themed(row), VersionRow, strict=False) for row in rows]

    async def calls_named(self, name: str) -> list[CallRecord]:
        """Calls with this internal id, Call ID, linkedid or uniqueid, the newest first."""
        call, alias = tables.call, tables.call_alias.c
        found = or_(call.c.id == name, call.c.id.in_(select(alias.call).where(alias.alias == name)))
        some = select(call).where(found).order_by(call.c.started.desc(), call.c.id.desc())
        return [
            record_of(row, CallRecord)
            for row in await rows_of(self._engine, some.limit(CALLED_MOST))
        ]

    # --- writing -----------------------------------------------------------------------------

    async def make(self, flag: FlagRow) -> tuple[FlagRow, bool]:
        """The flag as it stands, and whether it is new: what was sent twice is made once."""

        async def write(connection: AsyncConnection) -> tuple[FlagRow, bool]:
            old = await _find(connection, flag.id)
            if old is not None:
                return old, False
            await connection.execute(insert(tables.flag).values(_values(flag)))
            await self._said(connection, "flag call", flag, shown=flag.visible, **_text(flag))
            return flag, True

        return await self._in_turn(write)

    async def edit(self, old: FlagRow, new: FlagRow, by: Actor) -> FlagRow:
        """
        Raises:
            ChangedError: it is no longer as ``old``.
        """

        async def write(connection: AsyncConnection) -> FlagRow:
            await _same(connection, old)
            c = tables.flag_version.c
            last = select(func.coalesce(func.max(c.n), 0)).where(c.flag == old.id)
            n = (await connection.scalar(last) or 0) + 1
            before = {name: _values(old)[name] for name in _text(old)}
            await connection.execute(
                insert(tables.flag_version).values(flag=old.id, n=n, until=new.changed, **before)
            )
            await _put(connection, new)
            texts: dict[str, Any] = {"was": _text(old), "is": _text(new)}
            await self._said(connection, "change flag", new, by, **texts)
            return new

        return await self._in_turn(write)

    async def settle(self, action: str, old: FlagRow, new: FlagRow, by: Actor) -> FlagRow:
        """Reviewed, taken off, opened again, or shared with the team.

        Raises:
            ChangedError: it is no longer as ``old``.
        """

        async def write(connection: AsyncConnection) -> FlagRow:
            await _same(connection, old)
            await _put(connection, new)
            more: dict[str, Any] = {"why": new.settled_why} if new.settled_why else {}
            shown = new.visible and not old.visible
            await self._said(connection, action, new, by, shown=shown, **more)
            return new

        return await self._in_turn(write)

    async def answer(self, flag: FlagRow, answer: AnswerRow, by: Actor) -> bool:
        """Whether there was room for it."""

        async def write(connection: AsyncConnection) -> bool:
            c = tables.flag_answer.c
            some = select(func.count()).select_from(tables.flag_answer).where(c.flag == flag.id)
            if (await connection.scalar(some) or 0) >= ANSWERS_MOST:
                return False
            await connection.execute(insert(tables.flag_answer).values(msgspec.to_builtins(answer)))
            said: dict[str, Any] = {"answer": answer.kind, "text": answer.text}
            await self._said(connection, "answer flag", flag, by, given=answer, **said)
            return True

        return await self._in_turn(write)

    async def _in_turn(self, write: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def all_of() -> T:
            async with in_turn(self._engine) as connection:
                return await write(connection)

        try:
            done = await uncut(all_of())
            self._posted()
            return done
        except (SQLAlchemyError, OSError) as error:
            raise NotWrittenError(reason_of(error)) from None

    async def _said(
        self,
        connection: AsyncConnection,
        action: str,
        flag: FlagRow,
        by: Actor | None = None,
        *,
        shown: bool = False,
        given: AnswerRow | None = None,
        **values: Any,
    ) -> None:
        """``shown``: from now on the agent sees it. ``given``: the answer that it is about."""
        actor = by or Actor(flag.by_id, flag.by_name)
        # Why somebody did it is theirs; all else is of the agent.
        why = {"why": values.pop("why")} if "why" in values else {}
        personal = (
            of_person(flag.agent_id, agent=flag.agent_name, call_id=flag.call_id, **values),
            of_person(actor.id, **why),
        )
        entry = Entry(
            action=action,
            actor=actor,
            target=flag.id,
            plain={"state": flag.state},
            personal=personal,
        )
        (n,) = await self._audit.append(connection, [entry])
        await put(connection, list(self._outgoing.of(TOLD[action], flag, actor, n, answer=given)))
        if shown:
            await put(connection, list(self._outgoing.shown(flag.agent_id, n)))

    async def shown(
        self, connection: AsyncConnection, flags: Collection[str], by: Actor, act: int
    ) -> None:
        """In the transaction in which flags that were hidden are shown to their agents: one
        message for each flag, and one mail for each agent."""
        agents: set[str] = set()
        ids = sorted(flags)
        for start in range(0, len(ids), SHOWN_AT_A_TIME):
            some = ids[start : start + SHOWN_AT_A_TIME]
            found = await connection.execute(select(tables.flag).where(_F.id.in_(some)))
            rows = [_flag(row) for row in found.mappings()]
            agents.update(row.agent_id for row in rows)
            out = (self._outgoing.of("shown to the agent", row, by, act) for row in rows)
            await put(connection, list(chain.from_iterable(out)))
        mails = (self._outgoing.shown(agent, act) for agent in sorted(agents))
        await put(connection, list(chain.from_iterable(mails)))

    def posted(self) -> None:
        """That was committed."""
        self._posted()


def _where(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for agents in (wanted.within, wanted.agents):
        if agents is not None:
            found.append(_F.agent_id.in_(select(listed(agents).c.value)))
    same: Mapping[Any, Any] = {
        _F.by_id: wanted.by,
        _F.state: wanted.state,
        _F.polarity: wanted.polarity,
        _F.visible: wanted.visible,
    }
    found += [column == value for column, value in same.items() if value is not None]
    if wanted.calls is not None:
        found.append(_F.call.in_(wanted.calls))
    if wanted.theme is not None:
        found.append(_F.themes.contains(f'"{wanted.theme}"', autoescape=True))
    if wanted.shared:
        found.append(_F.shared.is_not(None))
    if wanted.begin is not None:
        found.append(_F.made >= wanted.begin)
    if wanted.end is not None:
        found.append(_F.made < wanted.end)
    return found


def _themed(row: Any) -> dict[str, Any]:
    return {str(k): v for k, v in row.items()} | {"themes": msgspec.json.decode(row["themes"])}


def _flag(row: Any) -> FlagRow:
    return msgspec.convert(_themed(row), FlagRow, strict=False)


def _values(flag: FlagRow) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(flag)
    return values | {"themes": msgspec.json.encode(flag.themes).decode()}


def _text(flag: FlagRow) -> dict[str, Any]:
    """What somebody said with it, which an edit can change."""
    return {
        "polarity": flag.polarity,
        "comment": flag.comment,
        "wanted": flag.wanted,
        "themes": list(flag.themes),
    }


async def _find(connection: AsyncConnection, flag: str) -> FlagRow | None:
    found = await connection.execute(select(tables.flag).where(_F.id == flag).with_for_update())
    row = found.mappings().first()
    return None if row is None else _flag(row)


async def _same(connection: AsyncConnection, old: FlagRow) -> None:
    now = await _find(connection, old.id)
    if now is not None and now != old:
        raise ChangedError(now)


async def _put(connection: AsyncConnection, new: FlagRow) -> None:
    values = {name: value for name, value in _values(new).items() if name != "id"}
    await connection.execute(update(tables.flag).where(_F.id == new.id).values(values))
