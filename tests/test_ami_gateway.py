"""The only way to act: what it refuses, in which words, and that nothing left the process then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monitord.ami.gateway import Gateway, NotDoneError
from monitord.ami.link import DEFAULT_TIMING, Item, Link, LinkSettings, Sink, Timing
from monitord.ami.protocol import Received
from monitord.simulator import Settings, Simulator, User
from monitord.simulator.plans import MONITOR, Plan
from tests.kit.ami_text import block, event, lines
from tests.kit.fake_ami import FakeAmi

SECRET = "right-and-long"


@asynccontextmanager
async def linked(
    port: int, timing: Timing = DEFAULT_TIMING, sink: Sink = lambda item: None
) -> AsyncIterator[Link]:
    settings = LinkSettings("lab", "127.0.0.1", port, "monitord", SECRET)
    link = Link(settings, sink, timing=timing)
    task = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(5):
            await link.live.wait()
        yield link
    finally:
        task.cancel()
        await asyncio.wait([task])


def status(application: str, name: str = "PJSIP/2001-5", uniqueid: str = "a.5") -> bytes:
    told = lines(Application=application, Data="x", ActionID="%ID%")
    return event("Status", block("", name, uniqueid), told).encode() + b"\r\n\r\n"


@pytest.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    async with FakeAmi(SECRET) as server:
        server.lists["Status"] = [status("ChanSpy")]
        yield server


# --- done --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("application", "name"),
    [
        ("ChanSpy", "PJSIP/2001-5"),
        ("ExtenSpy", "PJSIP/2001-5"),
        ("DAHDIScan", "DAHDI/1-1"),
        ("Stasis", "Snoop/a.4-00000001"),
    ],
)
async def test_a_supervisor_is_hung_up_by_uniqueid(
    ami: FakeAmi, application: str, name: str
) -> None:
    ami.lists["Status"] = [status(application, name)]
    async with linked(ami.port) as link:
        await Gateway({"lab": link}).hang_up_spyer("lab", "a.5")
    channels = [dict(f, ActionID="") for f in ami.actions if "Channel" in f]
    assert channels == [
        {"Action": "Status", "ActionID": "", "Channel": "a.5"},
        {"Action": "Hangup", "ActionID": "", "Channel": "a.5", "Cause": "16"},
    ]


async def with_a_spy(centre: Simulator) -> str:
    """Uniqueid of a supervisor who listens."""
    await centre.advance(60)
    floor = centre.centre
    supervisor = next(s for s in floor.floor.supervisors if not s.busy)
    busy = {s.agent for s in floor.supervisions}
    call = next(c for c in floor.calls if c.talking and c.agent not in busy)
    assert call.agent is not None and call.agent_leg is not None
    call.silent = call.agent_leg.silent = False
    spy = floor.supervise(supervisor, call.agent, call, Plan(MONITOR, False, True, 1e6))
    await centre.advance(3)
    assert spy.spyer is not None and spy.spyer.spying
    return spy.spyer.uniqueid


STILL = Settings(User(secret=SECRET), port=0, speed=0, supervisors=8, wall=1_795_320_000.0)


async def test_the_call_centre_really_hangs_up() -> None:
    async with Simulator(STILL) as centre:
        spyer = await with_a_spy(centre)
        async with linked(centre.port) as link:
            await Gateway({"lab": link}).hang_up_spyer("lab", spyer)
            await centre.advance(1)
            assert spyer not in {c.uniqueid for c in centre.centre.pbx.channels.values()}
            with pytest.raises(NotDoneError, match="gone already"):
                await Gateway({"lab": link}).hang_up_spyer("lab", spyer)


async def test_a_user_without_the_right_is_told_so() -> None:
    user = User(secret=SECRET, write=frozenset({"reporting"}))
    async with Simulator(
        Settings(user, port=0, speed=0, supervisors=8, wall=1_795_320_000.0)
    ) as centre:
        spyer = await with_a_spy(centre)
        async with linked(centre.port) as link:
            with pytest.raises(NotDoneError, match=r"refused to hang up: Permission denied\.$"):
                await Gateway({"lab": link}).hang_up_spyer("lab", spyer)
        assert spyer in {c.uniqueid for c in centre.centre.pbx.channels.values()}


@pytest.mark.fault("injection")
async def test_no_other_leg_of_a_real_call_can_be_hung_up() -> None:
    async with Simulator(STILL) as centre:
        spyer = await with_a_spy(centre)
        others = {c.uniqueid for c in centre.centre.pbx.channels.values() if not c.spying}
        assert spyer not in others and len(others) > 2
        async with linked(centre.port) as link:
            for uniqueid in others:
                with pytest.raises(NotDoneError, match="no longer listening"):
                    await Gateway({"lab": link}).hang_up_spyer("lab", uniqueid)
        assert others <= {c.uniqueid for c in centre.centre.pbx.channels.values()}


# --- refused -----------------------------------------------------------------------------


@pytest.mark.fault("injection")
@pytest.mark.parametrize(
    "uniqueid",
    [
        pytest.param("/^PJSIP/", id="pattern"),
        pytest.param("/.*/", id="everything"),
        pytest.param("", id="nothing"),
        pytest.param("a.5\r\nAction: Originate", id="CRLF"),
        pytest.param("a.5\n", id="LF at the end"),
        pytest.param("a.5\0", id="NUL"),
        pytest.param("a.5 ", id="blank"),
        pytest.param("PJSIP/2001-5", id="a name"),
        pytest.param("a" * 150, id="over-long"),
        pytest.param("ä.5", id="a letter that Asterisk never uses"),
        pytest.param("\u0661.5", id="a digit that Asterisk never uses"),
    ],
)
async def test_no_uniqueid_is_not_even_asked_of(ami: FakeAmi, uniqueid: str) -> None:
    async with linked(ami.port) as link:
        before = len(ami.actions)
        with pytest.raises(NotDoneError, match="not one that Asterisk makes"):
            await Gateway({"lab": link}).hang_up_spyer("lab", uniqueid)
        assert len(ami.actions) == before


@pytest.mark.parametrize(
    ("items", "why"),
    [
        pytest.param([], "gone already", id="nothing listed"),
        pytest.param([status("ChanSpy", uniqueid="a.6")], "gone already", id="another channel"),
        pytest.param([status("Queue")], "no longer listening", id="a customer"),
        pytest.param([status("AppQueue")], "no longer listening", id="an agent"),
        pytest.param([status("")], "no longer listening", id="no application"),
        pytest.param([status("chanspy")], "no longer listening", id="not as Asterisk writes it"),
        pytest.param(
            [status("Queue"), status("ChanSpy")], "no longer listening", id="two that differ"
        ),
    ],
)
async def test_what_is_no_spy_now_is_left_alone(ami: FakeAmi, items: list[bytes], why: str) -> None:
    ami.lists["Status"] = items
    async with linked(ami.port) as link:
        with pytest.raises(NotDoneError, match=why):
            await Gateway({"lab": link}).hang_up_spyer("lab", "a.5")
    assert not ami.asked("Hangup")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("No such channel", "The supervisor's channel is gone already."),
        ("Permission denied", "The PBX refused to say whose channel it is: Permission denied."),
        ("", "The PBX refused to say whose channel it is: no reason given."),
    ],
)
async def test_status_refused(ami: FakeAmi, message: str, why: str) -> None:
    async with linked(ami.port) as link:
        ami.refuse = {"Status": message}
        with pytest.raises(NotDoneError) as caught:
            await Gateway({"lab": link}).hang_up_spyer("lab", "a.5")
    assert str(caught.value) == why and not ami.asked("Hangup")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("No such channel", "The supervisor's channel is gone already."),
        ("Permission denied", "The PBX refused to hang up: Permission denied."),
    ],
)
async def test_hangup_refused(ami: FakeAmi, message: str, why: str) -> None:
    async with linked(ami.port) as link:
        ami.refuse = {"Hangup": message}
        with pytest.raises(NotDoneError) as caught:
            await Gateway({"lab": link}).hang_up_spyer("lab", "a.5")
    assert str(caught.value) == why


async def test_an_unknown_pbx(ami: FakeAmi) -> None:
    with pytest.raises(NotDoneError, match="not configured"):
        await Gateway({}).hang_up_spyer("lab", "a.5")


async def test_a_lost_link(ami: FakeAmi) -> None:
    async with linked(ami.port, Timing(retry_first=0)) as link:
        ami.swallow = {"Challenge"}
        ami.cut()
        await ami.actions.until(lambda: len(ami.asked("Challenge")) == 2)
        with pytest.raises(NotDoneError, match=r"could not be asked: .*not connected\.$"):
            await Gateway({"lab": link}).hang_up_spyer("lab", "a.5")
    assert not ami.asked("Hangup")


@pytest.mark.parametrize(
    ("action", "why", "hangups"),
    [
        ("Status", "could not be asked: no answer to Status", 0),
        ("Hangup", "not known whether the PBX did it: no answer to Hangup", 1),
    ],
)
async def test_a_deadline(ami: FakeAmi, action: str, why: str, hangups: int) -> None:
    async with linked(ami.port) as link:
        ami.swallow = {action}
        with pytest.raises(NotDoneError, match=why):
            await Gateway({"lab": link}, deadline=0.05).hang_up_spyer("lab", "a.5")
    assert len(ami.asked("Hangup")) == hangups


async def test_a_link_lost_meanwhile_is_said_honestly_and_nothing_is_sent_again(
    ami: FakeAmi,
) -> None:
    async with linked(ami.port, Timing(retry_first=0)) as link:
        ami.swallow = {"Hangup"}
        asking = asyncio.create_task(Gateway({"lab": link}).hang_up_spyer("lab", "a.5"))
        await ami.actions.until(lambda: ami.asked("Hangup"))
        ami.cut()
        with pytest.raises(NotDoneError, match="not known whether the PBX did it"):
            await asking
        ami.swallow.clear()
        await ami.actions.until(lambda: len(ami.asked("DeviceStateList")) == 2)
        await link.live.wait()
    assert len(ami.asked("Hangup")) == 1


async def test_a_link_lost_between_the_question_and_the_act(ami: FakeAmi) -> None:
    """The answer and the end of the connection come in one go: nothing is sent after it."""
    links: list[Link] = []

    def give_up(item: Item) -> None:
        if isinstance(item, Received) and item.name == "DeviceStateChange":
            links[0].drop("the test")

    async with linked(ami.port, sink=give_up) as link:
        links.append(link)
        ami.replies["Status"] = (
            b"Response: Success\r\nActionID: %ID%\r\nEventList: start\r\n\r\n"
            + status("ChanSpy")
            + b"Event: StatusComplete\r\nActionID: %ID%\r\n\r\n"
            + b"Event: DeviceStateChange\r\n\r\n"
        )
        with pytest.raises(NotDoneError, match=r"The PBX was not told: .*not connected\.$"):
            await Gateway({"lab": link}).hang_up_spyer("lab", "a.5")
    assert not ami.asked("Hangup")
