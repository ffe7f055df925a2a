"""That real Asterisk does, on both versions, what the lab's further scenes promise: calls."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from tests.lab.ami import Ami
from tests.lab.scene import BARGE, COACH, MONITOR, SWITCH, TAKEOVER, Scene
from tests.lab.server import AsteriskServer


@pytest.fixture
async def daemon(scene: Scene) -> AsyncIterator[Ami]:
    """What the daemon sees: a connection of the shipped user."""
    async with await scene.monitord_user() as ami:
        yield ami


def spies(ami: Ami) -> list[tuple[str, str]]:
    """Every start and stop of a spy, with the spied endpoint."""
    return [
        (event["Event"], event["SpyeeChannel"].rpartition("-")[0])
        for event in ami.events
        if event["Event"] in ("ChanSpyStart", "ChanSpyStop")
    ]


# ---- customers who ring in, and phones that nobody answers


async def test_customer_rings_in_by_himself(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552000", campaign="spring", list_="L7")
    first = await daemon.wait_event("Newchannel", Uniqueid=call.customer)
    assert (first["ChannelStateDesc"], first["CallerIDNum"]) == ("Ring", "5552000")
    assert not list(scene.ami.seen("DialBegin", DestUniqueid=call.customer))
    got = await daemon.wait_event("AgentConnect", Uniqueid=call.customer)
    assert set(got.all("ChanVariable")) >= {"CAMPAIGN=spring", "LIST=L7"}
    await scene.hold(call.customer)
    await scene.hold(call.customer, on=False)
    await scene.phone_hangs_up(call.customer)
    got = await daemon.wait_event("AgentComplete", Uniqueid=call.customer)
    assert got["Reason"] == "caller"


async def test_several_customers_at_a_time(scene: Scene) -> None:
    waiting = [await scene.customer_waits_in(f"555201{n}") for n in range(3)]
    call = await scene.customer_calls_in("5552020", queue="sales")
    for customer in waiting:
        await scene.phone_hangs_up(customer)
        await scene.ami.wait_event("QueueCallerAbandon", Uniqueid=customer)
    await scene.hangup(call.customer)
    await scene.all_quiet()


async def test_agent_does_not_answer_and_the_next_one_does(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552001", queue="late")
    got = await daemon.wait_event("AgentRingNoAnswer", Uniqueid=call.customer)
    assert (got["Interface"], got["MemberName"]) == ("PJSIP/1008", "PJSIP/1008")
    assert 1500 < int(got["RingTime"]) < 4000
    assert call.endpoint == "PJSIP/1004"


async def test_customer_gives_up_while_it_rings(scene: Scene, daemon: Ami) -> None:
    customer = await scene.customer_waits_in("5552002", queue="absent")
    called = await daemon.wait_event("AgentCalled", Uniqueid=customer)
    await daemon.wait_event("Newstate", Channel=called["DestChannel"], ChannelStateDesc="Ringing")
    await scene.phone_hangs_up(customer)
    await daemon.wait_event("QueueCallerAbandon", Uniqueid=customer)
    await daemon.wait_event("Hangup", Channel=called["DestChannel"])
    assert not list(daemon.seen("AgentConnect"))
    assert not list(daemon.seen("AgentRingNoAnswer"))


# ---- the keypad


async def test_keypad_switches(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls("5552003")
    spyer = await scene.supervisor_dials("2001", SWITCH, "1001")
    spy = await daemon.wait_event("Newexten", Uniqueid=spyer, Application="ChanSpy")
    assert spy["AppData"] == f"{call.agent},uqESd"
    for digit in "564":
        got = await scene.supervisor_presses(spyer, digit)
        assert got["Direction"] == "Received"
    status = (await daemon.action("Status", Channel=spyer))[1]
    assert status["Data"] == f"{call.agent},uqESd"  # the switch shows nowhere
    assert spies(daemon) == [("ChanSpyStart", "PJSIP/1001")]
    await daemon.action("Ping")
    assert not list(daemon.seen("DTMFEnd"))


async def test_optional_dtmf_is_the_supervisors_only(scene: Scene, pbx: AsteriskServer) -> None:
    await asyncio.to_thread(pbx.change_user, dtmf=True)
    async with await scene.monitord_user() as daemon:
        call = await scene.customer_calls("5552004")
        spyer = await scene.supervisor_dials("2001", SWITCH, "1001")
        await scene.supervisor_presses(call.customer, "4")
        await scene.supervisor_presses(call.agent, "5")
        await scene.supervisor_presses(spyer, "7")
        await scene.supervisor_presses(spyer, "6")
        await daemon.wait_event("DTMFEnd", Uniqueid=spyer, Digit="6", Direction="Received")
        digits = [(event["Uniqueid"], event["Digit"]) for event in daemon.seen("DTMFEnd")]
        assert digits == [(spyer, "6")]
        assert not list(daemon.seen("DTMFBegin"))


# ---- transfers


async def test_blind_transfer(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552005")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    new = await scene.blind_transfer(call, "1003")
    assert (new.customer, new.endpoint) == (call.customer, "PJSIP/1003")
    got = await daemon.wait_event("BlindTransfer", TransfererUniqueid=call.agent)
    assert (got["TransfereeUniqueid"], got["Extension"]) == (call.customer, "1003")
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=spyer)
    got = await daemon.wait_event("AgentComplete", Uniqueid=call.customer)
    assert got["Reason"] == "transfer"


async def test_attended_transfer(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552006")
    spyer = await scene.supervisor_dials("2001", MONITOR, "1001")
    new = await scene.attended_transfer(call, "1003")
    assert (new.customer, new.endpoint) == (call.customer, "PJSIP/1003")
    got = await daemon.wait_event("AttendedTransfer", OrigTransfererUniqueid=call.agent)
    assert got["TransfereeUniqueid"] == call.customer
    assert got["TransferTargetUniqueid"] == new.agent
    sides = [await scene.status(uniqueid) for uniqueid in (new.customer, new.agent)]
    assert sides[0]["BridgeID"] == sides[1]["BridgeID"]
    assert sides[1]["Linkedid"] == call.customer  # it had another one until then
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=spyer)


# ---- Local channels


@pytest.mark.parametrize("queue", ["local", "local-optimised"])
async def test_agent_behind_a_local_channel(scene: Scene, daemon: Ami, queue: str) -> None:
    call = await scene.customer_calls_in("5552007", queue=queue)
    assert call.endpoint == "PJSIP/1003"
    got = await daemon.wait_event("AgentConnect", Uniqueid=call.customer)
    assert got["DestChannel"].startswith("Local/1003@agents-")
    assert got["MemberName"] == "Agent 1003"
    if queue == "local-optimised":  # both halves hang up after the optimisation has ended
        for half in "12":
            await daemon.wait_event("Hangup", Channel=re.compile(rf"^Local/1003@.*;{half}$"))
    locals_left = [one for one in await scene.channels() if one["Channel"].startswith("Local/")]
    assert bool(locals_left) == (queue == "local")
    spyer = await scene.supervisor_dials("2001", COACH, "1003")
    started = await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    assert started["SpyeeUniqueid"] == call.agent
    await scene.phone_hangs_up(call.agent)
    got = await daemon.wait_event("AgentComplete", Queue=queue)
    assert got["Interface"].startswith("Local/1003@agents")
    # Asterisk leaves the caller out where they are gone by the time it writes this.
    assert got.all("Uniqueid") in ([], [call.customer])


# ---- take-overs


async def test_bridge_takes_the_call_over(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552008")
    spyer = await scene.supervisor_dials("2001", BARGE, "1001")
    entered = await scene.bridge(spyer, call.customer)
    await daemon.wait_event("Hangup", Uniqueid=call.agent)
    got = await daemon.wait_event(
        "BridgeEnter", Uniqueid=call.customer, BridgeUniqueid=entered["BridgeUniqueid"]
    )
    assert got["BridgeNumChannels"] == "2"
    await daemon.action("Ping")
    assert not list(daemon.seen("ChanSpyStop"))
    await scene.phone_hangs_up(call.customer)
    await daemon.wait_event("Hangup", Uniqueid=spyer)


async def test_both_redirected_into_a_room(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552009")
    spyer = await scene.supervisor_dials("2001", BARGE, "1001")
    since = daemon.mark()
    joined = await scene.redirect_both(call.customer, spyer)
    assert joined["Conference"] == "900"
    for uniqueid in (call.customer, spyer):
        await daemon.wait_event("ConfbridgeJoin", since, Uniqueid=uniqueid)
    await daemon.wait_event("ChanSpyStop", since, SpyerUniqueid=spyer)
    await daemon.wait_event("Hangup", since, Uniqueid=call.agent)
    await scene.phone_hangs_up(call.customer)


@pytest.mark.parametrize("way", ["queue", "local", "outbound"])
async def test_keypad_takes_the_call_over(scene: Scene, daemon: Ami, way: str) -> None:
    if way == "outbound":
        call = await scene.agent_dials("1003", "5552021")
    else:
        call = await scene.customer_calls_in("5552021", queue={"queue": "sales"}.get(way, way))
    spyer = await scene.supervisor_dials("2001", TAKEOVER, "1003")
    since = daemon.mark()
    await scene.supervisor_presses(spyer, "5")  # does nothing
    await scene.supervisor_presses(spyer, "0")
    await daemon.wait_event("ChanSpyStop", since, SpyerUniqueid=spyer)
    entered = await daemon.wait_event("BridgeEnter", since, Uniqueid=spyer)
    await daemon.wait_event("Hangup", since, Uniqueid=call.agent)
    other = await daemon.wait_event(
        "BridgeEnter",
        since,
        BridgeUniqueid=entered["BridgeUniqueid"],
        Uniqueid=lambda uniqueid: uniqueid != spyer,
    )
    assert (other["Uniqueid"] == call.customer) == (way != "local")  # else the Local's far end
    await scene.phone_hangs_up(spyer)
    await daemon.wait_event("Hangup", Uniqueid=call.customer)


async def test_keypad_does_not_take_a_conference_over(scene: Scene, daemon: Ami) -> None:
    call = await scene.conference("5552022", "1003")
    spyer = await scene.supervisor_dials("2001", TAKEOVER, "1003")
    await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    since = daemon.mark()
    await scene.supervisor_presses(spyer, "0")
    again = await daemon.wait_event("ChanSpyStart", since, SpyerUniqueid=spyer)
    assert again["SpyeeUniqueid"] == call.agent
    assert (await scene.status(call.customer))["Application"] == "ConfBridge"


async def test_agent_is_kicked_out_of_a_conference(scene: Scene, daemon: Ami) -> None:
    call = await scene.conference("5552010", "1003", campaign="spring")
    spyer = await scene.supervisor_dials("2001", COACH, "1003")
    joined = await scene.joins("PJSIP/2002")
    left = await scene.kick(call.agent)
    await daemon.wait_event("Hangup", Uniqueid=call.agent)
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=spyer)
    for uniqueid in (call.customer, joined):  # these two go on
        assert (await scene.status(uniqueid))["BridgeID"] == left["BridgeUniqueid"]


# ---- spies of the older kinds


async def test_prefix_spy_takes_the_twin(scene: Scene, daemon: Ami) -> None:
    twin = await scene.customer_calls_agent("5552011", "10011")
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001")
    started = await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    assert started["SpyeeUniqueid"] == twin.agent


async def test_star_moves_a_prefix_spy(scene: Scene, daemon: Ami) -> None:
    agents = {(await scene.customer_calls_agent("5552012", n)).agent for n in ("1001", "10011")}
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001")
    first = await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    since = daemon.mark()
    await scene.supervisor_presses(spyer, "*")
    second = await daemon.wait_event("ChanSpyStart", since, SpyerUniqueid=spyer)
    assert {first["SpyeeUniqueid"], second["SpyeeUniqueid"]} == agents
    stopped = await daemon.wait_event("ChanSpyStop", since, SpyerUniqueid=spyer)
    assert 0 <= float(second["Timestamp"]) - float(stopped["Timestamp"]) < 1


async def test_prefix_spy_withholds_the_hangup_of_another(scene: Scene, daemon: Ami) -> None:
    calls = [await scene.customer_calls_agent("5552012", n) for n in ("1001", "10011")]
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001")
    started = await daemon.wait_event("ChanSpyStart", SpyerUniqueid=spyer)
    (other,) = (call for call in calls if call.agent != started["SpyeeUniqueid"])
    await scene.phone_hangs_up(other.customer)
    await daemon.wait_event("BridgeLeave", Uniqueid=other.agent)
    with pytest.raises(TimeoutError):
        await daemon.wait_event("Hangup", Uniqueid=other.agent, deadline=1)
    shown = {line["Uniqueid"] for line in await daemon.action("CoreShowChannels")}
    assert other.agent in shown
    assert other.agent not in {line["Uniqueid"] for line in await scene.channels()}
    await scene.hangup(spyer)
    await daemon.wait_event("Hangup", Uniqueid=other.agent)


async def test_spy_without_e_waits_for_the_next_call(scene: Scene, daemon: Ami) -> None:
    spyer = await scene.supervisor_spies("2001", "PJSIP/1001", waits=True)
    for number in ("5552013", "5552014"):
        since = daemon.mark()
        call = await scene.customer_calls_agent(number, "1001")
        started = await daemon.wait_event("ChanSpyStart", since, SpyerUniqueid=spyer)
        assert started["SpyeeUniqueid"] == call.agent
        await scene.phone_hangs_up(call.customer)
        await daemon.wait_event("ChanSpyStop", since, SpyerUniqueid=spyer)
    await scene.hangup(spyer)
    assert spies(daemon) == [("ChanSpyStart", "PJSIP/1001"), ("ChanSpyStop", "PJSIP/1001")] * 2


async def test_two_supervisors_on_one_agent(scene: Scene, daemon: Ami) -> None:
    call = await scene.customer_calls_in("5552015")
    one = await scene.supervisor_dials("2001", MONITOR, "1001")
    other = await scene.supervisor_dials("2002", BARGE, "1001")
    await scene.phone_hangs_up(one)
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=one)
    assert (await scene.status(other))["Application"] == "ChanSpy"
    await scene.phone_hangs_up(call.customer)
    await daemon.wait_event("ChanSpyStop", SpyerUniqueid=other)
