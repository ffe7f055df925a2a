"""Messages in the very shape in which Asterisk sends them, each read by one pattern. PURE.

Taking a message apart header by header costs more than all that is done with it. Asterisk builds
each kind of event in one place of its code, so its headers come in one order, the same in 16 and
22 (tests/traces). A pattern covers the whole message: one with another header, a header twice, one
left out or a line break within a value does not fit, and is read in the general way
(:func:`monitord.ami.headers.headers_of`), with all its checks. Whatever fits must give what that
way gives; tests hold the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from monitord.ami.values import MEMBER_STATUS, Pairs, number, unescape, variables, whole
from monitord.domain import events as ev
from monitord.domain.events import Event, Snapshot

Groups = tuple[str, ...]

_KEPT = {
    "Channel": "+",  # nothing can be done without it
    "ChannelStateDesc": "*",
    "CallerIDNum": "*",
    "ConnectedLineNum": "*",
    "AccountCode": "*",
    "Context": "*",
    "Exten": "*",
    "Uniqueid": "+",
    "Linkedid": "*",
}
_BLOCK = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName"),
    *("ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode", "Context"),
    *("Exten", "Priority", "Uniqueid", "Linkedid"),
)
_LINE = r"[^\r\n]"
_BRIDGE = (
    *("BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels"),
    "BridgeVideoSourceMode",
)
_MEMBER = ("Membership", "Penalty", "CallsTaken", "LastCall", "LastPause", "LoginTime", "InCall")


def _dropped(*names: str) -> str:
    return "".join(rf"\r\n{name}: {_LINE}*" for name in names)


def _kept(*names: str) -> str:
    """Those that end in ``!`` must have a value."""
    return "".join(
        rf"\r\n{name[:-1]}: ({_LINE}+)" if name.endswith("!") else rf"\r\n{name}: ({_LINE}*)"
        for name in names
    )


def _block(prefix: str = "") -> str:
    """A channel's headers, nine of them kept, and its variables as they stand there: ten groups."""
    lines = "".join(
        rf"\r\n{prefix}{name}: ({_LINE}{_KEPT[name]})"
        if name in _KEPT
        else rf"\r\n{prefix}{name}: {_LINE}*"
        for name in _BLOCK
    )
    rest = rf"(?:\r\n{prefix}Tenantid: {_LINE}*)?((?:\r\n{prefix}ChanVariable: {_LINE}*)*)"
    return lines + rest


def _known(prefix: str = "") -> str:
    """The same where only the uniqueid counts: one group."""
    lines = "".join(
        rf"\r\n{prefix}{name}: ({_LINE}+)"
        if name == "Uniqueid"
        else rf"\r\n{prefix}{name}: {_LINE}*"
        for name in _BLOCK
    )
    return lines + rf"(?:\r\n{prefix}Tenantid: {_LINE}*)?(?:\r\n{prefix}ChanVariable: {_LINE}*)*"


def _snapshot(groups: Groups, first: int = 0, *, empty: bool = False) -> Snapshot:
    """From the ten groups of a block that begin at ``first``."""
    name, state, caller, connected, account, context, exten, uniqueid, linkedid, lines = groups[
        first : first + 10
    ]
    return Snapshot(
        uniqueid,
        name,
        linkedid,
        state,
        number(caller),
        number(connected),
        account,
        context,
        exten,
        _variables(lines, empty) if lines else (),
    )


# The legs of a call repeat the same ones in each of their events.
@lru_cache(maxsize=4096)
def _variables(lines: str, empty: bool) -> Pairs:
    values = [line.partition(": ")[2] for line in lines.split("\r\n")[1:]]
    return variables("\r\n".join(values), empty)


def _bridge() -> str:
    return _kept("BridgeUniqueid!") + _dropped(*_BRIDGE)


_CALLED = _known() + _known("Dest") + _kept("Queue!", "Interface!", "MemberName")

