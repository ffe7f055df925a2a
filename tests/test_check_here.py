"""`monitord check` of this machine: settings, page, port and database, and that nothing changes."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest

from monitord.check.report import Verdict
from monitord.check.run import check
from monitord.store import schema
from monitord.store.engine import open_store, sqlite_url
from tests.kit.centre import SECRET
from tests.kit.client import DEADLINE
from tests.kit.daemon import Site, daemon
from tests.kit.stores import EVERYTHING, PostgresStore, Store
from tests.test_check import bad, checked, line, page_of, simulated


async def test_a_file_that_is_wrong(tmp_path: Path) -> None:
    path = Site(ami_port=9, secret=SECRET).write(tmp_path)
    path.write_text(path.read_text().replace("keypad", "keypud"))
    report = await check(path)
    assert bad(report) == {"file"} and "keypud" in report.text()
    assert str(path) in line(report, "file").found


async def test_page_and_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        site = Site(ami_port=9, secret=SECRET)
        text = site.write(tmp_path).read_text()
        path = tmp_path / "monitord.toml"
        path.write_text(text.replace("port = 0", f"port = {used.getsockname()[1]}", 1))
        report = await check(path, page_folder=tmp_path / "nothing")
    assert {"page", "port"} <= bad(report)
    assert "cannot be listened on" in line(report, "port").found


async def test_what_a_crash_has_left_stays_as_it_is(tmp_path: Path) -> None:
    path = Site(ami_port=9, secret=SECRET).write(tmp_path)
    data = tmp_path / "data"
    (tmp_path / "alive").mkdir()
    engine = await open_store(sqlite_url(tmp_path / "alive" / "monitord.sqlite3"))
    shutil.copytree(tmp_path / "alive", data)
    await engine.dispose()
    before = snapshot(data)
    assert len(before) == 3 and all(before.values()), "database, log and the log's index"
    found = line(await check(path, page_folder=page_of(tmp_path)), "file", "Database")
    assert "up to date" in found.found
    after = snapshot(data)
    assert after.keys() == before.keys()
    # Who reads notes in the index of the log that he does.
    assert {k: v for k, v in after.items() if not k.endswith("-shm")} == {
        k: v for k, v in before.items() if not k.endswith("-shm")
    }


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("kind", "verdict", "words"),
    [
        pytest.param("none", Verdict.OK, "the first start makes it", id="none"),
        pytest.param("empty", Verdict.OK, "first start fills it", id="empty"),
        pytest.param("ours", Verdict.OK, "up to date", id="ours"),
        pytest.param("older", Verdict.OK, "would migrate it from schema", id="older"),
        pytest.param("newer", Verdict.REFUSED, "newer monitord", id="newer"),
        pytest.param("garbage", Verdict.REFUSED, "not an SQLite database", id="garbage"),
        pytest.param("foreign", Verdict.REFUSED, "another program", id="foreign"),
        pytest.param("log", Verdict.OK, "it was not", id="a log and no index of it"),
        pytest.param("folder", Verdict.REFUSED, "is not a file", id="folder"),
    ],
)
async def test_database(
    tmp_path: Path, kind: str, verdict: Verdict, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Site(ami_port=9, secret=SECRET).write(tmp_path)
    file = tmp_path / "data" / "monitord.sqlite3"
    if kind != "none":
        file.parent.mkdir()
    if kind == "folder":
        file.mkdir()
    elif kind == "empty":
        file.touch()
    elif kind == "garbage":
        file.write_bytes(b"garbage" * 99)
    elif kind == "foreign":
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE songs (name TEXT)")
        connection.close()
    elif kind in ("ours", "older", "newer", "log"):
        await (await open_store(sqlite_url(file))).dispose()
    if kind == "newer":
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
    elif kind == "older":
        monkeypatch.setattr(schema, "head", lambda: "9999")
    elif kind == "log":
        file.with_name(file.name + "-wal").write_bytes(b"x")
    before = snapshot(tmp_path)
    found = line(await check(path, page_folder=page_of(tmp_path)), "file", "Database")
    assert found.verdict is verdict and words in found.found
    page_of(tmp_path)
    after = {k: v for k, v in snapshot(tmp_path).items() if "/page/" not in k}
    assert after == before and ((tmp_path / "data").exists() == (kind != "none"))


async def test_beside_a_running_daemon(tmp_path: Path, store: Store) -> None:
    async with simulated() as sim:
        async with daemon(Site(ami_port=sim.port, secret=SECRET, store=store), tmp_path) as running:
            await asyncio.wait_for(running.attachments["lab"].link.live.wait(), DEADLINE)
            report = await checked(tmp_path, sim.port, store=store)
            assert running.attachments["lab"].link.live.is_set()
        assert "one runs on this database" in line(report, "other monitord").found
        about = "file" if store.kind == "sqlite" else "database"
        assert "up to date" in line(report, about, "Database").found
        async with asyncio.timeout(DEADLINE):
            while True:
                after = await checked(tmp_path, sim.port, store=store)
                # PostgreSQL's server may show a connection for a moment after it went.
                if "none runs" in line(after, "other monitord").found:
                    break
    assert bad(report) == bad(after) == set(), report.text()


POSTGRES: dict[str, tuple[str, str, Verdict, str]] = {
    "empty": ("SELECT 1", "database", Verdict.OK, "the next start makes them"),
    "ours": ("SELECT 1", "database", Verdict.OK, "up to date"),
    "newer": (
        "UPDATE alembic_version SET version_num = '9999'",
        *("database", Verdict.REFUSED, "newer monitord"),
    ),
    "a table lost": ("DROP TABLE call", "database", Verdict.REFUSED, "lacks the tables call"),
    "foreign": (
        "DROP TABLE alembic_version",
        *("database", Verdict.REFUSED, "another program"),
    ),
    "no right to a table": (
        "REVOKE INSERT ON audit FROM monitord",
        *("database", Verdict.REFUSED, "may not read and write the tables audit"),
    ),
    "no right to create": (
        "ALTER DATABASE {name} OWNER TO admin",
        *("role", Verdict.WARNING, "may not make tables in public"),
    ),
    "superuser": ("ALTER ROLE monitord SUPERUSER", "role", Verdict.WARNING, "is a superuser"),
    "not safe": ("SELECT 1", "server", Verdict.WARNING, "fsync or full_page_writes is off"),
    "wrong password": (
        "ALTER ROLE monitord PASSWORD 'other'",
        *("server", Verdict.WRONG, "password authentication failed"),
    ),
}


@pytest.mark.parametrize("name", POSTGRES)
async def test_postgresql(name: str, tmp_path: Path, postgres: PostgresStore) -> None:
    change, about, verdict, words = POSTGRES[name]
    if name != "empty":
        await (await open_store(postgres.url)).dispose()
    try:
        with postgres.other() as other:
            other.run(change.format(name=postgres.name))
        before = postgres.read(EVERYTHING)
        path = Site(ami_port=9, secret=SECRET, store=postgres).write(tmp_path)
        report = await check(path, page_folder=page_of(tmp_path))
        assert postgres.read(EVERYTHING) == before
    finally:
        postgres.server.admin.run("ALTER ROLE monitord NOSUPERUSER")
        postgres.server.admin.run(f"ALTER ROLE monitord PASSWORD '{postgres.server.password}'")
    found = line(report, about, "Database")
    assert found.verdict is verdict and words in found.found, report.text()
    assert postgres.server.password not in report.json()
    assert not (tmp_path / "data").exists()


async def test_a_postgresql_server_that_is_not_there(
    tmp_path: Path, postgres: PostgresStore
) -> None:
    postgres.address = "postgresql://monitord@127.0.0.1:1/none"
    path = Site(ami_port=9, secret=SECRET, store=postgres).write(tmp_path)
    found = line(await check(path, page_folder=page_of(tmp_path)), "server", "Database")
    assert found.verdict is Verdict.WRONG and "cannot be reached" in found.found


async def test_people_of_the_settings_after_the_first_start(tmp_path: Path, store: Store) -> None:
    site = Site(ami_port=9, secret=SECRET, store=store)
    path = site.write(tmp_path)
    before = line(await check(path, page_folder=page_of(tmp_path)), "people")
    assert before.found == "2 can sign in at the first start, 1 of them may disconnect"
    async with daemon(site, tmp_path):
        while_it_runs = line(await check(path, page_folder=page_of(tmp_path)), "people")
    after = line(await check(path, page_folder=page_of(tmp_path)), "people")
    assert while_it_runs == after
    assert "is in the database since 20" in after.found
    assert "the 5 [[people]] of the settings mean nothing any more" in after.found
    site.people = ""
    none = line(await check(site.write(tmp_path), page_folder=page_of(tmp_path)), "people")
    assert none.verdict is Verdict.OK and "mean nothing" not in none.found
