"""The command line: errors in plain words on stderr, and an orderly end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitord.cli import main
from monitord.people.passwords import is_hash
from monitord.simulator import Settings, Simulator, User
from tests.kit.centre import SECRET
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import PASSWORD, Site, daemon
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.stores import Store

PROGRAM = (
    "import pathlib, sys; import monitord.api.page as p; from monitord import app, cli;"
    "app.running.__wrapped__.__kwdefaults__['page_folder'] = pathlib.Path(sys.argv.pop(1));"
    "cli.main()"
)
"""`monitord`, with another folder for the page, which may not be built yet."""


async def start(folder: Path, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    page = folder / "page"
    page.mkdir(exist_ok=True)
    for name in ("index.html", "sign-in.html", "link.html"):
        (page / name).write_text("<!-- page -->")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(page), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), 4 * DEADLINE)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_sigterm_ends_it_with_its_rows_written(tmp_path: Path, store: Store) -> None:
    user = User(secret=SECRET)
    async with Simulator(Settings(user=user, port=0, speed=0, seed=7)) as sim:
        path = Site(ami_port=sim.port, secret=SECRET, store=store).write(tmp_path)
        process = await start(tmp_path, "run", "--config", str(path))
        assert process.stderr is not None
        said = b""
        url = ""
        async with asyncio.timeout(DEADLINE):
            while not url or b"live" not in said:
                more = await process.stderr.read(4096)
                assert more, said
                said += more
                if b"the page at " in said:
                    url = said.split(b"the page at ")[1].split()[0].decode()
        async with Client(url) as sue:
            assert await sue.sign_in("sue", "wrong") == 401
            assert await sue.sign_in("sue") == 200
            async with sue.stream() as stream:
                await stream.until(lambda s: s.of("supervision"))
                shown = {s["id"] for s in stream.of("supervision")}
            process.send_signal(signal.SIGTERM)
            code, out, err = await ended(process)
    err = said.decode() + err
    assert (code, out) == (0, ""), err
    assert "Traceback" not in err and "rows_left" not in err
    ledger = read_ledger(store)
    assert shown <= {row["id"] for row in ledger["supervisions"]}
    acts = [r["action"] for r in read_audit(store)]
    assert acts == ["make first link", "fail sign-in", "sign in"]
    numbers = {row["number"] for row in ledger["calls"] if row["number"]}
    assert numbers
    for secret in {SECRET, PASSWORD, "$argon2", *numbers}:
        assert secret not in err


@pytest.mark.fault("two daemons")
async def test_two_daemons_on_one_ledger(tmp_path: Path, store: Store) -> None:
    site = Site(ami_port=9, secret=SECRET, store=store)
    async with daemon(site, tmp_path):
        path = tmp_path / "monitord.toml"
        code, _, err = await ended(await start(tmp_path, "run", "-c", str(path)))
    assert code == 1 and "another monitord already runs" in err
    assert "Traceback" not in err and "password" not in err


@pytest.mark.parametrize(
    "spoil, words",
    [
        pytest.param("settings", "server.prot: there is no such key", id="settings"),
        pytest.param("database", "not an SQLite database", id="database"),
        pytest.param("folder", "store.folder", id="folder-is-a-file"),
        pytest.param("host", "cannot be listened on", id="address"),
    ],
)
async def test_run_says_why_not(spoil: str, words: str, tmp_path: Path) -> None:
    extra = "" if spoil != "settings" else "\n[server.x]\n"
    path = Site(ami_port=9, secret=SECRET, extra=extra).write(tmp_path)
    more: list[str] = []
    if spoil == "settings":
        path.write_text(path.read_text().replace("port = 0", "prot = 0", 1).replace(extra, ""))
    elif spoil == "database":
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "monitord.sqlite3").write_bytes(b"garbage" * 100)
    elif spoil == "folder":
        (tmp_path / "data").write_text("")
    else:
        more = ["--host", "192.0.2.1"]
    code, out, err = await ended(await start(tmp_path, "run", "-c", str(path), *more))
    assert code == 1 and words in err and out == "", err
    assert "Traceback" not in err and SECRET not in err


@pytest.mark.parametrize(
    "text, words",
    [
        pytest.param("short\n", "12 to 1024", id="short"),
        pytest.param("", "12 to 1024", id="nothing"),
        pytest.param("x" * 1025 + "\n", "12 to 1024", id="longer-than-sign-in-takes"),
        pytest.param(b"\xff\xfe" * 20 + b"\n", "UTF-8", id="not-text"),
    ],
)
def test_password_refused(text: str | bytes, words: str) -> None:
    result = CliRunner().invoke(main, ["password"], input=text)
    assert result.exit_code == 1 and words in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("end", ["\n", "\r\n", ""], ids=["unix", "dos", "no-line-end"])
def test_password(end: str) -> None:
    result = CliRunner().invoke(main, ["password"], input="twelve letters" + end)
    assert result.exit_code == 0 and is_hash(result.output.strip())
    assert "twelve" not in result.output


def test_a_trace_is_its_owners_only(tmp_path: Path) -> None:
    path = Site(ami_port=9, secret=SECRET).write(tmp_path)
    output = tmp_path / "a.jsonl"
    arguments = ["record", "-c", str(path), "--seconds", "1", str(output)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert output.stat().st_mode & 0o777 == 0o600
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1 and "File exists" in again.output
