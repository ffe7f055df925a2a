"""What the balance of flags counts, from flags and from the ledger of calls. Bounded by the rows of
at most the weeks that are asked for, and by the number of agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.flags.balance import Handled, Tally
from monitord.store import tables
from monitord.store.history import rows_of
from monitord.store.listed import listed


class Tallies(Struct, frozen=True):
    rows: list[Tally]
    agents: Mapping[str, str]
    """A name that stands on a flag, of each agent."""
    authors: Mapping[str, str]


class FlagCounts:
    """Every method raises ``UnreadableError`` where the database does not answer. ``bounds`` are
    the beginnings of the weeks, the oldest first, and the end of the last one; ms UTC."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def flags(self, agents: frozenset[str] | None, bounds: Sequence[int]) -> Tallies:
        """On these agents; None: on anybody."""
        c = tables.flag.c
        within = [] if agents is None else [c.agent_id.in_(select(listed(agents).c.value))]
        one = (
            select(c.agent_id, c.by_id, c.agent_name, c.by_name, c.polarity, c.state)
            .add_columns(week_of(c.made, bounds))
            .where(c.made >= bounds[0], c.made < bounds[-1], *within)
            .subquery()
        )
        same = (one.c.agent_id, one.c.by_id, one.c.week, one.c.polarity, one.c.state)
        rows = await rows_of(
            self._engine,
            select(
                one.c.agent_id.label("agent"),
                one.c.by_id.label("by"),
                *same[2:],
                func.max(one.c.agent_name).label("agent_name"),
                func.max(one.c.by_name).label("by_name"),
                func.count().label("flags"),
            ).group_by(*same),
        )
        return Tallies(
            rows=[
                msgspec.convert({str(k): v for k, v in row.items()}, Tally, strict=False)
                for row in rows
            ],
            agents={row["agent"]: row["agent_name"] for row in rows},
            authors={row["by"]: row["by_name"] for row in rows},
        )

    async def handled(self, agents: Iterable[str], bounds: Sequence[int]) -> list[Handled]:
        """Calls of these agents that began in these weeks and were answered."""
        c = tables.call.c
        one = (
            select(c.agent_id, week_of(c.started, bounds))
            .where(
                c.agent_id.in_(select(listed(agents).c.value)),
                c.started >= bounds[0],
                c.started < bounds[-1],
                c.answered.is_not(None),
            )
            .subquery()
        )
        calls = func.count().label("calls")
        same = (one.c.agent_id, one.c.week)
        rows = await rows_of(
            self._engine, select(one.c.agent_id.label("agent"), one.c.week, calls).group_by(*same)
        )
        return [Handled(row["agent"], row["week"], row["calls"]) for row in rows]


def week_of(at: ColumnElement[int], bounds: Sequence[int]) -> ColumnElement[int]:
    """Which week, by the bounds, as the column ``week``. Not a division by the length of a week,
    which the clocks change twice a year."""
    whens = [(at < end, n) for n, end in enumerate(bounds[1:])]
    return case(*whens, else_=len(whens)).label("week")
