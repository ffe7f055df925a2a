"""Signing in with a password, and who a request comes from."""

from __future__ import annotations

from msgspec import Struct

from monitord.people.passwords import Verifier
from monitord.people.people import People
from monitord.people.roster import Account, Rights
from monitord.people.sessions import Session, Sessions
from monitord.people.tries import Tries


class Who(Struct, frozen=True):
    """Somebody who is signed in, at this moment."""

    id: str
    """Of the person."""
    name: str
    rights: Rights
    session: str | None = None
    """Key of the session; None where a token was used."""


class SignIn:
    def __init__(self, people: People, sessions: Sessions, tries: Tries) -> None:
        self.people, self.sessions, self.tries = people, sessions, tries
        self._verifier = Verifier()

    async def password(
        self, login: str, password: str, address: str, device: str
    ) -> Account | None:
        """The account, None where login or password is wrong or the person has left. ``device`` is
        the browser's device cookie, empty where it has none.

        Raises:
            TooManyTriesError: this one has to wait.
        """
        one = self.tries.begin(login, address, device)
        account = self.people.by_login.get(login.casefold())
        hashed = account.password_hash if account is not None else None
        right = await self._verifier.right(hashed, password)
        if account is None or not right or not self._active(account.person):
            return None
        one.succeeded()
        return account

    def who(self, token: str) -> Who | None:
        """Whose session it is; None where it is over, or its person has left."""
        session = self.sessions.find(token) if token else None
        return self.behind(session) if session is not None else None

    def behind(self, session: Session) -> Who | None:
        if not self._active(session.person):
            return None
        name = self.people.name_of(session.person)
        return Who(session.person, name, self.people.rights(session.person), session.key)

    def _active(self, person: str) -> bool:
        found = self.people.roster.people.get(person)
        return found is not None and found.active
