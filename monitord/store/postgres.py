"""The ledger in a PostgreSQL database: connecting to it, and being the only monitord that does.

Every connection of a daemon holds an advisory lock that says which daemon it is, and none is made
while one of another daemon lives. So whoever can write has just seen that no other one can, also
after the server was restarted; and a daemon that follows a killed one begins when the last
transaction of that one is over, not before.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SETTING = "store.url"

CONNECT_S = 10.0
"""In which a connection must stand, signing in included."""

COMMAND_S = 30.0
"""After which the server ends a statement. Half as long again, and it is taken for dead."""

POOL_S = 10.0
"""How long a reader or writer waits for a free connection."""

URL_MOST = 1000
_QUERY = ("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_KEY = 0x6D6F6E69
"""Of our advisory locks, which a database's programs share: "moni"."""
_DOOR = 0
"""Held while a connection looks who else is there; other numbers are daemons."""


class Unreachable(ConnectionError):
    """No connection: the server, the network, the password, or another daemon is in the way."""


class Taken(Unreachable):
    """Another monitord runs on the database."""


def postgres_url(text: str, password: str | None = None) -> URL:
    """A database's address as the settings have it, in libpq's form.

    Raises:
        ValueError: with the rule that it breaks; never with a part of it that may be secret.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("must look like postgresql://role@host/database") from None
    if url.drivername != "postgresql":
        raise ValueError("must begin with postgresql://")
    if url.password is not None:
        raise ValueError("must hold no password; it belongs into store.password_file")
    if not url.username or not url.database:
        raise ValueError("must name role and database: postgresql://role@host/database")
    if not (url.host or url.query.get("host")):
        raise ValueError("must name the host, or the socket's folder as ?host=/run/postgresql")
    for key, value in url.query.items():
        if key not in _QUERY:
            raise ValueError(f"there is no option {key[:40]!r}; there are: {', '.join(_QUERY)}")
        if not isinstance(value, str):
            raise ValueError(f"option {key} may be given only once")
        if key == "sslmode" and value not in _SSL_MODES:
            raise ValueError(f"option sslmode must be one of: {', '.join(_SSL_MODES)}")
        if key in ("sslrootcert", "sslcert", "sslkey") and not value.startswith("/"):
            raise ValueError(f"option {key} must be a path that begins with /")
        if key == "port" and not (value.isascii() and value.isdigit() and int(value) < 65536):
            raise ValueError("option port must be a whole number up to 65535")
    if "," in (url.host or str(url.query.get("host", ""))):
        raise ValueError("must name one host: the server that can be written to")
    return url.set(drivername="postgresql+asyncpg", password=password)


def shown(url: URL) -> str:
    """The address for people and logs, without the password and the options."""
    return _public(url).set(query={}).render_as_string()


def _public(url: URL) -> URL:
    """In libpq's form and without the password, which ``URL.set`` cannot take away."""
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)


async def connect(
    url: URL, *, busy_ms: int = 5000, statement_s: float | None = None
) -> asyncpg.Connection:
    """One connection, set up as all of ours are, which lays claim to nothing.

    ``statement_s`` is a statement's bound in seconds, 0 for none, in place of ``COMMAND_S``.

    Raises:
        Unreachable: with the reason.
    """
    statement_s = COMMAND_S if statement_s is None else statement_s
    settings = {
        "application_name": f"monitord@{socket.gethostname()[:40]}:{os.getpid()}",
        "lock_timeout": str(busy_ms),
        "statement_timeout": str(round(statement_s * 1000)),
        # A machine that was cut off gives its place free after a minute and a half, not two hours.
        "tcp_keepalives_idle": "60",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    try:
        connection = await asyncpg.connect(
            _public(url).render_as_string(),
            password=url.password,
            timeout=CONNECT_S,
            command_timeout=statement_s * 1.5 or None,
            server_settings=settings,
        )
    except TimeoutError:
        raise Unreachable(f"no answer within {CONNECT_S:g} s") from None
    except OSError as error:
        raise Unreachable(error.strerror or str(error)) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unreachable(str(error.args[0] if error.args else error)) from None
    async with _ended_if_it_fails(connection):
        # A row that we call saved survives a power cut, whatever the server does by itself;
        # where it waits for a standby to apply, it goes on doing so.
        await connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
        )
    return connection


@asynccontextmanager
async def _ended_if_it_fails(connection: asyncpg.Connection) -> AsyncIterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        await close(connection)
        raise Unreachable(str(error.args[0] if error.args else error)) from None
    except Taken:
        await close(connection)
        raise
    except BaseException:
        connection.terminate()
        raise


async def close(connection: asyncpg.Connection) -> None:
    """In order where the server still answers, else by force."""
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=2.0)


_OTHERS = """
    SELECT DISTINCT coalesce(nullif(a.application_name, ''), 'process ' || l.pid)
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.classid::bigint = $1 AND l.objsubid = 2 AND l.objid::bigint NOT IN ($2, $3)
    ORDER BY 1
"""


async def daemons(connection: asyncpg.Connection, me: int = 0) -> list[str]:
    """Which daemons other than ``me`` have a connection to the database, in words."""
    return [str(row[0]) for row in await connection.fetch(_OTHERS, _KEY, _DOOR, me)]


async def _claim(connection: asyncpg.Connection, me: int) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _KEY, _DOOR)
        others = await daemons(connection, me)
        if others:
            raise Taken(
                f"another monitord already runs on it ({', '.join(others)}); "
                f"stop it, or name another {SETTING}"
            )
        # It stays until the connection ends.
        await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", _KEY, me)


class Place:
    """One daemon's place at a database: all connections that it makes hold it together."""

    def __init__(self, url: URL, busy_ms: int) -> None:
        self._url = url
        self._busy_ms = busy_ms
        self.me = secrets.randbelow((1 << 31) - 1) + 1

    async def connect(self, statement_s: float | None = None) -> asyncpg.Connection:
        """
        Raises:
            Taken: another daemon is there.
            Unreachable: with another reason.
        """
        connection = await connect(self._url, busy_ms=self._busy_ms, statement_s=statement_s)
        async with _ended_if_it_fails(connection):
            await _claim(connection, self.me)
        return connection

    async def _without_bounds(self) -> asyncpg.Connection:
        """A migration of a large ledger takes as long as it takes."""
        return await self.connect(statement_s=0)

    def engine(self) -> AsyncEngine:
        return _engine(self._url, self.connect, pool_pre_ping=True, pool_timeout=POOL_S)

    def migrating_engine(self) -> AsyncEngine:
        return _engine(self._url, self._without_bounds, poolclass=NullPool)


def visiting_engine(url: URL, busy_ms: int) -> AsyncEngine:
    """For a program that stands beside a daemon: it lays claim to nothing."""
    return _engine(url, partial(connect, url, busy_ms=busy_ms), poolclass=NullPool)


def _engine(
    url: URL, creator: Callable[[], Awaitable[asyncpg.Connection]], **more: Any
) -> AsyncEngine:
    # Parameters hold names and numbers, which must not get into a log by an error's text. A reader
    # sees one moment, as in SQLite; with one daemon at work no two writers can be at odds.
    return create_async_engine(
        _public(url).set(drivername="postgresql+asyncpg"),
        async_creator=creator,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
        **more,
    )
