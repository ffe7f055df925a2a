"""API tokens: how a program is somebody. It may less than they do, never more, and not for ever.

Kept in the database, and in memory; only a digest of each, so that neither holds a usable one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.people.ends import Ends
from monitord.people.permissions import Permission
from monitord.people.sessions import key_of
from monitord.people.store import Alongside, PeopleError, commit
from monitord.store import tables

PREFIX = "mtd_"
"""By which a token that was published by mistake is recognised, and found by who looks for such."""

DAYS_USUAL, DAYS_MOST = 90, 366
DAY_MS = 24 * 3600 * 1000

NAME_MOST = 100
OF_ONE_MOST = 50
"""Tokens of one person."""

USED_MS = 10 * 60_000
"""How exact it is kept when a token was last used."""

NEVER: frozenset[Permission] = frozenset(
    {"rights.edit", "session.end", "token.make", "recording.play"}
)
"""What no token may, whoever made it: whoever finds one could make themselves a lasting way in, or
carry customers' voices away."""


class TooManyTokensError(Exception):
    def __init__(self) -> None:
        super().__init__(f"there may be at most {OF_ONE_MOST}; revoke one that is not used")


class Token(Struct):
    id: str
    key: str
    """Digest of the token, which only the program has."""
    person: str
    name: str
    permissions: frozenset[Permission]
    created: int
    """ms UTC, as the following."""
    expires: int
    used: int | None = None


class Tokens:
    def __init__(
        self, engine: AsyncEngine, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """``clock`` gives ms UTC."""
        self._engine = engine
        self._clock = clock
        self._by_key: dict[str, Token] = {}
        self._by_id: dict[str, Token] = {}
        self._ends = Ends()
        self._unwritten: set[str] = set()
        """Ids of those that were used since it was last written."""

    async def load(self) -> None:
        """
        Raises:
            PeopleError: they cannot be read.
        """
        table = tables.api_token
        statement = select(table).where(table.c.expires > self._clock()).order_by(table.c.created)
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
            for row in rows:
                values = {str(k): v for k, v in row.items()}
                values["permissions"] = msgspec.json.decode(values["permissions"])
                self._keep(msgspec.convert(values, Token))
        except (SQLAlchemyError, OSError, msgspec.MsgspecError) as error:
            raise PeopleError(str(getattr(error, "orig", None) or error)) from None

    async def make(
        self,
        person: str,
        name: str,
        permissions: frozenset[Permission],
        days: int,
        alongside: Callable[[Token], Alongside],
    ) -> tuple[str, Token]:
        """A new one: the text, which is nowhere else, and what is known of it. ``alongside``
        writes in the same transaction.

        Raises:
            TooManyTokensError: the person has as many as there may be.
            PeopleError: it could not be written, so it does not exist.
        """
        if len(self.of(person)) >= OF_ONE_MOST:
            raise TooManyTokensError
        text = PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        token = Token(
            id=secrets.token_hex(8),
            key=key_of(text),
            person=person,
            name=name,
            permissions=permissions - NEVER,
            created=now,
            expires=now + min(days, DAYS_MOST) * DAY_MS,
        )
        row = msgspec.structs.asdict(token)
        row["permissions"] = msgspec.json.encode(sorted(token.permissions)).decode()

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(insert(tables.api_token).values(row))

        await commit(self._engine, write, alongside(token))
        self._keep(token)
        return text, token

    def find(self, text: str) -> Token | None:
        """By what the program sends, which is a use of it; None where it is no token (any more)."""
        token = self._by_key.get(key_of(text)) if text.startswith(PREFIX) else None
        token = self.get(token.id) if token is not None else None
        if token is None:
            return None
        now = self._clock()
        if token.used is None or now - token.used >= USED_MS:
            token.used = now
            self._unwritten.add(token.id)
        return token

    def get(self, id_: str) -> Token | None:
        """By its id; None where there is none (any more)."""
        token = self._by_id.get(id_)
        return token if token is not None and token.expires > self._clock() else None

    def of(self, person: str | None = None) -> list[Token]:
        """Those of one person, or all; the latest first."""
        now = self._clock()
        found = [t for t in self._by_id.values() if t.expires > now]
        found = [t for t in found if person is None or t.person == person]
        return sorted(found, key=lambda t: t.created, reverse=True)

    async def revoke(self, id_: str, alongside: Alongside) -> None:
        """It is refused from now on, also where the database does not take that; then it would
        come back with a restart, so that is said.

        Raises:
            PeopleError: it is not on disk.
        """
        self._forget(id_)

        async def write(connection: AsyncConnection) -> None:
            column = tables.api_token.c.id
            await connection.execute(delete(tables.api_token).where(column == id_))

        await commit(self._engine, write, alongside)

    def forget_all_of(self, person: str) -> None:
        """Their rows are gone from the database."""
        for id_ in [t.id for t in self._by_id.values() if t.person == person]:
            self._forget(id_)

    async def keep_up(self) -> None:
        """Write when tokens were last used, and drop what is over. Now and then.

        Raises:
            PeopleError: it was not written; the next time takes it along.
        """
        now, table = self._clock(), tables.api_token
        for id_ in [t.id for t in self._by_id.values() if t.expires <= now]:
            self._forget(id_)

        async def write(connection: AsyncConnection) -> None:
            for id_ in used:
                if (token := self._by_id.get(id_)) is not None:
                    which = update(table).where(table.c.id == id_)
                    await connection.execute(which.values(used=token.used))
            await connection.execute(delete(table).where(table.c.expires <= now))

        used = list(self._unwritten)
        await commit(self._engine, write)
        self._unwritten.difference_update(used)

    def on_end(self, id_: str, call: Callable[[], None]) -> Callable[[], None]:
        """``call`` when the token ends, at once where it already has. Gives the function that
        takes this back."""
        if id_ not in self._by_id:
            call()
            return lambda: None
        return self._ends.listen(id_, call)

    def _keep(self, token: Token) -> None:
        self._by_key[token.key] = self._by_id[token.id] = token

    def _forget(self, id_: str) -> None:
        token = self._by_id.pop(id_, None)
        if token is not None:
            del self._by_key[token.key]
            self._ends.tell(id_)
