"""What a filter of the history can be set to: the values that its ledger really holds.

Each distinct value is found by one look into an index ("loose index scan"), so that it costs the
same whether a campaign has ten rows or ten million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.store import tables

SCANNED_MOST = 5_000
"""Distinct values of one column that are looked at."""

LedgerName = Literal["supervisions", "calls", "agent-status"]


@dataclass(frozen=True, slots=True)
class Source:
    """A column of which an index begins with it, and for people the column of their name."""

    column: Column[Any]
    name: Column[Any] | None = None


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
    connection: AsyncConnection, sources: tuple[Source, ...], typed: str, most: int
) -> tuple[list[Choice], bool]:
    """Values of which the name or the value itself contains what was typed, in the names' order,
    and whether there are more than these."""
    found: dict[str, Choice] = {}
    cut = False
    for source in sources:
        rows = (await connection.execute(_distinct(source))).all()
        cut = cut or len(rows) > SCANNED_MOST
        for value, *name in rows[:SCANNED_MOST]:
            if value:
                found[value] = Choice(value, (name[0] if name else None) or value)
    part = typed.casefold()
    fitting = [c for c in found.values() if part in c.name.casefold() or part in c.value.casefold()]
    fitting.sort(key=lambda c: (c.name.casefold(), c.value))
    return fitting[:most], cut or len(fitting) > most


async def named(
    connection: AsyncConnection, sources: tuple[Source, ...], value: str
) -> Choice | None:
    """The choice of exactly this value, None where the ledger does not hold it."""
    for source in sources:
        column = source.column
        name = column if source.name is None else source.name
        statement = select(name).where(column == value).limit(1)
        if source.name is not None:
            statement = statement.order_by(column.table.c.started.desc(), column.table.c.id.desc())
        row = (await connection.execute(statement)).first()
        if row is not None:
            return Choice(value, row[0] or value)
    return None


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
