"""`monitord check` of this machine: settings, page, port and database, and that nothing changes."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest

from monitord.check import here
from monitord.check.report import Verdict
from monitord.check.run import check
from monitord.store.engine import open_store, sqlite_url
from tests.kit.centre import SECRET
from tests.kit.client import DEADLINE
from tests.kit.daemon import Site, daemon
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
        monkeypatch.setattr(here.ScriptDirectory, "get_current_head", lambda self: "9999")
    elif kind == "log":
        file.with_name(file.name + "-wal").write_bytes(b"x")
    before = snapshot(tmp_path)
    found = line(await check(path, page_folder=page_of(tmp_path)), "file", "Database")
    assert found.verdict is verdict and words in found.found
    page_of(tmp_path)
    after = {k: v for k, v in snapshot(tmp_path).items() if "/page/" not in k}
    assert after == before and ((tmp_path / "data").exists() == (kind != "none"))


async def test_beside_a_running_daemon(tmp_path: Path) -> None:
    async with simulated() as sim:
        async with daemon(Site(ami_port=sim.port, secret=SECRET), tmp_path) as running:
            await asyncio.wait_for(running.attachments["lab"].link.live.wait(), DEADLINE)
            report = await checked(tmp_path, sim.port)
            assert running.attachments["lab"].link.live.is_set()
        assert "one runs on this database" in line(report, "other monitord").found
        assert "up to date" in line(report, "file", "Database").found
        after = await checked(tmp_path, sim.port)
    assert bad(report) == bad(after) == set(), report.text()
    assert "none runs" in line(after, "other monitord").found
