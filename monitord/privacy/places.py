"""Rows of somebody, as conditions: of a person with all ids under which rows name them, or of a
customer's number in all the ways in which it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Table, false, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitord.audit.keys import digits
from monitord.people.erased import is_pseudonym
from monitord.people.roster import Roster
from monitord.privacy.rules import HOLDINGS
from monitord.store import tables

PEOPLE_FILTERS = ("supervisor", "agent")


class Subject(Struct, frozen=True, kw_only=True):
    """Whom rows are of: a person, or a number."""

    person: str | None = None
    name: str = ""
    ids: tuple[str, ...] = ()
    """The person's, and those of endpoints under whose own id rows carry the person's name: from
    before the roster knew whose they were."""
    endpoints: tuple[str, ...] = ()
    """All that are or were theirs."""
    left: tuple[str, ...] = ()
    """Ids of their telephones that only the audit log still has."""
    digits: str | None = None
    forms: tuple[str, ...] = ()
    """The number as rows have it."""
    pseudonyms: tuple[str, ...] = ()


async def forms_of(connection: AsyncConnection, wanted: str) -> tuple[str, ...]:
    """How a number, given as its digits, stands in the ledger: with blanks, dashes or a plus."""
    pattern = "%" + "%".join(_escaped(c) for c in wanted) + "%"
    found: set[str] = set()
    for column in (tables.call.c.number, tables.segment.c.number):
        some = select(column).where(column.like(pattern, escape="\\")).distinct()
        found.update(await connection.scalars(some))
    return tuple(sorted(x for x in found if not is_pseudonym(x) and digits(x) == wanted))


def _escaped(character: str) -> str:
    return "\\" + character if character in "\\%_" else character


async def person_subject(connection: AsyncConnection, roster: Roster, key: str) -> Subject:
    """Of somebody on the roster."""
    person = roster.people[key]
    endpoints = tuple(sorted({o.endpoint for o in roster.owned if o.person == key}))
    alone = sum(p.name == person.name for p in roster.people.values()) == 1
    found: set[str] = set()
    for table in (tables.supervision, tables.call, tables.agent_status, tables.alert):
        for spot in HOLDINGS[table.name].spots:
            if spot.endpoint is None or spot.name is None:
                continue
            c = table.c
            some = select(c[spot.id], c[spot.endpoint]).where(
                c[spot.name] == person.name, c[spot.id] != key, c[spot.id].contains("/")
            )
            rows = (await connection.execute(some.distinct())).all()
            # A namesake's telephone is not theirs.
            found |= {row[0] for row in rows if alone or row[1] in endpoints}
    left = await _left_ids(connection, endpoints)
    return Subject(
        person=key,
        name=person.name,
        ids=(key, *sorted(found)),
        endpoints=endpoints,
        left=tuple(sorted(left)),
    )


async def _left_ids(connection: AsyncConnection, endpoints: tuple[str, ...]) -> set[str]:
    """Of their telephones at each PBX, the ids that no row of the ledgers has any more: the audit
    log still says under these what was observed before the telephones were known to be theirs."""
    pbxs = list(await connection.scalars(select(tables.attachment.c.pbx)))
    left = {f"{pbx}/{endpoint}" for pbx in pbxs for endpoint in endpoints}
    for table in (tables.supervision, tables.call, tables.agent_status, tables.alert):
        for spot in HOLDINGS[table.name].spots:
            if spot.endpoint is not None and left:
                some = select(table.c[spot.id]).where(table.c[spot.id].in_(left)).distinct()
                left -= set(await connection.scalars(some))
    return left


async def number_subject(connection: AsyncConnection, number: str) -> Subject:
    wanted = digits(number)
    return Subject(digits=wanted, forms=await forms_of(connection, wanted))


def of_subject(table: Table, subject: Subject) -> ColumnElement[bool]:
    """The rows that name them."""
    holding, c = HOLDINGS[table.name], table.c
    some: list[ColumnElement[bool]] = [c[spot.id].in_(subject.ids) for spot in holding.spots]
    if holding.number is not None and subject.digits is not None:
        # Also what was erased before, for whoever comes with the number in their hand.
        some.append(c[holding.number].in_([*subject.forms, *subject.pseudonyms]))
    match table.name:
        case "person":
            some.append(c.leader.in_(subject.ids))
        case "segment" | "reason":
            owners = select(tables.supervision.c.id)
            if subject.person is not None:
                of = of_subject(tables.supervision, subject)
                some.append(c.supervision.in_(owners.where(of)))
        case "recording":
            some.append(
                c.call.in_(select(tables.call.c.id).where(of_subject(tables.call, subject)))
            )
        case "flag_version" | "flag_answer":
            owners = select(tables.flag.c.id)
            if subject.person is not None:
                some.append(c.flag.in_(owners.where(of_subject(tables.flag, subject))))
        case "score":
            of_calls = select(tables.call.c.id).where(of_subject(tables.call, subject))
            some.append(c.call.in_(of_calls))
        case "endpoint_seen" if subject.person is not None:
            some.append((c.name != "") & (c.name == subject.name))
        case "outbox":
            words = [*subject.ids, subject.name, *subject.forms, subject.digits or ""]
            some += [c.body.contains(_json(word), autoescape=True) for word in words if word]
        case "never_monitor":
            some += [c.person.in_(subject.ids), c.number == subject.digits]
        case "saved_view":
            some += _filtering(subject)
        case "hold":
            kind = "number" if subject.person is None else "person"
            value = subject.digits if subject.person is None else subject.person
            some.append((c.kind == kind) & (c.value == value))
        case "audit":
            for name in subject.pseudonyms:
                some += [c.actor == name, c.subject == name, c.number == name]
                # A row may concern more people than its columns can name.
                some.append(c.body.contains(f'"{name}":', autoescape=True))
    return or_(false(), *some)


def _filtering(subject: Subject) -> list[ColumnElement[bool]]:
    filters = tables.saved_view.c.filters
    if subject.digits is not None:
        return [filters.contains('"number":', autoescape=True)]
    return [
        filters.contains(f'"{name}":{_json(key)}', autoescape=True)
        for name in PEOPLE_FILTERS
        for key in subject.ids
    ]


def _json(value: str) -> str:
    return msgspec.json.encode(value).decode()


def filters_without(filters: dict[str, str], subject: Subject, pseudonyms: dict[str, str]) -> bool:
    """Put pseudonyms into the filters of a saved view; whether there was anything to do."""
    before = dict(filters)
    for name in PEOPLE_FILTERS:
        if filters.get(name) in subject.ids:
            filters[name] = pseudonyms[filters[name]]
    number = filters.get("number")
    if number is not None and subject.digits is not None and digits(number) == subject.digits:
        filters["number"] = pseudonyms[subject.digits]
    return filters != before


def is_of(row: dict[str, Any], table: Table, subject: Subject) -> bool:
    """What the condition alone does not tell: whether a view's number is this one."""
    if table is not tables.saved_view or subject.digits is None:
        return True
    number = msgspec.json.decode(row["filters"]).get("number")
    return number is not None and digits(number) == subject.digits


def words_of(subject: Subject, logins: Iterable[str] = ()) -> tuple[str, ...]:
    """Texts that tell who it is."""
    if subject.digits is not None:
        return (subject.digits, *subject.forms)
    return (*subject.ids, subject.name, *subject.endpoints, *logins)
