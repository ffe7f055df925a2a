"""One-time links: the first administrator's, and those by which people set their password.

They are looked up in the database alone, since the command line makes them beside a daemon that
runs. Only a digest of each is kept.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitord.people import rules
from monitord.people.people import can_sign_in
from monitord.people.roster import Everybody
from monitord.people.sessions import key_of
from monitord.people.store import Alongside, PeopleError, commit
from monitord.store import tables

HOURS = 24
"""How long a link may be used."""

PATH = "/sign-in/link"
TOKEN_MOST = 100
"""Characters; ours have 43."""


class LinkGoneError(Exception):
    """It was used, is too old, was replaced by another one, or never was."""


class Link(Struct, frozen=True):
    key: str
    """Digest of the link's token."""
    person: str | None
    """Who sets a password with it; None: it makes the first administrator."""
    expires: int
    """ms UTC."""


def needs_administrator(everybody: Everybody) -> bool:
    """Whether nobody who can sign in may give roles: then a link may make somebody who can."""
    people = (a.person for a in everybody.accounts if can_sign_in(a))
    return not rules.somebody_may(everybody.roster, people, "rights.edit")


def address(token: str) -> str:
    """Path of a link's page. The token stands behind the #, which browsers send to no server, so
    it comes into no log and no Referer."""
    return f"{PATH}#{token}"


class Links:
    def __init__(
        self, engine: AsyncEngine, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """``clock`` gives ms UTC."""
        self._engine = engine
        self._clock = clock

    async def make(self, person: str | None, *alongside: Alongside) -> tuple[str, Link]:
        """A new link's token and what is known of it; an earlier one for the same person means
        nothing any more.

        Raises:
            PeopleError: it could not be written, so it does not exist.
        """
        token = secrets.token_urlsafe(32)
        now = self._clock()
        link = Link(key_of(token), person, now + HOURS * 3_600_000)
        table = tables.one_time_link

        async def write(connection: AsyncConnection) -> None:
            same = table.c.person.is_(None) if person is None else table.c.person == person
            await connection.execute(delete(table).where(or_(same, table.c.expires <= now)))
            await connection.execute(insert(table).values(msgspec.structs.asdict(link)))

        await commit(self._engine, write, *alongside)
        return token, link

    async def find(self, token: str) -> Link:
        """
        Raises:
            LinkGoneError: there is none (any more).
            PeopleError: the database does not tell.
        """
        table = tables.one_time_link
        statement = select(table).where(
            table.c.key == key_of(token), table.c.expires > self._clock()
        )
        try:
            async with self._engine.connect() as connection:
                row = (await connection.execute(statement)).mappings().one_or_none()
        except (SQLAlchemyError, OSError) as error:
            raise PeopleError(str(getattr(error, "orig", None) or error)) from None
        if row is None:
            raise LinkGoneError
        return Link(row["key"], row["person"], row["expires"])

    def spend(self, link: Link) -> Alongside:
        """To be done in the transaction of what the link is for, so that of two who use it at
        once one gets nothing: LinkGoneError, and the transaction with it."""
        table = tables.one_time_link

        async def write(connection: AsyncConnection) -> None:
            gone = await connection.execute(delete(table).where(table.c.key == link.key))
            if gone.rowcount != 1:
                raise LinkGoneError

        return write
