"""The lab itself, and with it the files that a site copies, on both versions of Asterisk."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.lab.ami import Ami, Message, Refused
from tests.lab.config import SOURCE
from tests.lab.scene import BARGE, COACH, MONITOR, Scene
from tests.lab.server import AsteriskServer

CARD = b"4111111111111111"  # the lab's dialplan sets it in a variable that nobody may see
PAYMENT = "MonitordPayment"


@pytest.fixture
async def daemon(scene: Scene):
    """What the daemon sees: a connection of the shipped user."""
    async with await scene.monitord_user() as ami:
        yield ami


async def test_customer_reaches_agent(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls("5551000", campaign="spring", list_="L7")
    assert call.endpoint == "PJSIP/1001"
    got = await daemon.wait_event("AgentConnect", Uniqueid=call.customer)
    assert (got["Interface"], got["Queue"]) == ("PJSIP/1001", "support")
    assert set(got.all("ChanVariable")) >= {"CAMPAIGN=spring", "LIST=L7"}
    assert float(got["Timestamp"]) > 0
    await scene.hangup(call.customer)
    await daemon.wait_event("Hangup", Uniqueid=call.agent)


async def test_agent_dials_out(scene: Scene, daemon: Ami) -> None:
    call = await scene.agent_dials("1003", "5551001", campaign="winter")
    assert call.endpoint == "PJSIP/1003"
    await daemon.wait_event("BridgeEnter", Uniqueid=call.customer)
    got = await daemon.wait_event("VarSet", Uniqueid=call.agent, Variable="__CAMPAIGN")
    assert got["Value"] == "winter"


@pytest.mark.parametrize(
    ("code", "options"), [(MONITOR, "uqES"), (COACH, "uqESw"), (BARGE, "uqESB")]
)
async def test_each_feature_code(scene: Scene, daemon: Ami, code: str, options: str) -> None:
    call = await scene.customer_calls("5551002")
    agent = call.endpoint.rpartition("/")[2]
    spyer = await scene.supervisor_dials("2001", code, agent)
    spy = await daemon.wait_event("Newexten", Uniqueid=spyer, Application="ChanSpy")
    assert spy["AppData"] == f"{call.agent},{options}"
    started = await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    assert started["SpyeeUniqueid"] == call.agent
    await scene.hangup(call.customer)
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=spyer)
    await daemon.wait_event("Hangup", Uniqueid=spyer)


async def test_originated_spy_has_no_newexten(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls("5551003")
    spyer = await scene.originate_spy("2001", call.agent_channel, "qEw")
    await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    status = (await daemon.action("Status", Channel=spyer))[1]
    assert (status["Application"], status["Data"]) == ("ChanSpy", f"{call.agent_channel},qEw")
    assert not list(daemon.seen("Newexten", Uniqueid=spyer, Application="ChanSpy"))


async def test_variables_on_the_list_and_no_other(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls("5551004", campaign="spring", list_="L7")
    await scene.set_var(call.customer, "SECRET_NOTE", CARD.decode())
    await scene.set_var(call.customer, "XRESULT", CARD.decode())
    await scene.set_var(call.customer, "RESULT", "SALE")
    got = await daemon.wait_event("VarSet", Uniqueid=call.customer, Variable="RESULT")
    assert got["Value"] == "SALE"
    names = {event["Variable"] for event in daemon.seen("VarSet")}
    assert names == {"__CAMPAIGN", "__LIST", "RESULT"}
    assert CARD not in daemon.raw
    assert CARD in scene.ami.raw


async def test_phones_hold_and_hang_up(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls("5551012")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    for _ in range(2):
        await scene.hold(call.agent)
        await scene.hold(call.agent, on=False)
    await daemon.wait_event("Unhold", Uniqueid=call.agent)
    await scene.phone_hangs_up(spyer)
    await daemon.wait_event("Hangup", Uniqueid=spyer)
    await scene.phone_hangs_up(call.agent)
    got = await daemon.wait_event("AgentComplete", Uniqueid=call.customer)
    assert got["Reason"] == "agent"


def _let_through(event: Message) -> bool:
    """The shipped filter, said a third time, to hold both files against it."""
    text = (SOURCE / "manager.d" / "monitord-22.conf").read_text()
    names = re.findall(r"^eventfilter\(name\((\w+)\)\) =$", text, re.MULTILINE)
    if event["Event"] == "Newexten":
        if event["Context"] in ("monitord-find", "monitord-agents"):
            return False
        spy = event["Application"] in ("ChanSpy", "ExtenSpy", "DAHDIScan")
        return spy or event["Channel"].startswith(("PJSIP/2001-", "PJSIP/2002-"))
    if event["Event"] == "UserEvent":
        return event["UserEvent"] == PAYMENT
    if event["Event"] == "VarSet":
        return event["Variable"].lstrip("_") in ("CAMPAIGN", "LIST", "RESULT")
    return event["Event"] in names


def _between(ami: Ami) -> list[str]:
    """The events from the user event with the mark Begin to that with End, in any order."""
    first, last = (
        next((n for n, e in enumerate(ami.events) if e["Mark"] == name), len(ami.events))
        for name in ("Begin", "End")
    )
    return sorted(repr(event) for event in ami.events[first:last] if _let_through(event))


async def test_filter_lets_through_and_withholds_exactly(scene: Scene, daemon: Ami) -> None:
    await scene.ami.action("UserEvent", UserEvent=PAYMENT, Mark="Begin")
    call = await scene.customer_calls("5551005", campaign="spring", list_="L7")
    for other in ("Payment", f"{PAYMENT}X", f"X{PAYMENT}", f"X: {PAYMENT}"):
        await scene.ami.action("UserEvent", UserEvent=other, Card=CARD.decode())
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    await scene.set_var(call.customer, "RESULT", "SALE")
    await scene.redirect(spyer, "park", "s")
    await scene.ami.wait_event("Newexten", Uniqueid=spyer, Application="Wait")
    await scene.pause_agent("1002", "lunch")
    await scene.hangup(call.agent)
    await scene.hangup(spyer)
    await scene.all_quiet()
    await scene.ami.action("UserEvent", UserEvent=PAYMENT, Mark="End")
    for ami in (scene.ami, daemon):
        await ami.wait_event("UserEvent", Mark="End")
    for ami in (scene.ami, daemon):  # nothing is on its way any more
        await ami.action("Ping")
    assert _between(daemon) == _between(scene.ami)
    assert all(_let_through(event) for event in daemon.events)
    assert any(daemon.seen("Newexten", Uniqueid=spyer, Application="Wait"))
    assert CARD not in daemon.raw


@pytest.mark.parametrize(
    ("supervisor", "agent", "cause"),
    [
        pytest.param("2009", "1001", "21", id="endpoint not on the allow-list"),
        pytest.param("2001", "7777", "1", id="no such agent"),
        pytest.param("2001", ".*", "1", id="no agent at all"),
        pytest.param("2001", "${CHANNEL(name)}", "1", id="an expression"),
        pytest.param("2001", "1003", "20", id="agent has no call"),
        pytest.param("2001", "100", "1", id="the beginning of an agent's extension"),
    ],
)
async def test_code_is_refused(scene: Scene, supervisor: str, agent: str, cause: str) -> None:
    call = await scene.customer_calls("5551006")
    assert call.endpoint == "PJSIP/1001"
    for code in (MONITOR, COACH, BARGE):
        assert await scene.supervisor_is_refused(supervisor, code, agent) == cause
    assert not list(scene.ami.seen("ChanSpyStart"))


async def test_twin_extension_is_not_mistaken(scene: Scene) -> None:
    twin = await scene.customer_calls_agent("5551007", "10011")
    assert await scene.supervisor_is_refused("2001", MONITOR, "1001") == "20"
    call = await scene.customer_calls_agent("5551008", "1001")
    for agent, spied in (("1001", call), ("10011", twin)):
        spyer = await scene.supervisor_dials("2001", MONITOR, agent)
        started = await scene.ami.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
        assert started["SpyeeUniqueid"] == spied.agent


async def test_daemon_may_hang_up_but_not_originate(scene: Scene, daemon: Ami) -> None:
    await scene.customer_calls("5551009")
    spyer = await scene.supervisor_dials("2002", COACH, "1001")
    await daemon.action("Hangup", Channel=spyer, Cause="16")
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=spyer)
    await daemon.wait_event("Hangup", Uniqueid=spyer)
    for action in ("Originate", "Command", "GetConfig", "Filter", "DBPut"):
        with pytest.raises(Refused, match="Permission denied"):
            await daemon.action(action, Channel="PJSIP/1003", Application="Wait", Data="1")


async def test_spy_on_silence_cannot_be_hung_up(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_agent("5551010", "1009", silent=True)
    spyer = await scene.supervisor_dials("2001", MONITOR, "1009")
    await daemon.action("Hangup", Channel=spyer, Cause="16")  # and it says Success
    with pytest.raises(TimeoutError):
        await daemon.wait_event("Hangup", Uniqueid=spyer, deadline=1)
    await scene.status(spyer)  # raises if it were gone
    # how to get rid of it: the end of the call that is listened to
    await scene.hangup(call.customer)
    await daemon.wait_event("Hangup", Uniqueid=spyer)


async def test_faults_on_demand(scene: Scene, pbx: AsteriskServer) -> None:
    await asyncio.to_thread(pbx.pause)
    await scene.ami.send("Ping", {})
    with pytest.raises(TimeoutError):
        await scene.ami.wait_event("Nothing", deadline=0.2)
    await asyncio.to_thread(pbx.resume)
    await scene.ami.action("Ping")
    await asyncio.to_thread(pbx.kill)
    with pytest.raises(ConnectionError):
        await scene.ami.wait_event("Shutdown")
    await asyncio.to_thread(pbx.start)
    async with await Scene.on(pbx) as again:
        call = await again.customer_calls("5551011")
        assert call.customer_channel == "PJSIP/trunk-00000000"  # names begin anew
        await asyncio.to_thread(pbx.restart)
        await again.ami.wait_event("Shutdown")
