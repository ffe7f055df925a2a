"""Legal hold: rows that are neither removed by their age nor erased, until somebody lifts it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Table, false, func, insert, or_, select, true, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.audit.entry import Actor, Entry, Of, of_person
from monitord.audit.keys import digits
from monitord.audit.log import AuditLog
from monitord.people.store import commit
from monitord.privacy.places import forms_of
from monitord.store import tables
from monitord.store.engine import reason_of
from monitord.store.history import UnreadableError

Kind = Literal["person", "number", "supervision", "call", "all"]

IN_FORCE_MOST = 500
LISTED_MOST = 1_000

_C = tables.hold.c


class Hold(Struct, frozen=True):
    id: str
    kind: Kind
    value: str
    """Id of a person or supervision, Call ID or id of a call, digits of a number; empty for all."""
    reason: str
    since: int
    """ms UTC, as ``lifted``."""
    by_id: str
    by_name: str
    lifted: int | None = None
    lifted_by_id: str | None = None
    lifted_by_name: str | None = None


class HoldError(Exception):
    """It cannot be so."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


class Held(Struct, frozen=True):
    """All that is held at one moment."""

    all: bool = False
    people: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    """Digits."""
    forms: tuple[str, ...] = ()
    """These numbers as rows have them."""
    supervisions: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()


async def held_now(connection: AsyncConnection) -> Held:
    found = await connection.execute(select(_C.kind, _C.value).where(_C.lifted.is_(None)))
    by_kind: dict[str, set[str]] = {}
    for row in found:
        by_kind.setdefault(row.kind, set()).add(row.value)
    numbers = by_kind.get("number", set())
    forms = [form for number in sorted(numbers) for form in await forms_of(connection, number)]
    return Held(
        all="all" in by_kind,
        people=frozenset(by_kind.get("person", ())),
        numbers=frozenset(numbers),
        forms=tuple(forms),
        supervisions=frozenset(by_kind.get("supervision", ())),
        calls=frozenset(by_kind.get("call", ())),
    )


def held_rows(table: Table, held: Held) -> ColumnElement[bool]:
    """Which rows of the ledgers are held. A supervision is held with its segments, its alerts and
    its calls; a call with the supervisions that were on it and the flags on it."""
    if held.all:
        return true()
    # What is compared with a column that is NULL is neither true nor false, and "not held" would
    # not be true either: such a row would be kept for ever.
    return func.coalesce(_held_rows(table, held), false())


def _held_rows(table: Table, held: Held) -> ColumnElement[bool]:
    supervision, segment, c = tables.supervision.c, tables.segment.c, table.c
    on_calls = or_(
        segment.call.in_(held.calls),
        segment.call_id.in_(held.calls),
        segment.number.in_(held.forms),
    )
    supervisions = or_(
        supervision.id.in_(held.supervisions),
        supervision.supervisor_id.in_(held.people),
        supervision.agent_id.in_(held.people),
        supervision.ended_by_id.in_(held.people),
        supervision.id.in_(select(segment.supervision).where(on_calls)),
    )
    match table.name:
        case "supervision":
            return supervisions
        case "segment" | "alert":
            return c.supervision.in_(select(supervision.id).where(supervisions))
        case "call":
            under = select(segment.call).where(
                segment.supervision.in_(held.supervisions), segment.call.is_not(None)
            )
            return or_(
                *(c.id.in_(held.calls), c.call_id.in_(held.calls), c.number.in_(held.forms)),
                *(func.coalesce(c.agent_id, "").in_(held.people), c.id.in_(under)),
            )
        case "agent_status":
            return c.agent_id.in_(held.people)
        case "flag":
            call = tables.call.c
            of_number = select(call.id).where(call.number.in_(held.forms))
            under = select(segment.call).where(
                segment.call.is_not(None),
                or_(
                    segment.supervision.in_(held.supervisions),
                    segment.number.in_(held.forms),
                ),
            )
            return or_(
                *(c.agent_id.in_(held.people), c.by_id.in_(held.people)),
                *(func.coalesce(c.settled_by_id, "").in_(held.people), c.call.in_(held.calls)),
                *(c.call_id.in_(held.calls), c.call.in_(of_number), c.call.in_(under)),
            )
    return false()


