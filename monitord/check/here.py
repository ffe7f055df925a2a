"""What can be checked on this machine: the settings, the page, the port, the database.

Changes nothing: no file is made, nothing is migrated, no lock is kept.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from alembic.script import ScriptDirectory

from monitord.api import page
from monitord.check.report import Line, Section, Verdict
from monitord.config import Loaded
from monitord.people.bootstrap import everybody_of
from monitord.store.engine import StoreError, _look_inside, alembic_config

LOOK_S = 20.0
"""A database that takes longer to be looked through is left to the daemon's own start."""

_MAGIC = b"SQLite format 3\x00"


def settings_section(loaded: Loaded, page_folder: Path = page.FOLDER) -> Section:
    pbxs = len(loaded.links)
    lines = [
        Line(
            "file",
            Verdict.OK,
            f"{loaded.path} is read and valid; {pbxs} PBX{'s' if pbxs > 1 else ''}",
        ),
        Line("secrets", Verdict.OK, "every PBX's secret is there and not for everybody to read"),
        _people(loaded),
    ]
    missing = page.missing(page_folder)
    lines.append(
        Line("page", Verdict.OK, "is built")
        if missing is None
        else Line("page", Verdict.WRONG, missing, "Without it “monitord run” does not start.")
    )
    lines.append(_port(loaded))
    return Section("Settings", lines)


def _people(loaded: Loaded) -> Line:
    """Of the settings, which count for the first start only; the roster comes after that."""
    everybody = everybody_of(loaded.first)
    rights = [everybody.roster.rights_of(a.person) for a in everybody.accounts]
    may = sum(r.may("supervision.disconnect") for r in rights)
    found = f"{len(rights)} can sign in at the first start, {may} of them may disconnect"
    if may:
        return Line("people", Verdict.OK, found)
    lost = "use Disconnect User" if rights else "sign in"
    return Line(
        "people", Verdict.WARNING, found, f"Nobody can {lost}: see [[people]] in docs/settings.md."
    )


def _port(loaded: Loaded) -> Line:
    server = loaded.settings.server
    where = f"{server.host}:{server.port}"
    if server.port == 0:
        return Line("port", Verdict.OK, f"a free one on {server.host} is taken at each start")
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            with closing(socket.socket(family, kind, protocol)) as probe:
                # As the daemon does; else a connection that has just ended would count as used.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        if running_pid(loaded.database.parent) is not None:
            return Line("port", Verdict.OK, f"{where} is in use, and a monitord runs already")
        return Line(
            "port",
            Verdict.WRONG,
            f"{where} cannot be listened on: {error.strerror}",
            "Without it “monitord run” does not start: end what uses it, or change server.port.",
        )
    return Line("port", Verdict.OK, f"{where} is free")


def running_pid(folder: Path) -> str | None:
    """Of the monitord that holds the ledger, None where none does. The lock is only tried, shared
    and for an instant, on a file that is there already."""
    try:
        with (folder / "monitord.lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read(20).decode("ascii", "replace").strip()
                return text if text.isdigit() else "?"
    except OSError:
        return None
    return None


def database_section(loaded: Loaded) -> Section:
    path = loaded.database
    lines = [_database(path)]
    pid = running_pid(path.parent)
    lines.append(
        Line("other monitord", Verdict.OK, "none runs on this database")
        if pid is None
        else Line("other monitord", Verdict.OK, f"one runs on this database (process {pid})")
    )
    return Section("Database", lines)


def _database(path: Path) -> Line:
    if not os.path.lexists(path):
        return _to_be_made(path)
    try:
        found = _look(path)
    except StoreError as error:
        return _refused(str(error))
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            return Line(
                "file", Verdict.WARNING, f"{path} was not looked through within {LOOK_S:g} s"
            )
        return _refused(f"database {path} is damaged or cannot be used: {error}")
    except OSError as error:
        return _refused(f"database {path} cannot be read: {error.strerror}")
    for needed in (path, path.parent):
        if not os.access(needed, os.W_OK):
            return _refused(f"{needed} cannot be written")
    return Line("file", Verdict.OK, f"{path} {found}")


def _refused(why: str) -> Line:
    return Line("file", Verdict.REFUSED, why, "“monitord run” does not start with it.")


def _to_be_made(path: Path) -> Line:
    there = next(p for p in path.parents if os.path.lexists(p))
    if not there.is_dir():
        return _refused(f"{there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        return _refused(f"{path} does not exist and {there} cannot be written")
    return Line("file", Verdict.OK, f"{path} does not exist yet; the first start makes it")


def _look(path: Path) -> str:
    """What there is in it, in words."""
    if not path.is_file():
        raise StoreError(f"database {path} is not a file")
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if not start:
        return "is empty; the first start fills it"
    if start != _MAGIC:
        raise StoreError(f"database {path} is not an SQLite database, or its beginning is damaged")
    address = f"{path.absolute().as_uri()}?mode=ro"
    wal, shared = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    if not (wal.exists() and shared.exists()):
        if wal.exists() and wal.stat().st_size:
            return "is there, with a log beside it; looking inside would make files, so it was not"
        address += "&immutable=1"  # nobody writes to it; else SQLite would make both files
    with closing(sqlite3.connect(address, uri=True)) as connection:
        until = time.monotonic() + LOOK_S
        connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
        _look_inside(path, connection)
        return _revision(connection)


def _revision(connection: sqlite3.Connection) -> str:
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "alembic_version" not in names:
        return f"has no tables yet; the next start makes them (schema {head})"
    (found,) = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()
    if found == head:
        return f"is whole and up to date (schema {head})"
    return f"is whole; the next start would migrate it from schema {found} to {head}"
