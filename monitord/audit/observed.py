"""What was observed, as the audit log keeps it: each state of a row that is committed, in the
transaction that commits it. So the log knows how each row of the ledger must look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.audit.entry import Actor, Entry, Of
from monitord.audit.log import AuditLog
from monitord.domain.ledger import (
    AlertRecord,
    GapRecord,
    Record,
    SegmentRecord,
    SupervisionRecord,
)
from monitord.people.erased import is_pseudonym
from monitord.store import tables
from monitord.store.rows import TABLE_OF, record_of

CHUNK = 500

ACTION: dict[type[Any], str] = {
    SupervisionRecord: "observe supervision",
    SegmentRecord: "observe segment",
    GapRecord: "observe gap",
    AlertRecord: "observe alert",
}
"""By record; the others are not in the log."""

RECORD = {action: cls for cls, action in ACTION.items()}

_OWNERS: dict[type[Any], tuple[tuple[str, tuple[str, ...]], ...]] = {
    SupervisionRecord: (
        # A gap between id and name would leave the one without its owner.
        ("supervisor_id", ("supervisor_name", "supervisor_endpoint")),
        ("agent_id", ("agent_name", "agent_endpoint")),
        ("ended_by_id", ("ended_by_name",)),
    ),
    AlertRecord: (
        # "why" names the supervisor.
        ("supervisor_id", ("supervisor_name", "supervisor_endpoint", "why")),
        ("agent_id", ("agent_name", "agent_endpoint")),
        ("acknowledged_by_id", ("acknowledged_by_name",)),
    ),
}
"""By record: which field says whose the fields after it are."""


def entry_of(record: Record) -> Entry | None:
    """None where the log does not keep it."""
    action = ACTION.get(type(record))
    if action is None:
        return None
    values: dict[str, Any] = msgspec.to_builtins(record)
    personal: list[Of] = []
    for owner, fields in _OWNERS.get(type(record), ()):
        who = values[owner]
        # Who was erased has no key any more: what is left of them is nobody's own.
        if who is not None and not is_pseudonym(who):
            taken = {name: values.pop(name) for name in (owner, *fields)}
            personal.append(Of({"row": taken}, person=who))
    number = record.number if isinstance(record, SegmentRecord) else None
    if number is not None and not is_pseudonym(number):
        personal.append(Of({"row": {"number": values.pop("number")}}, number=number))
    actor = None
    if isinstance(record, SupervisionRecord) and not is_pseudonym(record.supervisor_id):
        actor = Actor(record.supervisor_id, record.supervisor_name)
    return Entry(
        action=action,
        actor=actor,
        target=str(values["id"]),
        plain={"row": values},
        personal=tuple(personal),
    )


def observe(audit: AuditLog) -> Callable[[AsyncConnection, Sequence[Record]], Awaitable[None]]:
    async def write(connection: AsyncConnection, records: Sequence[Record]) -> None:
        await audit.append(connection, [e for r in records if (e := entry_of(r)) is not None])

    return write


async def observe_since(
    audit: AuditLog, connection: AsyncConnection, n: int, pseudonyms: Collection[str]
) -> None:
    """What was observed after row ``n`` of those whose keys were destroyed meanwhile, once more:
    it was somebody's anew, and is sealed with the key that they have now."""
    c = tables.audit.c
    theirs = or_(c.actor.in_(pseudonyms), c.subject.in_(pseudonyms), c.number.in_(pseudonyms))
    some = select(c.action, c.target).where(c.n > n, c.action.in_(RECORD), theirs).distinct()
    for action, target in (await connection.execute(some)).all():
        table = TABLE_OF[RECORD[action]]
        found = await connection.execute(select(table).where(table.c.id == target))
        records = [record_of(row, RECORD[action]) for row in found.mappings()]
        await audit.append(connection, [e for r in records if (e := entry_of(r)) is not None])


def observe_again(
    audit: AuditLog,
) -> Callable[[AsyncConnection, Collection[str]], Awaitable[None]]:
    """For supervisions that were changed in the ledger itself, by id."""

    async def write(connection: AsyncConnection, ids: Collection[str]) -> None:
        table, wanted = tables.supervision, list(ids)
        for start in range(0, len(wanted), CHUNK):
            some = select(table).where(table.c.id.in_(wanted[start : start + CHUNK]))
            rows = (await connection.execute(some.order_by(table.c.id))).mappings().all()
            entries = [entry_of(record_of(row, SupervisionRecord)) for row in rows]
            await audit.append(connection, [e for e in entries if e is not None])

    return write
