"""Who is signed in. Kept in the database, so that a restart signs nobody out, and in memory."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.people.ends import Ends
from monitord.people.store import Alongside, PeopleError, commit
from monitord.store import tables
from monitord.store.engine import uncut

SESSION_S = 12 * 3600
"""A working day; after that the password is asked for again."""

SESSIONS_MOST = 10_000
OF_ONE_MOST = 50
"""Sessions of one person; the oldest ends when there would be more."""

ID_LENGTH = 20

SEEN_MS = 60_000
"""How exact it is kept when a session was last used."""


class Session(Struct):
    key: str
    """Digest of the token, which only the browser has."""
    person: str
    how: str
    """``password`` or ``provider``."""
    address: str
    browser: str
    created: int
    """ms UTC, as the following."""
    seen: int
    expires: int

    @property
    def id(self) -> str:
        """By which people name it. It opens nothing, and neither does the key."""
        return self.key[:ID_LENGTH]


class Sessions:
    def __init__(
        self, engine: AsyncEngine, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """``clock`` gives ms UTC: sessions outlive the process, so no other clock will do."""
        self._engine = engine
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._ends = Ends()
        self._unwritten: set[str] = set()
        """Keys of those that were used since it was last written."""

    async def load(self) -> None:
        """Those from before this process.

        Raises:
            PeopleError: they cannot be read.
        """
        table = tables.sign_in_session
        statement = select(table).where(table.c.expires > self._clock()).order_by(table.c.created)
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(str(getattr(error, "orig", None) or error)) from None
        for row in rows:
            session = msgspec.convert({str(k): v for k, v in row.items()}, Session)
            self._sessions[session.key] = session

    async def begin(self, person: str, how: str, address: str, browser: str) -> str:
        """A new session's token. Never one that came with the request: that could have been put
        into the browser by somebody else.

        Raises:
            PeopleError: it could not be written, so it does not exist.
        """
        self._drop_expired()
        own = [s for s in self._sessions.values() if s.person == person]
        surplus = own[: len(own) - OF_ONE_MOST + 1] if len(own) >= OF_ONE_MOST else []
        if len(self._sessions) - len(surplus) >= SESSIONS_MOST:
            surplus.append(next(iter(self._sessions.values())))
        await self.end([s.key for s in surplus])
        token = secrets.token_urlsafe(32)
        now = self._clock()
        session = Session(
            key=key_of(token),
            person=person,
            how=how,
            address=address[:100],
            browser=browser[:200],
            created=now,
            seen=now,
            expires=now + SESSION_S * 1000,
        )
        await self._write(insert(tables.sign_in_session).values(msgspec.structs.asdict(session)))
        self._sessions[session.key] = session
        return token

    def get(self, key: str) -> Session | None:
        """By its key; None where there is none (any more)."""
        session = self._sessions.get(key)
        return session if session is not None and session.expires > self._clock() else None

    def find(self, token: str) -> Session | None:
        """By the browser's token, which is a use of it; None where there is none (any more)."""
        session = self.get(key_of(token))
        if session is None:
            return None
        now = self._clock()
        if now - session.seen >= SEEN_MS:
            session.seen = now
            self._unwritten.add(session.key)
        return session

    def of(self, person: str | None = None) -> list[Session]:
        """Those of one person, or all; the latest first."""
        now = self._clock()
        found = [s for s in self._sessions.values() if s.expires > now]
        found = [s for s in found if person is None or s.person == person]
        return sorted(found, key=lambda s: s.created, reverse=True)

    async def end_all_of(self, person: str, but: str | None = None) -> int:
        """All of one person's, ``but`` the one with that key; gives how many there were.

        Raises:
            PeopleError: as for ``end``.
        """
        keys = [s.key for s in self._sessions.values() if s.person == person and s.key != but]
        await self.end(keys)
        return len(keys)

    def named(self, id_: str) -> Session | None:
        """By its id; None where there is none (any more)."""
        return next((s for s in self.of() if s.id == id_), None)

    async def end(self, keys: list[str], *alongside: Alongside) -> None:
        """At once, also where the database does not take it now; then it could come back with a
        restart, so that is said. ``alongside`` writes in the same transaction.

        Raises:
            PeopleError: it is not on disk.
        """
        known = [key for key in keys if key in self._sessions]
        for key in known:
            self._forget(key)
        if known:
            column = tables.sign_in_session.c.key

            async def write(connection: AsyncConnection) -> None:
                await connection.execute(delete(tables.sign_in_session).where(column.in_(known)))

            await commit(self._engine, write, *alongside)

    def forget_all_of(self, person: str) -> None:
        """Their rows are gone from the database."""
        for key in [s.key for s in self._sessions.values() if s.person == person]:
            self._forget(key)

    async def keep_up(self) -> None:
        """Write when the sessions were last used, and drop what is over. Now and then.

        Raises:
            PeopleError: it was not written; the next time takes it along.
        """
        self._drop_expired()
        table, now = tables.sign_in_session, self._clock()
        for key in list(self._unwritten):
            session = self._sessions.get(key)
            if session is not None:
                await self._write(update(table).where(table.c.key == key).values(seen=session.seen))
            self._unwritten.discard(key)
        await self._write(delete(table).where(table.c.expires <= now))

    def on_end(self, key: str, call: Callable[[], None]) -> Callable[[], None]:
        """``call`` when the session ends, at once where it already has. Gives the function that
        takes this back."""
        if key not in self._sessions:
            call()
            return lambda: None
        return self._ends.listen(key, call)

    def _forget(self, key: str) -> None:
        self._sessions.pop(key, None)
        self._ends.tell(key)

    def _drop_expired(self) -> None:
        now = self._clock()
        for key in [k for k, s in self._sessions.items() if s.expires <= now]:
            self._forget(key)

    async def _write(self, statement: Any) -> None:
        async def commit() -> None:
            async with self._engine.begin() as connection:
                await connection.execute(statement)

        try:
            await uncut(commit())
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(str(getattr(error, "orig", None) or error)) from None


def key_of(token: str) -> str:
    """Only a digest is kept, so that neither a backup nor a memory dump holds a usable token."""
    # A cookie's bytes need not be UTF-8.
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
