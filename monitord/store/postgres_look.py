"""What a PostgreSQL database is, before anything is done to it: only reads, and makes no claim."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from monitord.store.errors import StoreError
from monitord.store.postgres import SETTING, daemons
from monitord.store.schema import VERSIONS, refuse_others
from monitord.store.tables import metadata

_SERVER = """
    SELECT current_setting('server_version'), current_setting('server_encoding'),
           current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
           pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
           current_user::text, rolsuper, current_schema()::text,
           coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
    FROM pg_roles WHERE rolname = current_user
"""

# Rows of the audit log are never changed, so nobody needs the right to.
# What an extension brought, such as the views of pg_stat_statements, is no program's data.
_RELATIONS = """
    SELECT c.relname::text,
           c.relkind = 'r' AND NOT (has_table_privilege(c.oid, 'SELECT')
             AND has_table_privilege(c.oid, 'INSERT')
             AND (c.relname = 'audit' OR has_table_privilege(c.oid, 'UPDATE')))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A database as it was found."""

    version: str
    """Of the server, such as ``15.18 (Debian 15.18-0+deb12u1)``."""
    encoding: str
    crash_safe: bool
    """The server is set to survive a power cut: ``fsync`` and ``full_page_writes``."""
    read_only: bool
    """A standby, or set so."""
    role: str
    superuser: bool
    schema: str | None
    """In which our tables are or would be made; None where the role sees none."""
    may_create: bool
    present: frozenset[str]
    """Tables and views in that schema."""
    closed: frozenset[str]
    """Those of our tables that the role may not both read and write."""
    revisions: frozenset[str]
    daemons: tuple[str, ...]
    """Which are connected, other than that of ``me``."""


async def look(connection: asyncpg.Connection, me: int = 0) -> Seen:
    """
    Raises:
        asyncpg.PostgresError: the server refuses to tell.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        server = await connection.fetchrow(_SERVER)
        assert server is not None
        found = await connection.fetch(_RELATIONS)
        closed = {name for name, shut in found if shut}
        revisions: set[str] = set()
        if any(name == VERSIONS for name, _ in found) and VERSIONS not in closed:
            rows = await connection.fetch("SELECT version_num::text FROM alembic_version")
            revisions = {str(row[0]) for row in rows}
        others = await daemons(connection, me)
    version, encoding, crash_safe, read_only, role, superuser, schema, may_create = server
    return Seen(
        version=version,
        encoding=encoding,
        crash_safe=crash_safe,
        read_only=read_only,
        role=role,
        superuser=superuser,
        schema=schema,
        may_create=may_create,
        present=frozenset(name for name, _ in found),
        closed=frozenset(closed & ({VERSIONS} | set(metadata.tables))),
        revisions=frozenset(revisions),
        daemons=tuple(others),
    )


def refuse(name: str, seen: Seen) -> None:
    """
    Raises:
        StoreError: monitord cannot keep its ledger there, and why.
    """
    if seen.encoding != "UTF8":
        raise StoreError(
            f"database {name} keeps text in {seen.encoding}, not in UTF8; make one with "
            "ENCODING 'UTF8' TEMPLATE template0"
        )
    if seen.schema is None:
        raise StoreError(f"database {name}: role {seen.role} sees no schema in its search_path")
    if seen.read_only:
        raise StoreError(
            f"database {name} can only be read: it is a standby, or set so; name the server that "
            f"takes writes as {SETTING}"
        )
    if seen.closed:
        raise StoreError(
            f"database {name}: role {seen.role} may not read and write the tables "
            f"{', '.join(sorted(seen.closed))}; make it their owner"
        )
    refuse_others(name, SETTING, seen.present, seen.revisions)
    if not seen.revisions and not seen.may_create:
        raise StoreError(
            f"database {name}: role {seen.role} may not make tables in the schema {seen.schema}; "
            "make it the database's owner"
        )
