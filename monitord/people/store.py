"""The roster and the accounts in the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Table, delete, insert, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.people.roster import Account, Everybody, Given, Ownership, Person, Roster, Team
from monitord.store import tables
from monitord.store.engine import uncut
from monitord.store.turns import in_turn

Alongside = Callable[[AsyncConnection], Awaitable[None]]
"""Writes something more in the transaction of a change: what it did stands in the audit log, or it
did not happen."""

Key = tuple[Any, ...]
Rows = dict[Key, dict[str, Any]]


class PeopleError(Exception):
    """The database does not give or take it now."""


class PeopleStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self) -> Everybody:
        """Everybody.

        Raises:
            PeopleError: they cannot be read, or hold what monitord never writes.
        """
        try:
            async with self._engine.connect() as connection:

                async def all_of(table: Table) -> list[dict[str, Any]]:
                    found = await connection.execute(select(table))
                    # The names are a kind of str that msgspec does not take for one.
                    return [{str(k): v for k, v in r.items()} for r in found.mappings()]

                roles: dict[str, list[Given]] = {}
                for row in await all_of(tables.role):
                    given = msgspec.convert({"role": row["role"], "scope": row["scope"]}, Given)
                    roles.setdefault(row["person"], []).append(given)
                people = {}
                for row in await all_of(tables.person):
                    row["account_codes"] = msgspec.json.decode(row["account_codes"])
                    row["roles"] = sorted(roles.get(row["id"], []), key=lambda g: g.role)
                    people[row["id"]] = msgspec.convert(row, Person, strict=False)
                teams = [msgspec.convert(row, Team) for row in await all_of(tables.team)]
                owned = [msgspec.convert(row, Ownership) for row in await all_of(tables.ownership)]
                accounts = [
                    msgspec.convert(row, Account) for row in await all_of(tables.credential)
                ]
        except (SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
            raise PeopleError(_reason(error)) from None
        owned.sort(key=lambda o: (o.endpoint, o.since))
        roster = Roster(
            people=dict(sorted(people.items())),
            teams={t.id: t for t in sorted(teams, key=lambda t: t.id)},
            owned=tuple(owned),
        )
        return Everybody(roster, tuple(sorted(accounts, key=lambda a: a.person)))

    async def save(
        self, old: Everybody, new: Everybody, alongside: Alongside | None = None
    ) -> None:
        """Write what differs, all or nothing.

        Raises:
            PeopleError: nothing was written.
        """
        try:
            await uncut(self._save(old, new, alongside))
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(_reason(error)) from None

    async def _save(self, old: Everybody, new: Everybody, alongside: Alongside | None) -> None:
        before, after = _rows(old), _rows(new)
        async with in_turn(self._engine) as connection:
            for table, rows in after.items():
                await _write(connection, table, before[table], rows)
            if alongside is not None:
                await alongside(connection)

    async def setting(self, name: str) -> Any:
        """None where it was never set."""
        statement = select(tables.setting.c.value).where(tables.setting.c.name == name)
        try:
            async with self._engine.connect() as connection:
                value = await connection.scalar(statement)
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(_reason(error)) from None
        return msgspec.json.decode(value) if value is not None else None


async def commit(engine: AsyncEngine, *works: Alongside) -> None:
    """Do all of it in one transaction, or nothing.

    Raises:
        PeopleError: the database did not take it.
    """

    async def all_of() -> None:
        async with in_turn(engine) as connection:
            for work in works:
                await work(connection)

    try:
        await uncut(all_of())
    except (SQLAlchemyError, OSError) as error:
        raise PeopleError(_reason(error)) from None


def write_setting(name: str, value: Any) -> Alongside:
    """To be done in the transaction of a change."""

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(delete(tables.setting).where(tables.setting.c.name == name))
        text = msgspec.json.encode(value).decode()
        await connection.execute(insert(tables.setting).values(name=name, value=text))

    return write


def _rows(known: Everybody) -> dict[Table, Rows]:
    roster = known.roster
    people: Rows = {}
    roles: Rows = {}
    for person in roster.people.values():
        row = {name: getattr(person, name) for name in tables.person.c.keys()}  # noqa: SIM118
        row["account_codes"] = msgspec.json.encode(person.account_codes).decode()
        people[(person.id,)] = row
        for given in person.roles:
            roles[(person.id, given.role)] = {
                "person": person.id,
                "role": given.role,
                "scope": given.scope,
            }
    return {
        tables.team: {(t.id,): msgspec.structs.asdict(t) for t in roster.teams.values()},
        tables.person: people,
        tables.role: roles,
        tables.ownership: {(o.id,): msgspec.structs.asdict(o) for o in roster.owned},
        tables.credential: {(a.person,): msgspec.structs.asdict(a) for a in known.accounts},
    }


async def _write(
    connection: AsyncConnection, table: Table, old: Mapping[Key, Any], new: Rows
) -> None:
    keys = list(table.primary_key)
    gone = [key for key in old if key not in new]
    # First, so that a login can go from one person to another.
    for start in range(0, len(gone), 500):
        some = gone[start : start + 500]
        await connection.execute(delete(table).where(tuple_(*keys).in_(some)))
    fresh = [row for key, row in new.items() if key not in old]
    for key, row in new.items():
        if key in old and old[key] != row:
            which = [column == value for column, value in zip(keys, key, strict=True)]
            await connection.execute(update(table).where(*which).values(row))
    for start in range(0, len(fresh), 500):
        await connection.execute(insert(table), fresh[start : start + 500])


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
