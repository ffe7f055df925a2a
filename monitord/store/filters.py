"""What a history query asks for, as conditions that an index serves.

A range of time means rows that *overlap* it: somebody who asks what was on between ten and eleven
also means what began at nine and still ran. Rows are ordered by their start, so those that began
in the range come from the index of starts. Those from before it would need a walk down to the
beginning of the ledger; since few rows last longer than a day, they are read as two parts: what
began in the day before the range, and, by the index of lengths, the few long ones from before that.

Who may read only some people's rows gets conditions as well (:func:`legs`): what they may not see
is neither listed nor counted, and no filter tells whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    and_,
    case,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)

from monitord.domain.words import SpyType
from monitord.store import tables
from monitord.store.listed import listed

DAY_MS = 24 * 3_600_000
SLACK_MS = 3_600_000
"""By which a length, which is measured, may be shorter than the span of its stamps: a PBX's
machine whose clock was put right in between."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows: every field that is not None must fit. Texts must be equal."""

    limit: int
    cursor: str | None = None
    pbx: str | None = None
    supervisor: str | None = None
    """Id of a person; so is ``agent``."""
    agent: str | None = None
    type: str | None = None
    """As the row shows it."""
    possible: bool = False
    """With a type: also rows that may have been of it, because they read "at least" something
    weaker, or Unknown."""
    campaign: str | None = None
    """Of a supervision: the campaign of any call under it."""
    list: str | None = None
    result: str | None = None
    queue: str | None = None
    number: str | None = None
    number_erased: str | None = None
    """As it stands in rows from which it was erased."""
    direction: str | None = None
    status: str | None = None
    end_reason: str | None = None
    unanswered: bool = False
    """Of supervisions: whose supervisor was asked for a reason, and gave none."""
    alias: str | None = None
    """Call ID, or any other linkedid or uniqueid seen for the call."""
    begin: int | None = None
    """Still ran after it, ms UTC."""
    end: int | None = None
    """Started before, ms UTC."""
    within: frozenset[str] | None = None
    """People whose rows may be read: calls and statuses of these agents, supervisions of these
    agents and by these supervisors. None: everybody's, those of endpoints included that are
    nobody's."""

    def until(self, moment: int) -> Query:
        """Without the rows that started at or after a moment, ms UTC."""
        return replace(self, end=moment if self.end is None else min(moment, self.end))


_EQUAL = {
    "pbx": "pbx",
    "supervisor": "supervisor_id",
    "agent": "agent_id",
    "list": "list",
    "result": "result",
    "queue": "queue",
    "direction": "direction",
    "status": "status",
    "end_reason": "end_reason",
}

Place = tuple[int, str]
"""Start and id of the last row of the page before."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the rows that fit."""

    where: list[ColumnElement[Any]]
    few: bool = False
    """By an index that finds no more than a handful."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Rows of people in reach, by one column; no row is in two legs."""

    column: Column[Any] | None = None
    """Of the people's ids; None: the filters alone keep within reach."""
    where: list[ColumnElement[Any]] = field(default_factory=list)


def legs(table: Table, query: Query) -> list[Leg]:
    """The rows that may be read at all; no leg where none may. Of a number twice: those that have
    it, and those from which it was erased."""
    found = _in_reach(table, query)
    if query.number is None or query.number_erased is None or "number" not in table.c:
        return found
    return [
        replace(leg, where=[*leg.where, table.c.number == number])
        for leg in found
        for number in (query.number, query.number_erased)
    ]


def _in_reach(table: Table, query: Query) -> list[Leg]:
    within, c = query.within, table.c
    if within is None or "agent_id" not in c:
        return [Leg()]
    if query.agent in within:
        return [Leg()]
    by_agent = [Leg(c.agent_id)] if query.agent is None else []
    if table is not tables.supervision:
        return by_agent
    if query.campaign is not None or query.alias is not None:
        # Somebody else's agent's call is not theirs to see, so not to search by either.
        return by_agent
    others = or_(c.agent_id.is_(None), c.agent_id.not_in(select(listed(within).c.value)))
    if query.supervisor is None:
        return [*by_agent, Leg(c.supervisor_id, [others])]
    return [Leg()] if query.supervisor in within else by_agent


