"""Which flags were made when their call's score had come, counted in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.csat.timing import Timed
from monitord.domain.words import FlagState
from monitord.store import tables
from monitord.store.history import rows_of
from monitord.store.listed import listed


class TimingCounts:
    """``UnreadableError`` where the database does not answer."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def flags(self, agents: frozenset[str] | None, bounds: Sequence[int]) -> list[Timed]:
        """On these agents; None: on anybody. ``bounds`` as those of the balance. What was taken off
        does not count."""
        flag, score = tables.flag.c, tables.score.c
        within = [] if agents is None else [flag.agent_id.in_(select(listed(agents).c.value))]
        of_them = (
            select(flag.call, flag.agent_id, flag.by_id, flag.made)
            .where(flag.made >= bounds[0], flag.made < bounds[-1], *within)
            .where(flag.state != FlagState.TAKEN_OFF)
            .subquery()
        )
        first = (
            select(score.call, func.min(score.received).label("first"))
            .where(score.call.in_(select(of_them.c.call)))
            .group_by(score.call)
            .subquery()
        )
        whens = [(of_them.c.made < end, n) for n, end in enumerate(bounds[1:])]
        one = (
            select(of_them, case(*whens, else_=len(whens)).label("week"), first.c.first)
            .join(first, first.c.call == of_them.c.call)
            .subquery()
        )
        late = func.sum(case((one.c.made > one.c.first, 1), else_=0)).label("after")
        same = (one.c.agent_id, one.c.by_id, one.c.week)
        rows = await rows_of(
            self._engine, select(*same, func.count().label("scored"), late).group_by(*same)
        )
        return [
            Timed(r["agent_id"], r["by_id"], r["week"], r["scored"], int(r["after"])) for r in rows
        ]
