"""Which schema a database has: whose it is, how new, whether it is whole, and how it is brought up
to date."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from monitord.store.errors import StoreError, left_alone
from monitord.store.tables import metadata

VERSIONS = "alembic_version"
"""Alembic's own table."""

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic's settings are a ConfigParser's, in which a per cent sign begins a name.
    folder = str(MIGRATIONS).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest schema that this program knows."""
    found = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert found is not None
    return found


def revision_of(connection: Connection) -> str | None:
    """The schema that a database has; None where it has none of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def refuse_others(name: str, setting: str, present: Set[str], revisions: Set[str]) -> None:
    """Refuse a database that is not ours, newer, or not whole.

    ``name`` and ``setting`` are for the text; ``present`` are the names of the tables and views in
    it, ``revisions`` what stands in Alembic's table.

    Raises:
        StoreError: with what is wrong.
    """
    ours = set(metadata.tables)
    foreign = present - {VERSIONS}
    if foreign and not (revisions and present & ours):
        raise StoreError(
            f"database {name} belongs to another program (it has "
            f"{', '.join(sorted(foreign)[:3])} …). {left_alone(setting)}"
        )
    scripts = ScriptDirectory.from_config(alembic_config())
    unknown = revisions - {s.revision for s in scripts.walk_revisions()}
    if unknown:
        raise StoreError(
            f"database {name} was written by a newer monitord (schema {sorted(unknown)[0]}). It "
            "was left as it is; install that version again."
        )
    lost = ours - present
    if revisions == {head()} and lost:
        raise StoreError(
            f"database {name} lacks the tables {', '.join(sorted(lost))}. {left_alone(setting)}"
        )


def bring_up_to_date(connection: Connection) -> None:
    """Run what migrations are missing, all of them or none."""
    command.upgrade(alembic_config(connection), "head")
    connection.commit()


def revision_in_words(revisions: Set[str]) -> str:
    """For ``monitord check``: what the next start would do."""
    newest = head()
    if not revisions:
        return f"has no tables yet; the next start makes them (schema {newest})"
    found = max(revisions)
    if found == newest:
        return f"is whole and up to date (schema {newest})"
    return f"is whole; the next start would migrate it from schema {found} to {newest}"
