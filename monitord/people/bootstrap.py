"""The people of the settings file become the first roster; after that they mean nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from monitord.people.people import People
from monitord.people.roster import (
    Account,
    Everybody,
    Ownership,
    Person,
    Roster,
    Team,
)
from monitord.people.store import PeopleStore, write_setting

DONE = "people.bootstrapped"


class First(Struct, frozen=True):
    """Somebody as the settings name them."""

    person: Person
    endpoints: tuple[str, ...] = ()
    login: str = ""
    password_hash: str = ""


def everybody_of(first: Iterable[First]) -> Everybody:
    """Endpoints are theirs from the beginning of time: nothing says since when."""
    some = list(first)
    owned = [
        Ownership(f"{f.person.id}-{n}", endpoint, f.person.id, 0)
        for f in some
        for n, endpoint in enumerate(f.endpoints, 1)
    ]
    teams = {f.person.team: Team(f.person.team, f.person.team) for f in some if f.person.team}
    accounts = [Account(f.person.id, f.login, f.password_hash) for f in some if f.login]
    roster = Roster({f.person.id: f.person for f in some}, teams, tuple(owned))
    return Everybody(roster, tuple(accounts))


async def bootstrap(people: People, store: PeopleStore, first: Iterable[First], at: int) -> bool:
    """Take them over, once in the life of a database. False where that was done before.

    Raises:
        RosterError: they break a rule of the roster.
        PeopleError: the database does not take them.
    """
    if await store.setting(DONE) is not None:
        return False
    everybody = everybody_of(first)
    done: dict[str, Any] = {"at": at, "people": len(everybody.roster.people)}
    await people.change(lambda old: everybody, write_setting(DONE, done))
    return True
