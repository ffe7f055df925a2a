"""The rows of somebody become those of nobody, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import Table, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.people.erased import TEXT
from monitord.privacy.holds import held_now, held_rows
from monitord.privacy.places import Subject, filters_without, of_subject
from monitord.privacy.rules import HOLDINGS, Holding
from monitord.store import tables

LEDGERS = (
    tables.supervision,
    tables.segment,
    tables.call,
    tables.agent_status,
    tables.alert,
    tables.flag,
)


class CannotEraseError(Exception):
    """What stands in the way, in plain words."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


async def refuse_running(
    connection: AsyncConnection, subject: Subject, pbxs: Collection[str]
) -> None:
    """
    Raises:
        CannotEraseError: something of theirs goes on at a PBX, which would bring it all back.
    """
    for table, words in (
        (tables.supervision, "a supervision by them or of them runs"),
        (tables.call, "a call of theirs runs"),
        (tables.agent_status, "the PBX still shows a status of theirs"),
    ):
        running = of_subject(table, subject) & table.c.ended.is_(None) & table.c.pbx.in_(pbxs)
        if await connection.scalar(select(exists().where(running))):
            raise CannotEraseError(f"{words}; wait for its end, or end it at the PBX")
    if subject.digits is not None:
        # The supervision of an ended call may go on with the next one: its row is written again.
        part = tables.segment.c
        under = select(part.supervision).where(part.number.in_(subject.forms))
        own = tables.supervision.c
        running = own.id.in_(under) & own.ended.is_(None) & own.pbx.in_(pbxs)
        if await connection.scalar(select(exists().where(running))):
            raise CannotEraseError("a supervision that was on such a call runs; wait for its end")


async def refuse_held(connection: AsyncConnection, subject: Subject) -> None:
    """
    Raises:
        CannotEraseError: a hold is on them, or on a row that names them.
    """
    held = await held_now(connection)
    if held.all:
        raise CannotEraseError("everything is held; the hold must be lifted first")
    if held.people.intersection(subject.ids) or subject.digits in held.numbers:
        raise CannotEraseError("they are held; the hold must be lifted first")
    for table in LEDGERS:
        some = of_subject(table, subject) & held_rows(table, held)
        if await connection.scalar(select(exists().where(some))):
            raise CannotEraseError(
                f"some rows of theirs ({HOLDINGS[table.name].says}) are held; the holds must be "
                "lifted first"
            )


async def erase_rows(
    connection: AsyncConnection, subject: Subject, pseudonyms: Mapping[str, str]
) -> dict[str, int]:
    """``pseudonyms``: of each id, or of the number's digits. Gives how many rows, by table, those
    without any left out."""
    counts: dict[str, int] = {}
    for name, holding in HOLDINGS.items():
        table = tables.metadata.tables[name]
        # First what names them besides: then it is no longer found by them.
        rows = await _by_hand(connection, table, subject, pseudonyms)
        rows += await _by_spots(connection, table, holding, subject, pseudonyms)
        if holding.number is not None and subject.digits is not None:
            column = table.c[holding.number]
            change = update(table).where(column.in_(subject.forms))
            value = {column.name: pseudonyms[subject.digits]}
            rows += (await connection.execute(change.values(value))).rowcount
        if rows:
            counts[name] = rows
    return counts


async def _by_spots(
    connection: AsyncConnection,
    table: Table,
    holding: Holding,
    subject: Subject,
    pseudonyms: Mapping[str, str],
) -> int:
    rows = 0
    for spot in holding.spots:
        column = table.c[spot.id]
        if holding.goes:
            done = await connection.execute(delete(table).where(column.in_(subject.ids)))
            rows += done.rowcount
            continue
        for key in subject.ids:
            values = spot.erased(pseudonyms[key])
            done = await connection.execute(update(table).where(column == key).values(values))
            rows += done.rowcount
    return rows


async def _by_hand(
    connection: AsyncConnection, table: Table, subject: Subject, pseudonyms: Mapping[str, str]
) -> int:
    match table.name:
        case "person" if subject.person is not None:
            c = tables.person.c
            led = update(tables.person).where(c.leader == subject.person)
            return (await connection.execute(led.values(leader=None))).rowcount
        case "endpoint_seen" if subject.person is not None:
            c = tables.endpoint_seen.c
            named = update(tables.endpoint_seen).where(c.name == subject.name)
            return (await connection.execute(named.values(name=""))).rowcount
        case "flag_version" if subject.person is not None:
            # The flags themselves come after it: they still say whom they are on.
            flags = select(tables.flag.c.id).where(tables.flag.c.agent_id.in_(subject.ids))
            of_them = tables.flag_version.c.flag.in_(flags)
            said = update(table).where(of_them).values(comment=TEXT, wanted="")
            return (await connection.execute(said)).rowcount
        case "flag" if subject.person is not None:
            theirs = update(tables.flag).where(tables.flag.c.agent_id.in_(subject.ids))
            return (await connection.execute(theirs.values(wanted=""))).rowcount
        case "commitment" if subject.person is not None:
            theirs = update(table).where(table.c.agent_id.in_(subject.ids))
            return (await connection.execute(theirs.values(settled_why=None))).rowcount
        case "outbox" | "recording":
            gone = delete(table).where(of_subject(table, subject))
            return (await connection.execute(gone)).rowcount
        case "never_monitor":
            c = tables.never_monitor.c
            own = or_(c.person.in_(subject.ids), c.number == subject.digits)
            return (await connection.execute(delete(table).where(own))).rowcount
        case "saved_view":
            return await _filters(connection, subject, pseudonyms)
        case "hold":
            # Of those that were lifted: one in force stands in the way of it all.
            key = subject.digits if subject.person is None else subject.person
            assert key is not None
            on = update(tables.hold).where(of_subject(table, subject), tables.hold.c.value == key)
            values = {"value": pseudonyms[key], "reason": TEXT}
            return (await connection.execute(on.values(values))).rowcount
    return 0


async def _filters(
    connection: AsyncConnection, subject: Subject, pseudonyms: Mapping[str, str]
) -> int:
    table, changed = tables.saved_view, 0
    others = or_(of_subject(table, subject)) & table.c.person.not_in(subject.ids)
    some = select(table.c.id, table.c.filters).where(others)
    for row in (await connection.execute(some)).all():
        filters: dict[str, Any] = msgspec.json.decode(row.filters)
        if filters_without(filters, subject, dict(pseudonyms)):
            text = msgspec.json.encode(filters).decode()
            change = update(table).where(table.c.id == row.id).values(filters=text)
            changed += (await connection.execute(change)).rowcount
    return changed
