"""What the administrator's guide quotes is really said, and its numbers hold."""

from __future__ import annotations

import asyncio
import re
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from monitord.ami.link import DEFAULT_TIMING
from monitord.assembly.errors import StartError
from monitord.check.run import check
from tests.asterisk.watch import site_of
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.guide import read
from tests.lab.config import user_file
from tests.lab.scene import COACH, Scene
from tests.lab.server import AsteriskServer

GUIDE = Path(__file__).parents[2] / "docs" / "admin-guide.md"

OF_THIS_MACHINE = (
    "Connection refused",
    "can be read by everybody; chmod it to 600",
    "cannot be listened on: Address already in use",
    "another monitord already runs on",
    "was written by a newer monitord",
    "is not an SQLite database, or its beginning is damaged",
    "the request comes from another site's page",
    "login or password is wrong",
)
OF_THE_PBX = (
    "Authentication failed",
    "FullyBooted did not come",
    "is not among the actions that the user may send",
    "channels are told without it",
    "no filter is at work",
)


def section(number: int) -> str:
    return re.split(r"(?m)^## \d+\. .*$", GUIDE.read_text())[number]


def rows() -> dict[str, str]:
    """What is quoted to what is to be done."""
    found = re.findall(r"(?m)^\| `([^`]+)` \|.*\| ([^|]+) \|$", section(14))
    return dict(found)


def test_every_quoted_message_has_its_test() -> None:
    assert list(rows()) and set(rows()) == {*OF_THIS_MACHINE, *OF_THE_PBX}


def test_every_command_of_the_table_is_run_somewhere() -> None:
    run = "".join(block.code for block in read(GUIDE))
    for todo in rows().values():
        for command in re.findall(r"`((?:asterisk|systemctl|journalctl) [^`]+)`", todo):
            assert command in run, command
        for number in re.findall(r"section (\d+)", todo):
            assert int(number) in {block.section for block in read(GUIDE)}


def test_the_rhythm_is_what_the_guide_says() -> None:
    said = section(13)
    assert f"one `Ping` every {DEFAULT_TIMING.ping_every:g} s" in said
    assert f"one `Status` every {DEFAULT_TIMING.reconcile_every:g} s" in said


async def said(*arguments: str) -> str:
    """What the command prints, its line breaks taken out."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 4 * DEADLINE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return " ".join(out.decode().split())


async def refused(site: Site, folder: Path, quoted: str) -> None:
    """As ``monitord run`` would print it."""
    with pytest.raises(StartError, match=re.escape(quoted)):
        async with daemon(site, folder):
            pass


async def checked(path: str, watch_s: int = 0, enough: asyncio.Event | None = None) -> str:
    """As ``monitord check`` prints it, which the test of the whole guide runs as a command."""
    report = await check(Path(path), watch_s, enough=enough)
    return " ".join(report.text().split())


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_settings(tmp_path: Path, closed_port: int) -> None:
    path = str(Site(ami_port=closed_port, secret="x").write(tmp_path))
    assert "Connection refused" in await checked(path)
    secret = tmp_path / "secret"
    secret.chmod(0o644)
    quoted = "can be read by everybody; chmod it to 600"
    assert quoted in await checked(path)
    assert quoted in await said("run", "-c", path)
    assert rows()[quoted] == "`chmod 600 /etc/monitord/ami-secret`"
    secret.chmod(0o600)
    assert quoted not in await checked(path)


async def test_start(tmp_path: Path, closed_port: int) -> None:
    site = Site(ami_port=closed_port, secret="x")
    path = str(site.write(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        quoted = "cannot be listened on: Address already in use"
        assert quoted in await said("run", "-c", path, "--port", port)
    async with daemon(site, tmp_path) as running, Client(running.url) as client:
        await refused(site, tmp_path, "another monitord already runs on")
        body = {"login": "sue", "password": "something else"}
        async with client.http.post("/api/v1/session", json=body) as response:
            assert "login or password is wrong" in await response.text()
        foreign = {"Origin": "https://monitord.example"}
        async with client.http.post("/api/v1/session", json=body, headers=foreign) as response:
            assert "the request comes from another site's page" in await response.text()
    ledger = tmp_path / "data" / "monitord.sqlite3"
    connection = sqlite3.connect(ledger)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    await refused(site, tmp_path, "was written by a newer monitord")
    ledger.write_bytes(b"overwritten by something else, and long enough to be a header " * 20)
    quoted = "is not an SQLite database, or its beginning is damaged"
    await refused(site, tmp_path, quoted)


async def test_what_check_says_of_a_pbx(scene: Scene, tmp_path: Path, pbx: AsteriskServer) -> None:
    path = str(site_of(scene).write(tmp_path))
    await asyncio.to_thread(pbx.change_user, read="call,agent,dialplan,user", write="reporting")
    report = await checked(path)
    assert "FullyBooted did not come" in report
    assert "action Hangup: is not among the actions that the user may send" in report
    await asyncio.to_thread(pbx.change_user, secret="another")
    assert "Authentication failed" in await checked(path)

    general = pbx.folder / "etc" / "manager-general.conf"
    user = pbx.folder / "etc" / "manager-monitord.conf"
    shipped = general.read_text()
    # On 16 the file for newer ones; those would understand either, so there it has none.
    other = user_file(22, pbx.secrets["monitord"])
    if pbx.version == 22:
        other = re.sub(r"(?m)^eventfilter.*\n", "", other)
    try:
        general.write_text(shipped.replace("CAMPAIGN,", ""))
        user.write_text(other)
        await asyncio.to_thread(pbx.cli, "manager reload")
        enough = asyncio.Event()
        task = asyncio.create_task(checked(path, 600, enough))
        await attached(pbx)
        await supervised_call(scene)
        enough.set()
        report = await asyncio.wait_for(task, 4 * DEADLINE)
    finally:
        general.write_text(shipped)
        await asyncio.to_thread(pbx.restore_user)
    assert "variable CAMPAIGN: channels are told without it" in report
    assert "no filter is at work" in report


async def test_what_a_call_costs(scene: Scene) -> None:
    found = re.search(r"at most (\d+) events, (\d+) kB", section(13))
    assert found is not None
    async with await scene.monitord_user() as ami:
        events, size = ami.mark(), len(ami.raw)
        await supervised_call(scene)
        # Its answer comes behind all events.
        await ami.action("Ping")
        events, size = len(ami.events) - events, len(ami.raw) - size
    assert 20 < events <= int(found[1]), events
    assert 5_000 < size <= 1000 * int(found[2]), size


async def attached(pbx: AsteriskServer) -> None:
    async with asyncio.timeout(DEADLINE):
        while "monitord" not in await asyncio.to_thread(pbx.cli, "manager show connected"):
            await asyncio.sleep(0.1)


async def supervised_call(scene: Scene) -> None:
    call = await scene.customer_calls_in("5551234", campaign="spring", list_="L7")
    spyer = await scene.supervisor_dials("2001", COACH, "1001")
    await scene.hangup(spyer)
    await scene.hangup(call.customer)
    await scene.all_quiet()
