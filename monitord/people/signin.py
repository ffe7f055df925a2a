"""The ways in, and who a request comes from."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from monitord.people.passwords import Verifier
from monitord.people.people import People
from monitord.people.roster import Account, Rights
from monitord.people.sessions import Session, Sessions
from monitord.people.tokens import NEVER, Token, Tokens
from monitord.people.tries import Tries


class Who(Struct, frozen=True):
    """Somebody who is signed in, or a program of theirs, at this moment."""

    id: str
    """Of the person."""
    name: str
    rights: Rights
    session: str | None = None
    """Key of the session; None where a token was used."""
    token: str | None = None
    """Id of the token; None where a browser's session was used."""


class SignIn:
    def __init__(self, people: People, sessions: Sessions, tries: Tries, tokens: Tokens) -> None:
        self.people, self.sessions, self.tries, self.tokens = people, sessions, tries, tokens
        self.verifier = Verifier()

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
        right = await self.verifier.right(hashed, password)
        if account is None or not right or not self.active(account.person):
            return None
        one.succeeded()
        return account

    def who(self, cookie: str) -> Who | None:
        """Whose session it is; None where it is over, or its person has left."""
        session = self.sessions.find(cookie) if cookie else None
        return self.behind(session) if session is not None else None

    def bearer(self, text: str) -> Who | None:
        """Whose API token it is; None where it is over, or its person has left."""
        token = self.tokens.find(text)
        return self._behind_token(token) if token is not None else None

    def again(self, who: Who) -> Who | None:
        """The same one at this later moment; None where the session or token is over. This is no
        use of it."""
        if who.session is not None:
            session = self.sessions.get(who.session)
            return self.behind(session) if session is not None else None
        token = self.tokens.get(who.token) if who.token is not None else None
        return self._behind_token(token) if token is not None else None

    def on_change(self, who: Who, call: Callable[[], None]) -> Callable[[], None]:
        """``call`` whenever ``again`` may give something else, but for the time that runs out.
        Gives the function that takes this back."""
        forgets = [self.people.listen(call)]
        if who.session is not None:
            forgets.append(self.sessions.on_end(who.session, call))
        if who.token is not None:
            forgets.append(self.tokens.on_end(who.token, call))

        def forget() -> None:
            for one in forgets:
                one()

        return forget

    def behind(self, session: Session) -> Who | None:
        if not self.active(session.person):
            return None
        name = self.people.name_of(session.person)
        return Who(session.person, name, self.people.rights(session.person), session.key)

    def _behind_token(self, token: Token) -> Who | None:
        if not self.active(token.person):
            return None
        rights = self.people.rights(token.person, token.permissions - NEVER)
        return Who(token.person, self.people.name_of(token.person), rights, token=token.id)

    def active(self, person: str) -> bool:
        found = self.people.roster.people.get(person)
        return found is not None and found.active
