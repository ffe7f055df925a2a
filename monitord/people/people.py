"""The people of the site as they are now: who they are, how they sign in, what they may.

In memory, and the same as in the database: a change is committed first and takes effect then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitord.people import rules
from monitord.people.permissions import Permission
from monitord.people.roster import Account, Everybody, Rights, Roster
from monitord.people.rules import RosterError
from monitord.people.store import Alongside, PeopleStore

Edit = Callable[[Everybody], Everybody]


class People:
    def __init__(self, store: PeopleStore, everybody: Everybody) -> None:
        self._store = store
        self._listeners: dict[int, Callable[[], None]] = {}
        self._next = 0
        self._changing = asyncio.Lock()
        self._take(everybody)

    def _take(self, everybody: Everybody) -> None:
        self.everybody = everybody
        self.by_login = {a.login.casefold(): a for a in everybody.accounts}
        self.by_person = {a.person: a for a in everybody.accounts}
        self.by_subject = {a.subject: a for a in everybody.accounts if a.subject is not None}
        self._rights: dict[tuple[str, frozenset[Permission] | None], Rights] = {}

    @property
    def roster(self) -> Roster:
        return self.everybody.roster

    def name_of(self, person: str) -> str:
        """Also of somebody who has left."""
        found = self.roster.people.get(person)
        return found.name if found is not None else person

    def rights(self, person: str, only: frozenset[Permission] | None = None) -> Rights:
        """What somebody may at this moment; nothing where they have left or never were. ``only``:
        no more than these, as for an API token."""
        key = (person, only)
        if key not in self._rights:
            self._rights[key] = self.roster.rights_of(person, only)
        return self._rights[key]

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """``call`` after each change. Gives the function that ends it."""
        self._next += 1
        key = self._next
        self._listeners[key] = call
        return lambda: self._listeners.pop(key, None) and None

    async def change(self, edit: Edit, alongside: Alongside | None = None) -> None:
        """Carry out an edit of everybody as they are when its turn comes. ``alongside`` writes in
        the same transaction.

        Raises:
            RosterError: the result would break a rule; nothing is changed.
            PeopleError: the database did not take it; nothing is changed.
        """
        async with self._changing:
            old = self.everybody
            new = edit(old)
            rules.check(new.roster)
            _check_accounts(new)
            _check_administrator(old, new)
            await self._store.save(old, new, alongside)
            self._take(new)
        for listener in list(self._listeners.values()):
            listener()


def can_sign_in(account: Account) -> bool:
    """Whether there is a way in; one who was invited has none until they have set a password."""
    return account.password_hash is not None or account.subject is not None


def _check_accounts(everybody: Everybody) -> None:
    logins: set[str] = set()
    for account in everybody.accounts:
        login = account.login.casefold()
        if account.person not in everybody.roster.people:
            raise RosterError("login", f"there is nobody {account.person!r}")
        if not 1 <= len(account.login) <= 128:
            raise RosterError("login", "must be 1 to 128 characters")
        if login in logins:
            raise RosterError("login", f"{account.login!r} is somebody else's")
        logins.add(login)


def _check_administrator(old: Everybody, new: Everybody) -> None:
    """The last one who can give roles cannot be taken away: nobody could undo it."""

    def somebody(everybody: Everybody) -> bool:
        people = (a.person for a in everybody.accounts if can_sign_in(a))
        return rules.somebody_may(everybody.roster, people, "rights.edit")

    if somebody(old) and not somebody(new):
        raise RosterError(
            "roles",
            "nobody who can sign in would be left to give roles; make another administrator first",
        )


EMPTY = Everybody(Roster(people={}, teams={}))


def with_account(everybody: Everybody, account: Account) -> tuple[Account, ...]:
    """The accounts with this one in place of that person's own."""
    others = (a for a in everybody.accounts if a.person != account.person)
    return (*others, account)
