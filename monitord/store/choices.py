"""What a filter of the history can be set to: the values that its ledger really holds.

Each distinct value is found by one look into an index ("loose index scan"), so that it costs the
same whether a campaign has ten rows or ten million.

Who may read only some people's rows gets the people among these who have any, and of other values
those in the newest rows of each: an index for every value by every person would cost more with
each call than it is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.store import tables
from monitord.store.listed import listed, newest_of_each

SCANNED_MOST = 5_000
"""Distinct values of one column that are looked at."""

ROWS_MOST, EACH_LEAST = 50_000, 50
"""Newest rows that are looked through for those who may read only some people's, and how many of
each person at least."""

LedgerName = Literal["supervisions", "calls", "agent-status"]


@dataclass(frozen=True, slots=True)
class Source:
    """A column of which an index begins with it, and for people the column of their name."""

    column: Column[Any]
    name: Column[Any] | None = None

    @property
    def open(self) -> bool:
        """To everybody who reads history: which PBXs there are is no secret."""
        return self.column.name == "pbx"


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    name: str
    """What people call it; the value itself where it has no other name."""


def _agents(table: Any) -> Source:
    return Source(table.c.agent_id, table.c.agent_name)


_supervision, _segment, _call = tables.supervision.c, tables.segment.c, tables.call.c
SOURCES: dict[tuple[str, str], tuple[Source, ...]] = {
    ("supervisions", "supervisor"): (
        Source(_supervision.supervisor_id, _supervision.supervisor_name),
    ),
    ("supervisions", "agent"): (_agents(tables.supervision),),
    ("supervisions", "campaign"): (Source(_supervision.campaign), Source(_segment.campaign)),
    ("supervisions", "pbx"): (Source(_supervision.pbx),),
    ("calls", "agent"): (_agents(tables.call),),
    ("calls", "campaign"): (Source(_call.campaign),),
    ("calls", "list"): (Source(_call.list),),
    ("calls", "result"): (Source(_call.result),),
    ("calls", "queue"): (Source(_call.queue),),
    ("calls", "pbx"): (Source(_call.pbx),),
    ("agent-status", "agent"): (_agents(tables.agent_status),),
    ("agent-status", "pbx"): (Source(tables.agent_status.c.pbx),),
}
"""By ledger and filter."""


async def choices(
    connection: AsyncConnection,
    sources: tuple[Source, ...],
    typed: str,
    most: int,
    within: frozenset[str] | None = None,
) -> tuple[list[Choice], bool]:
    """Values of which the name or the value itself contains what was typed, in the names' order,
    and whether there are (or may be) more than these."""
    found: dict[str, Choice] = {}
    cut = False
    for source in sources:
        if within is None or source.open:
            rows = list((await connection.execute(_distinct(source))).all())
            cut = cut or len(rows) > SCANNED_MOST
        else:
            rows, more = await _in_reach(connection, source, within)
            cut = cut or more
        for value, *name in rows[:SCANNED_MOST]:
            if value:
                found.setdefault(value, Choice(value, (name[0] if name else None) or value))
    part = typed.casefold()
    fitting = [c for c in found.values() if part in c.name.casefold() or part in c.value.casefold()]
    fitting.sort(key=lambda c: (c.name.casefold(), c.value))
    return fitting[:most], cut or len(fitting) > most


async def named(
    connection: AsyncConnection,
    sources: tuple[Source, ...],
    value: str,
    within: frozenset[str] | None = None,
) -> Choice | None:
    """The choice of exactly this value, None where the ledger does not hold it."""
    for source in sources:
        column = source.column
        own = source.name is not None and within is not None and value in within
        if within is not None and not own and not source.open:
            rows, _ = await _in_reach(connection, source, within, value)
            if rows:
                return Choice(value, (rows[0][1] if len(rows[0]) > 1 else None) or value)
            continue
        name = column if source.name is None else source.name
        statement = select(name).where(column == value).limit(1)
        if source.name is not None:
            statement = statement.order_by(column.table.c.started.desc(), column.table.c.id.desc())
        row = (await connection.execute(statement)).first()
        if row is not None:
            return Choice(value, row[0] or value)
    return None


async def _in_reach(
    connection: AsyncConnection, source: Source, within: frozenset[str], value: str | None = None
) -> tuple[list[Any], bool]:
    """Values (with names) of rows that may be read, or that one if it is there; and whether there
    were more rows than were looked through."""
    rows: list[Any] = []
    cut = False
    column = source.column
    if source.name is not None and value is None:
        # Of whom every row may be read, by one look into the index for each.
        some = listed(within)
        latest = select(source.name).where(column == some.c.value)
        c = column.table.c
        latest = latest.order_by(c.started.desc(), c.id.desc()).limit(1).correlate(some)
        rows += (await connection.execute(select(some.c.value, latest.scalar_subquery()))).all()
        rows = [row for row in rows if row[1] is not None]
    for owner in _owners(source):
        if owner is column:
            continue
        each = max(EACH_LEAST, ROWS_MOST // max(1, len(within)))
        newest, more = newest_of_each(owner, within, each)
        if column.table is tables.segment:
            newest = newest.where(tables.segment.c.supervision == owner.table.c.id)
        wanted = [column] if source.name is None else [column, func.max(source.name)]
        found = newest.add_columns(*wanted).where(column.is_not(None)).group_by(column)
        if value is not None:
            found = found.where(column == value)
        rows += (await connection.execute(found.limit(SCANNED_MOST + 1))).all()
        cut = cut or (await connection.execute(more)).scalar_one() > 0
    return rows, cut or len(rows) > SCANNED_MOST


def _owners(source: Source) -> list[Column[Any]]:
    """Columns of the people by whom a value is in reach."""
    table = source.column.table
    if table is tables.segment:
        return [tables.supervision.c.agent_id]
    if source.name is not None and table is tables.supervision:
        return [table.c.agent_id, table.c.supervisor_id]
    return [table.c.agent_id]  # a call's labels are for those who may see the call


def _distinct(source: Source) -> Select[Any]:
    column = source.column
    first = select(column.label("value")).where(column.is_not(None)).order_by(column).limit(1)
    found = select(first.subquery().c.value).cte("found", recursive=True)
    following = (
        select(column)
        .where(column > found.c.value)
        .order_by(column)
        .limit(1)
        .correlate(found)
        .scalar_subquery()
    )
    found = found.union_all(select(following).select_from(found).where(found.c.value.is_not(None)))
    statement = select(found.c.value)
    if source.name is not None:
        table = column.table
        latest = (
            select(source.name)
            .where(column == found.c.value)
            .order_by(table.c.started.desc(), table.c.id.desc())
            .limit(1)
            .correlate(found)
            .scalar_subquery()
        )
        statement = statement.add_columns(latest)
    return statement.where(found.c.value.is_not(None)).limit(SCANNED_MOST + 1)
