"""From AMI's texts, as real Asterisk sends them, to the events that state is made of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.ami.attachment import translate_item
from monitord.ami.headers import MalformedError, headers_of
from monitord.ami.protocol import Received
from monitord.ami.translate import EVENTS, LIST_ITEMS, WANTED, translate, unescape
from monitord.domain import events as ev
from monitord.domain.events import Snapshot
from tests.kit.ami_text import (
    CHANSPYSTART,
    DEVICE,
    NEWCHANNEL,
    NEWEXTEN,
    SPYER,
    block,
    event,
    lines,
    variables,
)

TRUNK = Snapshot(
    uniqueid="lab22-1795321451.3",
    name="PJSIP/trunk-00000003",
    linkedid="lab22-1795321451.3",
    state="Down",
    caller="",
    connected="",
    account="",
    context="inbound",
    exten="s",
)
SUPERVISOR = Snapshot(
    uniqueid="lab22-1795321451.5",
    name="PJSIP/2001-00000005",
    linkedid="lab22-1795321451.5",
    state="Up",
    caller="2001",
    connected="",
    account="",
    context="monitord-supervisor",
    exten="*2221001",
)
AGENT = Snapshot(
    uniqueid="lab22-1795321451.4",
    name="PJSIP/1001-00000004",
    linkedid="lab22-1795321451.3",
    state="Up",
    caller="1001",
    connected="5550100",
    account="",
    context="agents",
    exten="support",
    variables=(("CAMPAIGN", "spring"),),
)

CALLER = block("", "PJSIP/trunk-00000003", "lab22-1795321451.3", ChannelStateDesc="Down")
DEST = block(
    "Dest",
    "PJSIP/1001-00000004",
    "lab22-1795321451.4",
    CallerIDNum="1001",
    ConnectedLineNum="5550100",
    Context="agents",
    Exten="support",
    Linkedid="lab22-1795321451.3",
) + variables("Dest", campaign="spring")
QUEUE = lines(Queue="support", Interface="PJSIP/1001", MemberName="PJSIP/1001")
MEMBER = lines(
    Queue="support",
    MemberName="Ann",
    Interface="Local/1001@agents",
    StateInterface="PJSIP/1001",
    Membership="static",
    Penalty="0",
    CallsTaken="0",
    LastCall="0",
    LastPause="0",
    LoginTime="1795321454",
    InCall="0",
    Status="6",
    Paused="1",
    PausedReason="lunch",
    Ringinuse="0",
    Wrapuptime="15",
)
SEEN = ev.MemberSeen(
    queue="support",
    interface="Local/1001@agents",
    state_interface="PJSIP/1001",
    name="Ann",
    device="RINGING",
    paused=True,
    reason="lunch",
    wrap_up_s=15,
)
LISTED = block(
    "", "PJSIP/2001-00000005", "lab22-1795321451.5", CallerIDNum="2001",
    Context="monitord-supervisor", Exten="*2221001",
)  # fmt: skip
BRIDGE = lines(BridgeUniqueid="62bc7451-da35", BridgeType="basic", BridgeNumChannels="2")

TABLE: list[tuple[str, str, Any]] = [
    ("Newchannel", NEWCHANNEL, ev.ChannelCreated(TRUNK)),
    *(
        (name, event(name, CALLER), ev.ChannelChanged(TRUNK))
        for name in ("Newstate", "NewCallerid", "NewConnectedLine", "NewAccountCode")
    ),
    (
        "Rename",
        event("Rename", lines(Channel="a-1", Newname="b-1", Uniqueid="a.1")),
        ev.ChannelRenamed("a.1", "b-1"),
    ),
    (
        "Hangup",
        event("Hangup", CALLER, lines(Cause="16", Cause_txt="Normal Clearing")),
        ev.ChannelHungUp(TRUNK.uniqueid),
    ),
    (
        "Newexten",
        NEWEXTEN,
        ev.AppStarted(SUPERVISOR, "ChanSpy", "lab22-1795321451.4,uqESw"),
    ),
    (
        "VarSet",
        event("VarSet", CALLER, lines(Variable="__CAMPAIGN", Value="sp\\\"ring\\n")),
        ev.VariableSet(TRUNK.uniqueid, "__CAMPAIGN", 'sp"ring\n'),
    ),
    ("DialBegin", event("DialBegin", CALLER, DEST), ev.DialBegun(TRUNK, AGENT)),
    ("DialBegin", event("DialBegin", DEST), ev.DialBegun(None, AGENT)),
    ("BridgeEnter", event("BridgeEnter", BRIDGE, CALLER), ev.BridgeEntered(TRUNK, "62bc7451-da35")),
    (
        "BridgeLeave",
        event("BridgeLeave", BRIDGE, CALLER),
        ev.BridgeLeft(TRUNK.uniqueid, "62bc7451-da35"),
    ),
    ("Hold", event("Hold", CALLER), ev.HoldChanged(TRUNK.uniqueid, True)),
    ("Unhold", event("Unhold", CALLER), ev.HoldChanged(TRUNK.uniqueid, False)),
    ("ChanSpyStart", CHANSPYSTART, ev.SpyStarted(SUPERVISOR, AGENT)),
    ("ChanSpyStart", event("ChanSpyStart", SPYER), ev.SpyStarted(SUPERVISOR, None)),
    ("ChanSpyStop", event("ChanSpyStop", SPYER), ev.SpyStopped(SUPERVISOR.uniqueid)),
    (
        "QueueCallerJoin",
        event("QueueCallerJoin", CALLER, lines(Queue="support", Position="1", Count="1")),
        ev.QueueJoined(TRUNK, "support"),
    ),
    (
        "QueueCallerLeave",
        event("QueueCallerLeave", CALLER, lines(Queue="support", Position="1", Count="0")),
        ev.QueueLeft(TRUNK.uniqueid),
    ),
    (
        "AgentCalled",
        event("AgentCalled", CALLER, DEST, QUEUE),
        ev.AgentRung("support", "PJSIP/1001", TRUNK.uniqueid, AGENT.uniqueid),
    ),
    (
        "AgentConnect",
        event("AgentConnect", CALLER, DEST, QUEUE, lines(HoldTime="0", RingTime="0")),
        ev.AgentConnected("support", "PJSIP/1001", "PJSIP/1001", TRUNK.uniqueid, AGENT.uniqueid),
    ),
    (
        "AgentComplete",
        event("AgentComplete", CALLER, DEST, QUEUE, lines(TalkTime="0", Reason="caller")),
        ev.AgentCompleted("support", "PJSIP/1001", "PJSIP/1001", TRUNK.uniqueid, AGENT.uniqueid),
    ),
    (
        "AgentComplete",
        event("AgentComplete", QUEUE, lines(TalkTime="0", Reason="agent")),
        ev.AgentCompleted("support", "PJSIP/1001", "PJSIP/1001", None, None),
    ),
    ("QueueMemberStatus", event("QueueMemberStatus", MEMBER), SEEN),
    ("QueueMemberAdded", event("QueueMemberAdded", MEMBER), SEEN),
    (
        "QueueMember",
        event("QueueMember", lines(Queue="sales", Name="Bob", Location="PJSIP/1003", Status="1")),
        ev.MemberSeen("sales", "PJSIP/1003", "", "Bob", "NOT_INUSE", False, "", 0),
    ),
    (
        "QueueMemberPause",
        event("QueueMemberPause", MEMBER, lines(Reason="lunch")),
        ev.MemberPaused("support", "Local/1001@agents", True, "lunch"),
    ),
    (
        "QueueMemberPause",  # 22 gives no Reason
        event("QueueMemberPause", MEMBER),
        ev.MemberPaused("support", "Local/1001@agents", True, "lunch"),
    ),
    (
        "ChanSpyStop",  # 20 and later, with tenants, and no timestamps or system name
        "Event: ChanSpyStop\r\nPrivilege: call,all\r\n" + SPYER + "SpyerTenantid: t1",
        ev.SpyStopped(SUPERVISOR.uniqueid),
    ),
    (
        "QueueMemberRemoved",
        event("QueueMemberRemoved", MEMBER),
        ev.MemberRemoved("support", "Local/1001@agents"),
    ),
    ("DeviceStateChange", DEVICE, ev.DeviceChanged("PJSIP/trunk", "RINGING")),
    (
        "Status",
        event(
            "Status",
            LISTED,
            lines(Type="PJSIP", BridgeID="", Application="ChanSpy", Data="a.1,u", Seconds="3723"),
        ),
        ev.ChannelTold(SUPERVISOR, "ChanSpy", "a.1,u", 3723, ""),
    ),
    (
        "Status",
        event("Status", LISTED, variables(result="ok"), lines(Application="Dial", Data="x")),
        ev.ChannelTold(
            msgspec.structs.replace(
                SUPERVISOR, variables=(("CAMPAIGN", ""), ("LIST", ""), ("RESULT", "ok"))
            ),
            "Dial", "x", 0, "",
        ),
    ),
    *(
        (
            "UserEvent",
            event("UserEvent", CALLER, lines(UserEvent="MonitordPayment", State=state)),
            ev.UserSaid("MonitordPayment", TRUNK.uniqueid, TRUNK.name, on),
        )
        for state, on in (("on", True), ("1", True), ("off", False), ("", False), ("No", False))
    ),
    (
        "UserEvent",
        event("UserEvent", CALLER, lines(UserEvent="MonitordScore", Score="4")),
        ev.ScoreSaid("MonitordScore", TRUNK.uniqueid, TRUNK.name, "4"),
    ),
    (
        "UserEvent",  # by another program, which knows the channel's name
        event("UserEvent", lines(UserEvent="Paying", Channel="PJSIP/1-1", state="true")),
        ev.UserSaid("Paying", "", "PJSIP/1-1", True),
    ),
    ("MixMonitorStart", event("MixMonitorStart", CALLER), ev.RecordingStarted(TRUNK)),
    ("MixMonitorStop", event("MixMonitorStop", CALLER), ev.RecordingStopped(TRUNK.uniqueid)),
    *(
        (
            "MixMonitorMute",
            event("MixMonitorMute", CALLER, lines(Direction="both", State=state)),
            ev.RecordingMuted(TRUNK.uniqueid, "both", on),
        )
        for state, on in (("1", True), ("0", False))
    ),
    (
        "DTMFEnd",
        event("DTMFEnd", LISTED, lines(Digit="5", DurationMs="100", Direction="Received")),
        ev.KeyPressed(SUPERVISOR.uniqueid, "5"),
    ),
    (
        "DTMFEnd",
        event("DTMFEnd", LISTED, lines(Digit="5", DurationMs="100", Direction="Sent")),
        ev.KeyPressed(SUPERVISOR.uniqueid, ""),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "expected"), TABLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(TABLE)]
)
def test_events(name: str, text: str, expected: ev.Event) -> None:
    assert translate(name, text) == expected


def test_the_table_above_has_every_event() -> None:
    assert {row[0] for row in TABLE} == {*EVENTS, *LIST_ITEMS}
    assert {e.encode() for e in EVENTS} < set(WANTED)


def test_what_is_not_about_state_is_no_event() -> None:
    assert translate("DialEnd", event("DialEnd", CALLER)) is None
    assert translate("", "Event: ") is None


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        pytest.param("Hangup", "Event: Hangup", "Hangup without Uniqueid", id="nothing"),
        pytest.param("Hangup", "Event: Hangup\r\nUniqueid: ", "Uniqueid", id="empty"),
        pytest.param("Hangup", "Event: Hangup\r\nUniqueid", "Uniqueid", id="no colon"),
        pytest.param("Hangup", "Event: Hangup\r\nUniqueid: (null)", "Uniqueid", id="null"),
        pytest.param("Hangup", "Event: Hangup\r\nUNIQUEID: a.1", "Uniqueid", id="other spelling"),
        pytest.param("Newchannel", "Event: Newchannel\r\nUniqueid: a", "Channel", id="no name"),
        pytest.param("ChanSpyStart", "Event: ChanSpyStart", "SpyerUniqueid", id="no spyer"),
        pytest.param("QueueMember", "Event: QueueMember\r\nQueue: q", "Location", id="no member"),
        pytest.param("UserEvent", "Event: x\r\nState: on", "Uniqueid or Channel", id="of whom"),
        pytest.param("UserEvent", "Event: x\r\nChannel: a", "State", id="on or off"),
        pytest.param("DeviceStateChange", "Event: x\r\nDevice: a", "State", id="no state"),
        pytest.param(
            "Hangup",
            "Event: Hangup\r\nEvent: Newchannel\r\nUniqueid: a.1",
            "two of Event",
            id="event twice",
        ),
        pytest.param(
            "Newexten",
            NEWEXTEN + "\r\nUniqueid: another.1",
            "two of Uniqueid",
            id="forged by AppData",
        ),
        pytest.param(
            "ChanSpyStart",
            CHANSPYSTART + "\r\nSpyerChannel: PJSIP/1002-1",
            "two of SpyerChannel",
            id="forged name",
        ),
    ],
)
def test_malformed(name: str, text: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        translate(name, text)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [("0", 0), ("3723", 3723), ("", 0), ("-1", 0), ("²", 0), ("9" * 5000, 0), ("(null)", 0)],
    ids=lambda v: str(v)[:12],
)
def test_absurd_ages(seconds: str, age: int) -> None:
    made = translate("Status", event("Status", CALLER, lines(Seconds=seconds)))
    assert isinstance(made, ev.ChannelTold) and made.seconds == age


@pytest.mark.parametrize("value", ["²", "٣", "-1", "1e9", "9" * 11, "9" * 5000, "", "(null)"])
def test_absurd_wrap_up_times(value: str) -> None:
    text = event("QueueMember", lines(Queue="q", Location="PJSIP/1", Wrapuptime=value, Status="²"))
    made = translate("QueueMember", text)
    assert isinstance(made, ev.MemberSeen) and (made.wrap_up_s, made.device) == (0, "")


@pytest.mark.parametrize("number", ["<unknown>", "", "(null)", " "])
def test_no_number(number: str) -> None:
    made = translate("Newchannel", event("Newchannel", block("", "a", "1", CallerIDNum=number)))
    assert isinstance(made, ev.ChannelCreated) and made.channel.caller == ""


def test_one_variable_none_and_one_without_equals_sign() -> None:
    text = event("Newstate", block("", "a", "1"), "ChanVariable: A=x=y\r\nChanVariable: odd\r\n")
    made = translate("Newstate", text)
    assert isinstance(made, ev.ChannelChanged) and made.channel.variables == (("A", "x=y"),)


def test_a_channels_variables_are_no_other_channels() -> None:
    made = translate("DialBegin", event("DialBegin", CALLER, variables(campaign="old"), DEST))
    assert isinstance(made, ev.DialBegun) and made.caller is not None
    assert made.caller.variables == (("CAMPAIGN", "old"),)
    assert made.dest.variables == (("CAMPAIGN", "spring"),)


def test_headers() -> None:
    text = "Event: X\r\nChanVariable(PJSIP/1-1): A=1\r\nno colon\r\n: y\r\nA:b\r\nA: c\r\nB:  d"
    assert headers_of(text) == {
        "Event": "X",
        "ChanVariable(PJSIP/1-1)": "A=1",
        "": "y",
        "A": "b",
        "B": " d",
    }


@pytest.mark.parametrize(
    ("escaped", "value"),
    [
        ("plain", "plain"),
        (r"a\nb\r\t", "a\nb\r\t"),
        (r"\"q\" \'s\' \?", "\"q\" 's' ?"),
        (r"back\\slash\\n", r"back\slash\n"),
        ("ends\\", "ends\\"),
        (r"\a\b\f\v", "\a\b\f\v"),
    ],
)
def test_escapes(escaped: str, value: str) -> None:
    assert unescape(escaped) == value


@pytest.mark.parametrize("name", sorted(LIST_ITEMS))
def test_a_list_item_that_nobody_asked_for_is_no_event(name: str) -> None:
    text = next(text for row, text, _ in TABLE if row == name)
    assert translate_item(Received(0, 0, name, text)) is None
    assert translate_item(Received(0, 0, name, text, reply=True)) is not None


HEADERS = [
    *("Event", "Uniqueid", "Channel", "Linkedid", "DestUniqueid", "DestChannel", "SpyerUniqueid"),
    *("SpyerChannel", "SpyeeUniqueid", "Queue", "Interface", "Location", "Status", "Wrapuptime"),
    *("Duration", "Device", "State", "Variable", "Value", "ChanVariable", "BridgeUniqueid"),
    *("Newname", "Paused", "Application", "AppData", "Data"),
]


@pytest.mark.fault("malformed AMI bytes")
@given(
    name=st.sampled_from([*EVENTS, *LIST_ITEMS]),
    pairs=st.lists(st.tuples(st.sampled_from(HEADERS), st.text(max_size=12)), max_size=25),
)
def test_no_text_raises_anything_but_malformed(name: str, pairs: list[tuple[str, str]]) -> None:
    try:
        translate(name, "\r\n".join(f"{k}: {v}" for k, v in pairs))
    except MalformedError as error:
        assert str(error)
