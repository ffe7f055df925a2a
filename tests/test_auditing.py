"""`monitord audit`: beside a daemon, on a copy, offline, and for a site that lost its keys."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitord.cli import main
from tests.kit.centre import SECRET, centre
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit
from tests.kit.stores import SqliteStore, Store
from tests.test_api_audit import proved, with_aldo
from tests.test_cli import ended, start


@dataclass
class Stopped:
    """A site whose daemon was stopped after a while."""

    folder: Path
    export: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["audit", *arguments])

    def here(self, *arguments: str) -> Result:
        return self.run(arguments[0], "-c", str(self.folder / "monitord.toml"), *arguments[1:])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    folder = tmp_path_factory.mktemp("site")

    async def live() -> None:
        async with centre(folder, people=with_aldo()) as here:
            await here.advance(60)
            await here.daemon.recorder.settled()
            async with Client(here.daemon.url) as aldo:
                assert await aldo.sign_in("aldo") == 200
                async with aldo.http.get("/api/v1/audit/export") as response:
                    (folder / "export.jsonl").write_bytes(await response.read())

    asyncio.run(live())
    return Stopped(folder, folder / "export.jsonl")


@pytest.fixture
def site(kept: Stopped, tmp_path: Path) -> Stopped:
    """A copy of it, to do something to."""
    shutil.copytree(kept.folder, tmp_path / "site")
    settings = tmp_path / "site" / "monitord.toml"
    text = settings.read_text().replace(str(kept.folder), str(tmp_path / "site"))
    settings.write_text(text)
    return Stopped(tmp_path / "site", tmp_path / "site" / "export.jsonl")


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        for name in ("update", "delete"):
            db.execute(f"DROP TRIGGER IF EXISTS audit_no_{name}")
        for statement in statements:
            db.execute(statement)


def test_what_nobody_touched_is_whole(site: Stopped) -> None:
    result = site.here("verify")
    assert result.exit_code == 0, result.output
    last = read_audit(site.data / "monitord.sqlite3", whole=True)[-1]["n"]
    assert f"whole: {last:,} rows" in result.stdout
    assert f"rows: {last:,} of {last:,}" in result.stderr


def test_a_copy_is_proved_without_the_settings(site: Stopped, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(site.data / "monitord.sqlite3", copy)
    keys, heads = str(site.data / "keys"), str(site.data / "keys" / "heads.jsonl")
    result = site.run("verify", "--database", str(copy), "--keys", keys)
    assert result.exit_code == 0, result.output
    # Without its keys the rows' order and content are proved, and the heads with the known key.
    key = site.run("key", "--keys", keys).stdout.strip()
    more = ["--heads", heads, "--public-key", key]
    result = site.run("verify", "--database", str(copy), *more)
    assert result.exit_code == 0 and "the ledger is not held" in result.stderr
    other = ["--heads", heads, "--public-key", "A" * 43 + "="]
    result = site.run("verify", "--database", str(copy), *other)
    assert result.exit_code == 1 and "signature" in result.stdout


@pytest.mark.parametrize(
    "statement, words",
    [
        ("UPDATE audit SET at = at + 1 WHERE n = 7", "BROKEN at row 7"),
        ("DELETE FROM audit WHERE n = 9", "BROKEN at row 9"),
        ("DELETE FROM audit WHERE n > 12", "BROKEN at row 13"),
        ("UPDATE supervision SET means = 'magic'", "is not what row"),
    ],
)
def test_a_fault_ends_with_1_and_the_row(site: Stopped, statement: str, words: str) -> None:
    change(site.data / "monitord.sqlite3", statement)
    result = site.here("verify")
    assert result.exit_code == 1 and words in result.stdout, result.output


def test_what_cannot_be_looked_at_ends_with_2(site: Stopped, tmp_path: Path) -> None:
    result = site.run("verify", "-c", str(tmp_path / "nothing.toml"))
    assert result.exit_code == 2 and "cannot be read" in result.output
    (site.data / "keys" / "audit.sqlite3").unlink()
    result = site.here("verify")
    assert result.exit_code == 2 and "backup" in result.output


def test_a_head_is_a_line_that_proves_something_later(site: Stopped, tmp_path: Path) -> None:
    kept_elsewhere = tmp_path / "elsewhere.jsonl"
    kept_elsewhere.write_text(site.here("head").stdout)
    assert json.loads(kept_elsewhere.read_text())["n"] > 10
    assert site.here("verify", "--heads", str(kept_elsewhere)).exit_code == 0
    (site.data / "keys" / "heads.jsonl").unlink()
    database = site.data / "monitord.sqlite3"
    change(database, "DELETE FROM audit WHERE n > 12")
    change(database, *(f'DELETE FROM "{t}"' for t in ("supervision", "segment", "alert")))
    assert "BROKEN at row 13" in site.here("verify", "--heads", str(kept_elsewhere)).stdout


def test_the_documented_verifier_finds_the_same(site: Stopped, tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "docs" / "audit.md").read_text()
    program = tmp_path / "verifier.py"
    program.write_text(text.split("```python\n")[1].split("```")[0])
    database = site.data / "monitord.sqlite3"

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(program), str(database)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    last = read_audit(database, whole=True)[-1]["n"]
    assert run().stdout.startswith(f"whole: {last} rows, ")
    change(database, "UPDATE audit SET target = 'é' WHERE n = 7")
    assert run().stderr == "broken at row 7\n"


def test_an_export_is_proved_offline(site: Stopped) -> None:
    key = site.here("key").stdout.strip()
    result = site.run("verify-export", str(site.export), "--public-key", key)
    assert result.exit_code == 0 and f"signed by {key}" in result.stdout
    result = site.run("verify-export", str(site.export))
    assert result.exit_code == 0 and "hold it against the one that you know" in result.stdout
    site.export.write_bytes(site.export.read_bytes().replace(b"Sue Sup", b"Tom Sup", 1))
    result = site.run("verify-export", str(site.export), "--public-key", key)
    assert result.exit_code == 1 and "BROKEN" in result.stdout
    assert site.run("verify-export", str(site.export) + "x").exit_code == 2


def test_new_keys_for_a_site_that_lost_them(site: Stopped) -> None:
    refused = site.here("new-keys", "--yes")
    assert refused.exit_code == 1 and "nothing is lost" in refused.output
    old = site.here("key").stdout.strip()
    (site.data / "keys" / "audit.sqlite3").unlink()
    asked = CliRunner().invoke(
        main, ["audit", "new-keys", "-c", str(site.folder / "monitord.toml")], input="n\n"
    )
    assert asked.exit_code == 1 and "is lost, for ever" in asked.stderr
    assert not (site.data / "keys" / "audit.sqlite3").exists()
    done = site.here("new-keys", "--yes")
    assert done.exit_code == 0 and "Make a backup" in done.stdout, done.output
    assert site.here("key").stdout.strip() != old
    # The chain goes on, the heads of before lie on it, and the ledger is held against it again.
    result = site.here("verify")
    assert result.exit_code == 0, result.output
    rows = read_audit(site.data / "monitord.sqlite3", whole=True)
    (renewed,) = [r for r in rows if r["action"] == "change keys"]
    assert all(r["actor_id"] is None for r in rows if r["n"] < renewed["n"])
    assert [r for r in rows if r["n"] > renewed["n"] and r["actor_id"] is not None]
    change(site.data / "monitord.sqlite3", "UPDATE supervision SET supervisor_name = 'X'")
    assert site.here("verify").exit_code == 1


async def test_keys_of_another_log_are_kept_aside(site: Stopped, tmp_path: Path) -> None:
    path = site.data / "keys" / "audit.sqlite3"
    path.write_bytes(b"not keys at all")
    done = await asyncio.to_thread(site.here, "new-keys", "--yes")
    assert done.exit_code == 0, done.output
    (aside,) = path.parent.glob("*.not-of-this-log-*")
    assert aside.read_bytes() == b"not keys at all"
    store = SqliteStore.in_folder(site.data)
    again = Site(9, SECRET, store=store, people=with_aldo())
    async with daemon(again, tmp_path) as started, Client(started.url) as aldo:
        assert await aldo.sign_in("aldo") == 200
        assert (await proved(aldo))["outcome"] == "whole"


async def test_verify_beside_a_running_daemon(tmp_path: Path, store: Store) -> None:
    """While it writes: supervisions begin and end, and people come whose keys are new."""
    async with centre(tmp_path, store=store, people=with_aldo()) as here:
        for _ in range(2):
            await here.advance(20)
            arguments = ("audit", "verify", "-c", str(tmp_path / "monitord.toml"))
            run = asyncio.create_task(ended(await start(tmp_path, *arguments)))
            while not run.done():
                await here.advance(1)
                await here.ina.sign_in(f"stranger {here.sim.centre.pbx.clock.wall}", "wrong")
            code, out, err = await run
            assert code == 0, out + err
            assert "whole:" in out