class Holds:
    """Methods that read raise ``UnreadableError``, those that write ``PeopleError``, where the
    database does not answer."""

    def __init__(self, engine: AsyncEngine, audit: AuditLog) -> None:
        self._engine, self._audit = engine, audit

    async def listed(self) -> list[Hold]:
        """Those in force, then those that were lifted; the newest first."""
        some = (
            select(tables.hold)
            .order_by(_C.lifted.is_not(None), _C.since.desc(), _C.id)
            .limit(LISTED_MOST)
        )
        return [_hold(row) for row in await self._rows(some)]

    async def find(self, id_: str) -> Hold | None:
        rows = await self._rows(select(tables.hold).where(_C.id == id_))
        return _hold(rows[0]) if rows else None

    async def _rows(self, statement: Any) -> Sequence[Any]:
        try:
            async with self._engine.connect() as connection:
                return (await connection.execute(statement)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise UnreadableError(reason_of(error)) from None

    async def add(self, kind: Kind, value: str, reason: str, actor: Actor) -> Hold:
        """
        Raises:
            HoldError: there is no such thing to be held, or there are too many.
        """
        hold = Hold(
            id=secrets.token_hex(10),
            kind=kind,
            value=digits(value) if kind == "number" else value,
            reason=reason,
            since=time.time_ns() // 1_000_000,
            by_id=actor.id,
            by_name=actor.name,
        )

        async def write(connection: AsyncConnection) -> None:
            await _check(connection, hold)
            row = {name: getattr(hold, name) for name in hold.__struct_fields__}
            await connection.execute(insert(tables.hold).values(row))

        entry = _entry("hold", hold, actor, Of({"reason": reason}, person=actor.id))
        await commit(self._engine, write, self._audit.alongside(entry))
        return hold

    async def lift(self, hold: Hold, actor: Actor) -> bool:
        """False where somebody has already."""
        now = time.time_ns() // 1_000_000
        done = False

        async def write(connection: AsyncConnection) -> None:
            nonlocal done
            change = (
                update(tables.hold)
                .where(_C.id == hold.id, _C.lifted.is_(None))
                .values(lifted=now, lifted_by_id=actor.id, lifted_by_name=actor.name)
                .returning(_C.id)
            )
            done = (await connection.scalars(change)).first() is not None
            if done:
                await self._audit.append(connection, [_entry("lift hold", hold, actor)])

        await commit(self._engine, write)
        return done


def _hold(row: Any) -> Hold:
    return Hold(**{str(key): value for key, value in row.items()})


def _entry(action: str, hold: Hold, actor: Actor, *more: Of) -> Entry:
    plain: dict[str, Any] = {"kind": hold.kind}
    of: tuple[Of, ...] = ()
    match hold.kind:
        case "person":
            of = (of_person(hold.value, value=hold.value),)
        case "number":
            of = (Of({"value": hold.value}, number=hold.value),)
        case _:
            plain["value"] = hold.value
    return Entry(action=action, actor=actor, target=hold.id, plain=plain, personal=(*of, *more))


async def _check(connection: AsyncConnection, hold: Hold) -> None:
    held = _C.lifted.is_(None)
    count = await connection.scalar(select(func.count()).select_from(tables.hold).where(held)) or 0
    if count >= IN_FORCE_MOST:
        raise HoldError("kind", f"there may be at most {IN_FORCE_MOST} holds; lift one first")
    same = select(_C.id).where(held, _C.kind == hold.kind, _C.value == hold.value).limit(1)
    if await connection.scalar(same) is not None:
        raise HoldError("value", "there is such a hold already")
    match hold.kind:
        case "all":
            if hold.value:
                raise HoldError("value", "must be empty, since all is held")
            return
        case "number":
            if sum(x.isdigit() for x in hold.value) < 3:
                raise HoldError("value", "must be a number of three digits at least")
            return
        case "person":
            found = select(tables.person.c.id).where(tables.person.c.id == hold.value)
        case "supervision":
            found = select(tables.supervision.c.id).where(tables.supervision.c.id == hold.value)
        case "call":
            call = tables.call.c
            found = select(call.id).where(or_(call.id == hold.value, call.call_id == hold.value))
    if await connection.scalar(found.limit(1)) is None:
        raise HoldError("value", f"there is no such {hold.kind}")