_SHAPES: dict[str, tuple[str, Callable[[Groups], Event]]] = {
    "Newchannel": (_block(), lambda g: ev.ChannelCreated(_snapshot(g))),
    "Newstate": (_block(), lambda g: ev.ChannelChanged(_snapshot(g))),
    "NewConnectedLine": (_block(), lambda g: ev.ChannelChanged(_snapshot(g))),
    "NewCallerid": (
        _block() + _dropped("CID-CallingPres"),
        lambda g: ev.ChannelChanged(_snapshot(g)),
    ),
    "Newexten": (
        _block() + _dropped("Extension") + _kept("Application", "AppData"),
        lambda g: ev.AppStarted(_snapshot(g), g[10], g[11]),
    ),
    "Hangup": (_known() + _dropped("Cause", "Cause-txt"), lambda g: ev.ChannelHungUp(*g)),
    "VarSet": (
        _known() + _kept("Variable!", "Value"),
        lambda g: ev.VariableSet(g[0], g[1], unescape(g[2])),
    ),
    "BridgeEnter": (_bridge() + _block(), lambda g: ev.BridgeEntered(_snapshot(g, 1), g[0])),
    "BridgeLeave": (_bridge() + _known(), lambda g: ev.BridgeLeft(g[1], g[0])),
    "DialBegin": (
        _block() + _block("Dest") + _dropped("DialString"),
        lambda g: ev.DialBegun(_snapshot(g), _snapshot(g, 10)),
    ),
    "QueueCallerJoin": (
        _block() + _kept("Queue!") + _dropped("Position", "Count"),
        lambda g: ev.QueueJoined(_snapshot(g), g[10]),
    ),
    "QueueCallerLeave": (
        _known() + _dropped("Queue", "Position", "Count"),
        lambda g: ev.QueueLeft(*g),
    ),
    "AgentCalled": (_CALLED, lambda g: ev.AgentRung(g[2], g[3], g[0], g[1])),
    "AgentConnect": (
        _CALLED + _dropped("HoldTime", "RingTime"),
        lambda g: ev.AgentConnected(g[2], g[3], g[4], g[0], g[1]),
    ),
    "AgentComplete": (
        _CALLED + _dropped("HoldTime", "TalkTime", "Reason"),
        lambda g: ev.AgentCompleted(g[2], g[3], g[4], g[0], g[1]),
    ),
    "QueueMemberStatus": (
        _kept("Queue!", "MemberName", "Interface!", "StateInterface")
        + _dropped(*_MEMBER)
        + _kept("Status", "Paused", "PausedReason")
        + _dropped("Ringinuse")
        + _kept("Wrapuptime"),
        lambda g: ev.MemberSeen(
            queue=g[0],
            interface=g[2],
            state_interface=g[3],
            name=g[1],
            device=MEMBER_STATUS.get(g[4], ""),
            paused=g[5] == "1",
            reason=g[6],
            wrap_up_s=whole(g[7]),
        ),
    ),
    "DeviceStateChange": (_kept("Device!", "State!"), lambda g: ev.DeviceChanged(*g)),
    # Items of our own list.
    "Status": (
        _block()
        + _dropped("Type", "DNID", "EffectiveConnectedLineNum", "EffectiveConnectedLineName")
        + _dropped("TimeToHangup")
        + _kept("BridgeID", "Application", "Data")
        + _dropped("Nativeformats", "Readformat", "Readtrans", "Writeformat", "Writetrans")
        + _dropped("Callgroup", "Pickupgroup")
        + _kept("Seconds")
        + _dropped("ActionID"),
        lambda g: ev.ChannelTold(_snapshot(g, empty=True), g[11], g[12], whole(g[13]), g[10]),
    ),
}

_BEGIN = rf"\r\nPrivilege: {_LINE}*(?:\r\nTimestamp: {_LINE}*)?(?:\r\nSystemName: {_LINE}*)?"
_READERS = {
    name: (re.compile(f"Event: {name}{_BEGIN}{rest}").fullmatch, make)
    for name, (rest, make) in _SHAPES.items()
}


def fitting(name: str, text: str) -> Event | None:
    """The event of a message whose shape is the usual one; None for all others."""
    reader = _READERS.get(name)
    if reader is None or "(null)" in text:  # as C prints a string that is none
        return None
    match, make = reader
    found = match(text)
    return make(found.groups()) if found is not None else None