def parts(table: Table, query: Query, after: Place | None = None) -> list[Part]:
    """Conditions of the rows: all rows of one part are newer than those of the next."""
    c = table.c
    where = _filters(table, query)
    if after is not None:
        where.append(tuple_(c.started, c.id) < tuple_(*after))
    # With both bounds SQLite may take the weaker one to the index, and then walks past all the
    # pages before.
    if query.end is not None and (after is None or query.end <= after[0]):
        where.append(c.started < query.end)
    if query.begin is None:
        return [Part(where)]
    where.append(or_(c.ended.is_(None), c.ended > query.begin))
    if "length_ms" not in c:
        return [Part(where)]
    long = select(c.id).where(c.length_ms >= DAY_MS - SLACK_MS)
    unknown = select(c.id).where(c.length_ms.is_(None))
    early = query.begin - DAY_MS
    return [
        Part([*where, c.started >= early]),
        Part([*where, c.started < early, c.id.in_(long.union_all(unknown))], few=True),
    ]


_FEWEST = ("supervisor_id", "agent_id", "number")
"""Columns of which a value has the fewest rows: a page is read by their index, if one is asked for.
SQLite, which keeps no statistics, may else take the index of a type that a fifth of all rows have,
and walk through those of everybody."""


def _row_by_row(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Compared where another index has led, never by one of its own."""
    return func.coalesce(column, "")


def _filters(table: Table, query: Query) -> list[ColumnElement[Any]]:
    equal = {
        column: value
        for name, column in _EQUAL.items()
        if (value := getattr(query, name)) is not None and column in table.c
    }
    few = any(c in equal for c in _FEWEST) or (query.number is not None and "number" in table.c)
    where: list[ColumnElement[Any]] = [
        (_row_by_row(table.c[column]) if few and column not in _FEWEST else table.c[column])
        == value
        for column, value in equal.items()
    ]
    if query.number is not None and query.number_erased is None and "number" in table.c:
        where.append(table.c.number == query.number)
    if query.campaign is not None and "campaign" in table.c:
        where.append(_of_campaign(table, query.campaign, few=few))
    if query.type is not None and "type" in table.c:
        where.append(_of_type(table, SpyType(query.type), possible=query.possible, few=few))
    if query.unanswered and table is tables.supervision:
        where.append(unanswered(table.c.id))
    if query.alias is not None and table in (tables.call, tables.supervision):
        calls = select(tables.call_alias.c.call).where(tables.call_alias.c.alias == query.alias)
        if table is tables.supervision:
            # By its segments: a supervision lasts over several calls.
            ids = select(tables.segment.c.supervision).where(tables.segment.c.call.in_(calls))
        else:
            ids = calls
        where.append(table.c.id.in_(ids))
    return where


def unanswered(supervision: ColumnElement[str]) -> ColumnElement[bool]:
    """For a column of supervisions' ids: asked for a reason, and none is given."""
    asked, reason = tables.reason_asked.c, tables.reason.c
    was_asked = select(asked.id).where(asked.id == supervision).exists()
    answered = select(reason.text).where(
        reason.supervision == supervision, reason.act == "supervision"
    )
    return and_(was_asked, ~answered.exists())


def _of_campaign(table: Table, campaign: str, *, few: bool) -> ColumnElement[Any]:
    shown: ColumnElement[Any] = table.c.campaign == campaign
    if table is not tables.supervision:
        return _row_by_row(table.c.campaign) == campaign if few else shown
    segment = tables.segment
    # Looked up row by row in the order of the starts, and there by the supervision: a list of all
    # that fit would be sorted anew for every page, and a campaign may have millions of segments.
    earlier = (
        select(segment.c.id)
        .where(segment.c.supervision == table.c.id, _row_by_row(segment.c.campaign) == campaign)
        .exists()
    )
    return or_(shown, earlier)


def _of_type(table: Table, wanted: SpyType, *, possible: bool, few: bool) -> ColumnElement[Any]:
    shown: ColumnElement[Any] = table.c.type == wanted.value
    if not possible or wanted is SpyType.UNKNOWN:
        return _row_by_row(table.c.type) == wanted.value if few else shown
    weaker = [t.value for t in SpyType if t.strength < wanted.strength]
    fits = or_(
        shown,
        table.c.type == SpyType.UNKNOWN.value,
        table.c.at_least & table.c.type.in_(weaker),
    )
    # Hidden from the index of types: read by that it would have to be sorted for every page.
    return case((fits, true()), else_=false())
