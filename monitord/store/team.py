"""What the team view counts for each agent, from the ledgers. Bounded by today's rows and by the
number of agents, not by the length of the history."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Select, Text, case, column, func, select, values
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.ledger import SupervisionRecord
from monitord.store import tables
from monitord.store.filters import Query, parts
from monitord.store.history import rows_of
from monitord.store.rows import record_of

CHUNK = 500
"""Agents of one statement."""


class TeamCounts:
    """Every method raises ``UnreadableError`` where the database does not answer. Agents are ids of
    people, instants ms UTC."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def calls(self, agents: Iterable[str], begin: int) -> dict[str, int]:
        """How many calls each agent has had that began since then."""
        found: dict[str, int] = {}
        for some in _chunks(agents):
            for row in await rows_of(self._engine, _calls(some, begin)):
                found[row["agent_id"]] = row["calls"]
        return found

    async def supervised(self, begin: int, now: int) -> dict[str, int]:
        """For how many ms each agent was under supervision from then until now: two at once count
        twice, and a supervisor's waiting between calls does not count. Of all agents, since the
        rows are those of one day."""
        found: dict[str, int] = {}
        for part in parts(tables.supervision, Query(limit=0, begin=begin)):
            for row in await rows_of(self._engine, _supervised(part.where, begin, now)):
                found[row["agent_id"]] = found.get(row["agent_id"], 0) + int(row["ms"])
        return found

    async def last(self, agents: Iterable[str]) -> dict[str, SupervisionRecord]:
        """The latest supervision on each agent, which may still run."""
        found: dict[str, SupervisionRecord] = {}
        for some in _chunks(agents):
            for row in await rows_of(self._engine, _last(some)):
                found[row["agent_id"]] = record_of(row, SupervisionRecord)
        return found


def _chunks(agents: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(agents)
    while some := list(islice(rest, CHUNK)):
        yield some


def _calls(agents: list[str], begin: int) -> Select[Any]:
    c = tables.call.c
    return (
        select(c.agent_id, func.count().label("calls"))
        .where(c.agent_id.in_(agents), c.started >= begin)
        .group_by(c.agent_id)
    )


def _supervised(where: list[Any], begin: int, now: int) -> Select[Any]:
    owner, part = tables.supervision, tables.segment.c
    start = case((part.started < begin, begin), else_=part.started)
    end = case((part.ended.is_(None), now), else_=part.ended)
    return (
        select(owner.c.agent_id, func.sum(end - start).label("ms"))
        .join(tables.segment, part.supervision == owner.c.id)
        .where(*where, owner.c.agent_id.is_not(None), end > start)
        .group_by(owner.c.agent_id)
    )


def _last(agents: list[str]) -> Select[Any]:
    wanted = (
        values(column("id", Text), name="wanted").data([(agent,) for agent in agents]).cte("wanted")
    )
    table = tables.supervision
    latest = (
        select(table.c.id)
        .where(table.c.agent_id == wanted.c.id)
        .order_by(table.c.started.desc(), table.c.id.desc())
        .limit(1)
        .correlate(wanted)
        .scalar_subquery()
    )
    return select(table).select_from(wanted).join(table, table.c.id == latest)
