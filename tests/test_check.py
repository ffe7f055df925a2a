"""`monitord check` against the simulator: what is refused is named, what is unseen is not."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from monitord.ami.link import Timing
from monitord.ami.protocol import Received
from monitord.ami.translate import EVENTS
from monitord.check import needs
from monitord.check.evidence import Evidence
from monitord.check.probe import Pace
from monitord.check.report import WIDTH, Report, Verdict
from monitord.check.run import check
from monitord.simulator import Settings, Simulator, User
from tests.kit.centre import SECRET
from tests.kit.client import DEADLINE
from tests.kit.daemon import Site
from tests.kit.fake_ami import FakeAmi

CONFIG = Path(__file__).parents[1] / "asterisk" / "manager.d"
BUSY = {"agents": 20, "supervisors": 4, "silent_share": 0.0}


HASTY = Pace(Timing(connect=2.0, answer=2.0, list=5.0), boot_s=0.5, picture_s=0.5)
"""Nothing here takes long but what never comes."""


def simulated(**given: Any) -> Simulator:
    user = {k: frozenset(given.pop(k).split()) for k in ("read", "write") if k in given}
    settings = {"port": 0, "speed": 0, "seed": 7, **BUSY, **given}
    return Simulator(Settings(user=User(secret=SECRET, **user), **settings))


def page_of(folder: Path) -> Path:
    page = folder / "page"
    page.mkdir(exist_ok=True)
    for name in ("index.html", "sign-in.html", "link.html"):
        (page / name).write_text("")
    return page


async def checked(
    folder: Path, port: int, sim: Simulator | None = None, wait: int = 0, **site: Any
) -> Report:
    """Meanwhile the simulated day goes on, where there is one."""
    path = Site(ami_port=port, secret=site.pop("secret", SECRET), **site).write(folder)
    task = asyncio.create_task(check(path, wait, page_of(folder), pace=HASTY))
    async with asyncio.timeout(DEADLINE + wait):
        while not task.done():
            if wait and sim is not None:
                await sim.advance(2.0)
            await asyncio.sleep(0.02)
    return task.result()


def line(report: Report, about: str, title: str = "") -> Any:
    found = [x for s in report.sections if title in s.title for x in s.lines if x.about == about]
    assert len(found) == 1, report.text()
    return found[0]


def bad(report: Report) -> set[str]:
    worst = (Verdict.WRONG, Verdict.REFUSED)
    return {x.about for s in report.sections for x in s.lines if x.verdict in worst}


# --- the tables --------------------------------------------------------------------------


def test_every_event_has_its_consequence() -> None:
    assert set(needs.EVENTS) == set(EVENTS)
    assert all(n.without.endswith(".") and n.show for n in needs.EVENTS.values())
    assert {n.read for n in needs.EVENTS.values()} < set(needs.READ)


@pytest.mark.parametrize("version", [16, 22])
def test_the_shipped_filters_let_through_what_is_known(version: int) -> None:
    text = (CONFIG / f"monitord-{version}.conf").read_text()
    text = re.sub(r"(?m)^;(?=eventfilter)", "", text)
    names = set(re.findall(r"^eventfilter\(name\((\w+)\)", text, re.MULTILINE))
    for group in re.findall(r"^eventfilter = \^Event: \(?([\w|]+)", text, re.MULTILINE):
        names |= set(group.split("|"))
    assert names == set(needs.EVENTS) | needs.SENT_TOO


# --- PBX ---------------------------------------------------------------------------------


async def test_all_is_well_with_traffic(tmp_path: Path) -> None:
    async with simulated() as sim:
        report = await checked(tmp_path, sim.port, sim, wait=2)
    assert bad(report) == set() and report.exit_code == 0, report.text()
    for event in ("Newchannel", "Hangup", "BridgeEnter", "ChanSpyStart", "Newexten", "VarSet"):
        assert line(report, event).verdict is Verdict.SEEN and line(report, event).times
    for about in ("variable RESULT", "timestampevents", "read = agent", "supervisions"):
        assert line(report, about).verdict is Verdict.SEEN
    assert re.match(r"watched for \d+ s", line(report, "watched").found)


async def test_idle_proves_nothing(tmp_path: Path) -> None:
    async with FakeAmi(SECRET) as ami:
        ami.replies["ListCommands"] = (
            b"Response: Success\r\nActionID: %ID%\r\nHangup: Hangup channel.  "
            b"(Priv: system,call,all)\r\n\r\n"
        )
        report = await checked(tmp_path, ami.port)
        assert ami.asked("Hangup") == [], "nothing is hung up to see whether it could be"
    assert bad(report) == set(), report.text()
    watched = line(report, "watched")
    assert watched.verdict is Verdict.NOT_YET
    assert "idle PBX proves nothing" in watched.found and "--wait" in watched.without
    assert line(report, "ChanSpyStart").verdict is Verdict.NOT_YET
    assert line(report, "variable CAMPAIGN").verdict is Verdict.NOT_YET
    assert line(report, "read = system").verdict is Verdict.SEEN


@pytest.mark.fault("missing rights/filters")
@pytest.mark.parametrize(
    ("given", "refused"),
    [
        pytest.param({"write": "reporting"}, {"action Hangup"}, id="no write call"),
        pytest.param(
            {"write": "call"},
            {"action CoreStatus", "action CoreSettings", "action CoreShowChannels"},
            id="no reporting",
        ),
        pytest.param(
            {"write": ""},
            {
                *("action Hangup", "action Status", "action DeviceStateList"),
                *("action CoreStatus", "action CoreSettings", "action CoreShowChannels"),
            },
            id="no write at all",
        ),
        pytest.param({"read": "call agent dialplan"}, {"read = system"}, id="no read system"),
        pytest.param(
            {"channelvars": ("CAMPAIGN", "RESULT")}, {"variable LIST"}, id="a variable is missing"
        ),
    ],
)
async def test_what_is_refused_is_named(tmp_path: Path, given: Any, refused: set[str]) -> None:
    async with simulated(**given) as sim:
        report = await checked(tmp_path, sim.port)
    assert bad(report) == refused and report.exit_code == 1, report.text()
    assert all(line(report, about).without for about in refused)


@pytest.mark.fault("missing rights/filters")
@pytest.mark.parametrize(
    ("read", "refused"),
    [
        pytest.param(
            "system call agent user",
            {"read = dialplan", "VarSet", "variable CAMPAIGN"},
            id="no dialplan",
        ),
        pytest.param(
            "system agent dialplan", {"read = call", "Newchannel", "BridgeEnter"}, id="no call"
        ),
        pytest.param("system call dialplan", {"read = agent", "AgentConnect"}, id="no agent"),
    ],
)
async def test_what_happened_and_was_not_told(tmp_path: Path, read: str, refused: set[str]) -> None:
    """No event says that it is missing: two pictures of what runs do."""
    async with simulated(read=read) as sim:
        report = await checked(tmp_path, sim.port, sim, wait=3)
    assert refused <= bad(report) and report.exit_code == 1, report.text()


async def test_too_many_rights(tmp_path: Path) -> None:
    async with FakeAmi(SECRET) as ami:
        ami.replies["ListCommands"] = (
            b"Response: Success\r\nActionID: %ID%\r\nHangup: x  (Priv: system,call,all)\r\n"
            b"Originate: Originate a call.  (Priv: originate,all)\r\n"
            b"Command: Execute.  (Priv: command,all)\r\nBridgeKick: Kick.  (Priv: <none>)\r\n"
            b"Redirect: x  (Priv: call,all)\r\n\r\n"
        )
        report = await checked(tmp_path, ami.port)
    assert report.exit_code == 0
    warned = {
        x.about: x.found for s in report.sections for x in s.lines if x.verdict is Verdict.WARNING
    }
    assert set(warned) == {"write = originate", "write = command"}, report.text()
    assert "calls at the site's cost" in warned["write = originate"]


@pytest.mark.parametrize(
    ("spoil", "about", "words"),
    [
        pytest.param("secret", "login", "Authentication failed", id="wrong secret"),
        pytest.param("server", "reached", "Connection refused", id="no server"),
        pytest.param("deaf", "login", "no answer to Challenge", id="no AMI"),
        pytest.param("closes", "login", "closed the connection", id="closes"),
    ],
)
async def test_no_way_in(tmp_path: Path, spoil: str, about: str, words: str) -> None:
    async with FakeAmi(SECRET) as ami:
        ami.deaf = spoil == "deaf"
        ami.close_after = 30 if spoil == "closes" else None
        port = 9 if spoil == "server" else ami.port
        secret = "another" if spoil == "secret" else SECRET
        report = await checked(tmp_path, port, secret=secret)
    found = line(report, about)
    assert bad(report) == {about} and words in found.found, report.text()
    assert SECRET not in report.text() + report.json()


async def test_a_pbx_that_has_not_booted(tmp_path: Path) -> None:
    async with FakeAmi(SECRET) as ami:
        ami.booted = False
        ami.replies["ListCommands"] = (
            b"Response: Success\r\nActionID: %ID%\r\nHangup: x  (Priv: call,all)\r\n\r\n"
        )
        report = await checked(tmp_path, ami.port)
    assert bad(report) == {"read = system"}
    assert "still starting" in line(report, "read = system").found


# --- what came ---------------------------------------------------------------------------


def told(evidence: Evidence, name: str, **headers: str) -> None:
    text = "\r\n".join(f"{k}: {v}" for k, v in {"Event": name, **headers}.items())
    evidence.take(Received(0, 0, name, text))


def test_keys_of_others_are_counted_and_not_kept() -> None:
    evidence = Evidence(frozenset(), frozenset({"PJSIP/2001"}))
    mine = {"Channel": "PJSIP/2001-00000001", "Uniqueid": "1.1"}
    told(evidence, "DTMFEnd", **mine, Digit="5")
    assert evidence.foreign_keys == 0
    told(evidence, "DTMFEnd", **mine, Digit="7")
    told(evidence, "DTMFEnd", Channel="PJSIP/trunk-00000002", Uniqueid="1.2", Digit="5")
    assert evidence.foreign_keys == 2 and evidence.events["DTMFEnd"] == 3


def test_filters_that_do_not_filter() -> None:
    evidence = Evidence(frozenset({"CAMPAIGN"}), frozenset({"PJSIP/2001"}))
    told(evidence, "VarSet", Variable="__CAMPAIGN", Value="x", Uniqueid="1.1")
    told(evidence, "Newexten", Channel="PJSIP/2001-00000001", Uniqueid="1.1", Application="Wait")
    assert not evidence.foreign_variables and not evidence.foreign_newexten
    told(evidence, "VarSet", Variable="CARD", Value="4111", Uniqueid="1.1")
    told(evidence, "Newexten", Channel="PJSIP/1001-00000001", Uniqueid="1.2", Application="Wait")
    told(evidence, "DialState", Privilege="call,all")
    assert evidence.foreign_variables == {"CARD"} and evidence.foreign_newexten == 1
    assert evidence.foreign_events == {"DialState"}


# --- the command -------------------------------------------------------------------------


async def command(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitord", "check", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_as_a_command(tmp_path: Path) -> None:
    async with simulated(write="reporting") as sim:
        path = str(Site(ami_port=sim.port, secret=SECRET).write(tmp_path))
        code, text, err = await command("--config", path)
        assert (code, err) == (1, "")
        # Only a path that fits nowhere makes a longer line.
        assert all(len(x) <= WIDTH or "/" in x.split()[-1] for x in text.splitlines()), text
        assert "\x1b" not in text
        assert re.search(r"refused +action Hangup: (.*\n)+? +Disconnect User does not", text), text
        code, out, err = await command("--config", path, "--json", "--wait", "1")
    assert (code, err) == (1, "")
    said = json.loads(out)
    assert said["ok"] is False and said["wrong"] == 1 and said["watched_s"] == 1
    (hangup,) = (x for s in said["sections"] for x in s["lines"] if x["about"] == "action Hangup")
    assert hangup["verdict"] == "refused" and "Disconnect User" in hangup["without"]
    assert SECRET not in text + out
    assert (await command("--wait", "soon"))[0] == 2
