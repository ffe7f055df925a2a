"""`monitord check` on real Asterisk: the shipped files, rights taken away, wrong filters."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from monitord.check.probe import Pace
from monitord.check.report import Report, Verdict
from monitord.check.run import check
from tests.asterisk.watch import site_of
from tests.lab.ami import DEADLINE
from tests.lab.config import user_file
from tests.lab.scene import COACH, SWITCH, Scene
from tests.lab.server import AsteriskServer
from tests.test_check import bad, line, page_of

NEEDED = (
    *("Newchannel", "Newstate", "NewConnectedLine", "Hangup", "Newexten", "VarSet", "DialBegin"),
    *("BridgeEnter", "BridgeLeave", "Hold", "Unhold", "ChanSpyStart", "ChanSpyStop"),
    *("QueueCallerJoin", "QueueCallerLeave", "AgentCalled", "AgentConnect", "AgentComplete"),
    *("QueueMemberStatus", "DeviceStateChange"),
)

WAIT_S = 120
"""At most: a check ends as soon as all that a test does has been in a picture."""


async def attached(server: AsteriskServer) -> None:
    """Until somebody is logged in as monitord."""
    async with asyncio.timeout(DEADLINE):
        while "monitord" not in await asyncio.to_thread(server.cli, "manager show connected"):
            await asyncio.sleep(0.1)


@dataclass
class Checking:
    """A check that runs. Its report is there when the block has ended."""

    reports: list[Report] = field(default_factory=list)
    pictures: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def pictured(self, times: int) -> None:
        """So many whole pictures after now; the one under way does not count."""
        while not self.pictures.locked():
            await self.pictures.acquire()
        for _ in range(times + 1):
            await asyncio.wait_for(self.pictures.acquire(), DEADLINE)


@asynccontextmanager
async def checking(scene: Scene, folder: Path) -> AsyncIterator[Checking]:
    path = site_of(scene).write(folder)
    checking, enough = Checking(), asyncio.Event()
    pace = Pace(picture_s=0.3, pictured=checking.pictures.release)
    task = asyncio.create_task(check(path, WAIT_S, page_of(folder), enough, pace))
    try:
        await attached(scene.server)
        yield checking
        await checking.pictured(1)
        enough.set()
        checking.reports.append(await asyncio.wait_for(task, DEADLINE))
    finally:
        task.cancel()


async def supervised_call(scene: Scene, during: Checking | None = None) -> None:
    """Where a check runs ``during`` it, long enough to be in two pictures of what runs."""
    call = await scene.customer_calls_in("5551234", campaign="spring", list_="L7")
    spyer = await scene.supervisor_dials("2001", COACH, "1001")
    await scene.hold(call.agent)
    await scene.hold(call.agent, on=False)
    if during is not None:
        await during.pictured(2)
    await scene.hangup(spyer)
    await scene.hangup(call.customer)


def warned(report: Report) -> dict[str, str]:
    return {
        x.about: x.found for s in report.sections for x in s.lines if x.verdict is Verdict.WARNING
    }


async def test_shipped_file_and_one_supervised_call(
    scene: Scene, tmp_path: Path, pbx: AsteriskServer
) -> None:
    async with checking(scene, tmp_path) as checked:
        await supervised_call(scene, checked)
    (report,) = checked.reports
    assert bad(report) == set() and warned(report) == {}, report.text()
    assert report.exit_code == 0
    for about in (*NEEDED, "variable CAMPAIGN", "timestampevents", "supervisions"):
        assert line(report, about).verdict is Verdict.SEEN, report.text()
    assert line(report, "Asterisk").found.startswith(f"{pbx.version}.")
    assert line(report, "systemname").found == f"“lab{pbx.version}”"


@pytest.mark.fault("missing rights/filters")
@pytest.mark.parametrize(
    ("read", "refused"),
    [
        pytest.param(
            "system,call,agent,user",
            {"read = dialplan", "VarSet", "Newexten", "variable CAMPAIGN", "variable LIST"},
            id="no dialplan",
        ),
        pytest.param(
            "system,agent,dialplan,user",
            {"read = call", "Newchannel", "BridgeEnter", "ChanSpyStart", "DeviceStateChange"},
            id="no call",
        ),
        pytest.param(
            "system,call,dialplan,user",
            {"read = agent", "QueueMemberStatus", "AgentConnect"},
            id="no agent",
        ),
    ],
)
async def test_a_read_class_taken_away(
    scene: Scene, tmp_path: Path, pbx: AsteriskServer, read: str, refused: set[str]
) -> None:
    await asyncio.to_thread(pbx.change_user, read=read)
    async with checking(scene, tmp_path) as checked:
        await supervised_call(scene, checked)
    (report,) = checked.reports
    assert refused <= bad(report) and report.exit_code == 1, report.text()
    assert not any(about.startswith("read =") for about in bad(report) - refused)


@pytest.mark.fault("missing rights/filters")
async def test_rights_taken_away_and_an_idle_pbx(
    scene: Scene, tmp_path: Path, pbx: AsteriskServer
) -> None:
    path = site_of(scene).write(tmp_path)

    async def look() -> Report:
        return await asyncio.wait_for(check(path, 0, page_of(tmp_path)), DEADLINE)

    report = await look()
    assert bad(report) == set() and warned(report) == {}, report.text()
    assert "idle PBX proves nothing" in line(report, "watched").found
    assert line(report, "read = system").verdict is Verdict.SEEN
    assert line(report, "ChanSpyStart").verdict is Verdict.NOT_YET

    await asyncio.to_thread(pbx.change_user, write="reporting")
    report = await look()
    assert bad(report) == {"action Hangup"} and report.exit_code == 1
    assert "Disconnect User" in line(report, "action Hangup").without

    await asyncio.to_thread(pbx.change_user, read="call,agent,dialplan,user")
    assert bad(await look()) == {"read = system"}

    await asyncio.to_thread(pbx.change_user, write="all")
    report = await look()
    assert {f"write = {c}" for c in ("originate", "system", "command", "config", "agi")} <= set(
        warned(report)
    )
    assert report.exit_code == 0

    await asyncio.to_thread(pbx.change_user, secret="another")
    report = await look()
    assert bad(report) == {"login"} and "Authentication failed" in line(report, "login").found


@pytest.mark.parametrize("write", ["call,reporting", "reporting", "call", "system", ""])
async def test_list_commands_says_what_would_be_done(
    scene: Scene, pbx: AsteriskServer, write: str
) -> None:
    """So nothing needs to be hung up to know whether it could be."""
    await asyncio.to_thread(pbx.change_user, write=write)
    async with await scene.monitord_user() as ami:
        listed = (await ami.action("ListCommands"))[0]
        for action in ("Hangup", "Status", "CoreStatus", "CoreShowChannels", "Originate"):
            tried = (await ami.reply(action, Channel="no-such-channel"))[0]
            assert bool(listed[action]) == (tried["Message"] != "Permission denied"), action


@pytest.mark.fault("missing rights/filters")
async def test_the_other_versions_filters(
    scene: Scene, tmp_path: Path, pbx: AsteriskServer
) -> None:
    """22 understands the filters of 16; 16 takes those of 22 for none."""
    other = user_file(38 - pbx.version, pbx.secrets["monitord"])
    (pbx.folder / "etc" / "manager-monitord.conf").write_text(other)
    pbx._user_changed = True
    await asyncio.to_thread(pbx.cli, "manager reload")
    async with checking(scene, tmp_path) as checked:
        await supervised_call(scene, checked)
    (report,) = checked.reports
    assert bad(report) == set(), report.text()
    filters = [x for s in report.sections for x in s.lines if x.about == "filters"]
    if pbx.version == 22:
        assert filters == []
    else:
        said = " ".join(x.found + x.without for x in filters)
        assert "no filter is at work" in said and "monitord-16.conf" in said
        assert re.search(r"VarSet of \w+, .* and \d+ more came", said)
        assert "Newexten of other channels" in said
        assert "4111111111111111" not in report.text() + report.json()


async def test_keys(scene: Scene, tmp_path: Path, pbx: AsteriskServer) -> None:
    await asyncio.to_thread(pbx.change_user, dtmf=True)
    async with checking(scene, tmp_path) as checked:
        call = await scene.customer_calls("5551234")
        spyer = await scene.supervisor_dials("2001", SWITCH, "1001")
        await scene.supervisor_presses(spyer, "5")
        await scene.hangup(call.customer)
    (report,) = checked.reports
    assert bad(report) == set(), report.text()
    # And no key of anybody else: the shipped filter lets none through.
    assert set(warned(report)) == {"keypad"}, report.text()


async def test_as_a_command(scene: Scene, tmp_path: Path, pbx: AsteriskServer) -> None:
    path = site_of(scene).write(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", "check", "-c", str(path), "--json", "--wait", "120"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await attached(pbx)
    await supervised_call(scene)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    said = json.loads(out)
    wrong = {
        x["about"]
        for s in said["sections"]
        for x in s["lines"]
        if x["verdict"] in ("wrong", "refused")
    }
    # The page may not be built where this runs.
    assert wrong <= {"page"} and process.returncode == len(wrong), out.decode()
    seen = {x["about"] for s in said["sections"] for x in s["lines"] if x["verdict"] == "seen"}
    assert seen >= {*NEEDED} and err == b""
    assert pbx.secrets["monitord"] not in out.decode()
