"""Talks, commitments and focuses in the database. Each act stands in the audit log, in the same
transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import structs
from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Actor, Entry, of_person
from monitord.audit.log import AuditLog
from monitord.coaching.records import CommitmentRow, Compared, FocusRow, ReviewRow
from monitord.coaching.rules import Rule
from monitord.domain.words import CommitmentState, FlagState, Polarity, ReviewPattern
from monitord.flags.counts import week_of
from monitord.store import tables
from monitord.store.engine import reason_of, uncut
from monitord.store.history import rows_of
from monitord.store.listed import listed
from monitord.store.turns import in_turn

T = TypeVar("T")
R = TypeVar("R", ReviewRow, CommitmentRow, FocusRow)

FOCUS_MOST = 1_000
"""Running ones that are read at once."""

COMMITMENTS_SHOWN = 200


class NotWrittenError(Exception):
    """The database did not take it, so nothing was changed."""


class UnderWayError(Exception):
    """The same person has a talk with that agent under way."""


class CoachingStore:
    """What reads raises ``UnreadableError`` where the database does not answer, what writes
    ``NotWrittenError``."""

    def __init__(self, engine: AsyncEngine, audit: AuditLog) -> None:
        self._engine = engine
        self._audit = audit

    # --- reading -----------------------------------------------------------------------------

    async def review(self, review: str) -> ReviewRow | None:
        some = select(tables.review).where(tables.review.c.id == review)
        rows = await rows_of(self._engine, some)
        return _read(rows[0], ReviewRow) if rows else None

    async def last_reviews(self, agents: Iterable[str]) -> dict[str, int]:
        """When the last talk with each of these agents ended; ms UTC."""
        c = tables.review.c
        among = c.agent_id.in_(select(listed(agents).c.value))
        some = (
            select(c.agent_id, func.max(c.ended).label("ended")).where(among).group_by(c.agent_id)
        )
        rows = await rows_of(self._engine, some)
        return {row["agent_id"]: row["ended"] for row in rows if row["ended"] is not None}

    async def reviews(self, agent: str, limit: int) -> list[ReviewRow]:
        """The latest first."""
        c = tables.review.c
        some = select(tables.review).where(c.agent_id == agent)
        some = some.order_by(c.begun.desc(), c.id.desc()).limit(limit)
        return [_read(row, ReviewRow) for row in await rows_of(self._engine, some)]

    async def under_way(self, agents: Iterable[str], by: str) -> dict[str, str]:
        """Id of the talk that somebody has under way with each of these agents."""
        c = tables.review.c
        among = c.agent_id.in_(select(listed(agents).c.value))
        some = select(c.agent_id, c.id).where(among, c.by_id == by, c.ended.is_(None))
        return {row["agent_id"]: row["id"] for row in await rows_of(self._engine, some)}

    async def patterns(self, agents: Iterable[str]) -> dict[str, ReviewPattern]:
        """Those that were chosen."""
        c = tables.review_pattern.c
        some = select(c.agent_id, c.pattern).where(c.agent_id.in_(select(listed(agents).c.value)))
        rows = await rows_of(self._engine, some)
        return {row["agent_id"]: ReviewPattern(row["pattern"]) for row in rows}

    async def open_flags(self, agents: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Of each of these agents who has any: how many, and when the oldest was made."""
        c = tables.flag.c
        among = c.agent_id.in_(select(listed(agents).c.value)), c.state == FlagState.OPEN
        some = select(c.agent_id, func.count().label("flags"), func.min(c.made).label("oldest"))
        rows = await rows_of(self._engine, some.where(*among).group_by(c.agent_id))
        return {row["agent_id"]: (row["flags"], row["oldest"]) for row in rows}

    async def commitment(self, commitment: str) -> CommitmentRow | None:
        some = select(tables.commitment).where(tables.commitment.c.id == commitment)
        rows = await rows_of(self._engine, some)
        return _read(rows[0], CommitmentRow) if rows else None

    async def commitments(
        self, agents: Iterable[str], state: CommitmentState | None = None
    ) -> list[CommitmentRow]:
        """The latest first, 200 at most."""
        c = tables.commitment.c
        where: list[ColumnElement[bool]] = [c.agent_id.in_(select(listed(agents).c.value))]
        if state is not None:
            where.append(c.state == state)
        some = select(tables.commitment).where(*where).order_by(c.made.desc(), c.id.desc())
        rows = await rows_of(self._engine, some.limit(COMMITMENTS_SHOWN))
        return [_read(row, CommitmentRow) for row in rows]

    async def open_commitments(self, agents: Iterable[str]) -> dict[str, int]:
        """How many are open, of each of these agents who has any."""
        c = tables.commitment.c
        among = c.agent_id.in_(select(listed(agents).c.value)), c.state == CommitmentState.OPEN
        some = select(c.agent_id, func.count().label("open")).where(*among).group_by(c.agent_id)
        return {row["agent_id"]: row["open"] for row in await rows_of(self._engine, some)}

    async def texts(self, commitments: Iterable[str | None]) -> dict[str, str]:
        """What was agreed, by id."""
        c = tables.commitment.c
        wanted = [one for one in commitments if one is not None]
        some = select(c.id, c.text).where(c.id.in_(select(listed(wanted).c.value)))
        return {row["id"]: row["text"] for row in await rows_of(self._engine, some)}

    async def focus(self, focus: str) -> FocusRow | None:
        rows = await rows_of(self._engine, select(tables.focus).where(tables.focus.c.id == focus))
        return _read(rows[0], FocusRow) if rows else None

    async def running(self, agents: frozenset[str] | None) -> list[FocusRow]:
        """Of these agents; None: of all. The first begun first, 1,000 at most."""
        c = tables.focus.c
        where: list[ColumnElement[bool]] = [c.end.is_(None)]
        if agents is not None:
            where.append(c.agent_id.in_(select(listed(agents).c.value)))
        some = select(tables.focus).where(*where).order_by(c.begin, c.id).limit(FOCUS_MOST)
        return [_read(row, FocusRow) for row in await rows_of(self._engine, some)]

    async def compared(self, focus: FocusRow, bounds: Sequence[int]) -> list[Compared]:
        """Flags that the focus is about in each week, the oldest first. ``bounds``: beginnings of
        the weeks, and the end of the last one; ms UTC."""
        c, call = tables.flag.c, tables.call.c
        where = [
            c.agent_id == focus.agent_id,
            c.state != FlagState.TAKEN_OFF,
            c.made >= bounds[0],
            c.made < bounds[-1],
        ]
        labels = focus.rule.labels
        if labels:
            alike = [func.lower(call[name]) == value.lower() for name, value in labels.items()]
            where.append(c.call.in_(select(call.id).where(*alike)))
        elif focus.rule.theme is not None:
            where.append(c.themes.contains(f'"{focus.rule.theme}"', autoescape=True))
        one = select(c.polarity, week_of(c.made, bounds)).where(*where).subquery()
        count = select(one.c.week, one.c.polarity, func.count().label("flags"))
        weeks = [Compared()] * (len(bounds) - 1)
        for row in await rows_of(self._engine, count.group_by(one.c.week, one.c.polarity)):
            field = "good" if row["polarity"] == Polarity.GOOD else "bad"
            weeks[row["week"]] = structs.replace(weeks[row["week"]], **{field: row["flags"]})
        return weeks

    # --- writing -----------------------------------------------------------------------------

    async def begin(self, review: ReviewRow) -> ReviewRow:
        """As it stands: what was sent twice is begun once.

        Raises:
            UnderWayError: there is another one.
        """

        async def write(connection: AsyncConnection) -> ReviewRow:
            old = await _find(connection, tables.review, review.id, ReviewRow)
            if old is not None:
                return old
            c = tables.review.c
            mine = c.agent_id == review.agent_id, c.by_id == review.by_id, c.ended.is_(None)
            if await connection.scalar(select(c.id).where(*mine)) is not None:
                raise UnderWayError
            await connection.execute(insert(tables.review).values(_values(review)))
            by = Actor(review.by_id, review.by_name)
            plain = {"pattern": review.pattern, "flags": list(review.flags)}
            await self._said(connection, "begin review", review.id, by, review, plain)
            return review

        return await self._in_turn(write)

    async def end(
        self,
        review: ReviewRow,
        commitments: Sequence[CommitmentRow],
        focuses: Sequence[FocusRow],
        by: Actor,
    ) -> ReviewRow:
        """What was agreed begins, and with it another focus: the one before is over then. One that
        has ended already stays as it is."""
        assert review.ended is not None
        now = review.ended

        async def write(connection: AsyncConnection) -> ReviewRow:
            old = await _find(connection, tables.review, review.id, ReviewRow)
            if old is not None and old.ended is not None:
                return old
            done = update(tables.review).where(tables.review.c.id == review.id)
            await connection.execute(done.values(ended=now))
            if focuses:
                c = tables.focus.c
                before = c.agent_id == review.agent_id, c.end.is_(None)
                await connection.execute(update(tables.focus).where(*before).values(end=now))
            for commitment in commitments:
                await connection.execute(insert(tables.commitment).values(_values(commitment)))
            for focus in focuses:
                await connection.execute(insert(tables.focus).values(_values(focus)))
            said: dict[str, Any] = {"agreed": [commitment.text for commitment in commitments]}
            if focuses:
                said["focus"] = [_given(focus.rule) for focus in focuses]
            await self._said(connection, "end review", review.id, by, review, {}, said)
            return review

        return await self._in_turn(write)

    async def settle(self, action: str, new: CommitmentRow, by: Actor) -> CommitmentRow:
        """What became of it."""

        async def write(connection: AsyncConnection) -> CommitmentRow:
            c = tables.commitment.c
            values = {name: value for name, value in _values(new).items() if name != "id"}
            await connection.execute(update(tables.commitment).where(c.id == new.id).values(values))
            if new.state is not CommitmentState.OPEN:
                # What is not worked on any more is not looked for any more.
                f = tables.focus.c
                over = f.commitment == new.id, f.end.is_(None)
                await connection.execute(update(tables.focus).where(*over).values(end=new.settled))
            said = {"text": new.text} | ({"why": new.settled_why} if new.settled_why else {})
            await self._said(connection, action, new.id, by, new, {"state": new.state}, said)
            return new

        return await self._in_turn(write)

    async def end_focus(self, focus: FocusRow, by: Actor) -> None:
        async def write(connection: AsyncConnection) -> None:
            c = tables.focus.c
            over = update(tables.focus).where(c.id == focus.id).values(end=focus.end)
            await connection.execute(over)
            said = {"focus": _given(focus.rule)}
            await self._said(connection, "end focus", focus.id, by, focus, {}, said)

        await self._in_turn(write)

    async def choose(
        self, agent: tuple[str, str], pattern: ReviewPattern | None, by: Actor
    ) -> None:
        """``agent``: id and name. None: as usual again."""

        async def write(connection: AsyncConnection) -> None:
            c = tables.review_pattern.c
            await connection.execute(delete(tables.review_pattern).where(c.agent_id == agent[0]))
            if pattern is not None:
                row = {"agent_id": agent[0], "pattern": pattern}
                await connection.execute(insert(tables.review_pattern).values(row))
            entry = Entry(
                action="choose review pattern",
                actor=by,
                plain={"pattern": pattern},
                personal=(of_person(agent[0], target=agent[0], agent=agent[1]),),
            )
            await self._audit.append(connection, [entry])

        await self._in_turn(write)

    async def _in_turn(self, write: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def all_of() -> T:
            async with in_turn(self._engine) as connection:
                return await write(connection)

        try:
            return await uncut(all_of())
        except (SQLAlchemyError, OSError) as error:
            raise NotWrittenError(reason_of(error)) from None

    async def _said(
        self,
        connection: AsyncConnection,
        action: str,
        target: str,
        by: Actor,
        on: ReviewRow | CommitmentRow | FocusRow,
        plain: dict[str, Any],
        said: dict[str, Any] | None = None,
    ) -> None:
        entry = Entry(
            action=action,
            actor=by,
            target=target,
            plain=plain,
            personal=(of_person(on.agent_id, agent=on.agent_name, **(said or {})),),
        )
        await self._audit.append(connection, [entry])


def _values(row: ReviewRow | CommitmentRow | FocusRow) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(row)
    for name in ("flags", "rule"):
        if name in values:
            values[name] = msgspec.json.encode(values[name]).decode()
    return values


def _read(row: Any, cls: type[R]) -> R:
    values = {str(name): value for name, value in row.items()}
    for name in ("flags", "rule"):
        if name in values:
            values[name] = msgspec.json.decode(values[name])
    return msgspec.convert(values, cls, strict=False)


async def _find(connection: AsyncConnection, table: Table, key: str, cls: type[R]) -> R | None:
    found = await connection.execute(select(table).where(table.c.id == key).with_for_update())
    row = found.mappings().first()
    return None if row is None else _read(row, cls)


def _given(rule: Rule) -> dict[str, str]:
    return rule.labels | ({"theme": rule.theme} if rule.theme is not None else {})
