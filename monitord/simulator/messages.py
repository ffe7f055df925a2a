"""AMI events: for each type its class and the exact, ordered headers that Asterisk sends.

The tables follow Asterisk 22.10.1; `ONLY_IN` says where 16 differs. A header that
ends in `?` is sent only on some occasions. An upper-case entry is a block of headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitord.simulator.pbx import Bridge, Channel

CHANNEL_HEADERS = (
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
)

BRIDGE_HEADERS = (
    "BridgeUniqueid",
    "BridgeType",
    "BridgeTechnology",
    "BridgeCreator",
    "BridgeName",
    "BridgeNumChannels",
    "BridgeVideoSourceMode",
)

MEMBER_HEADERS = (
    "Queue",
    "MemberName",
    "Interface",
    "StateInterface",
    "Membership",
    "Penalty",
    "CallsTaken",
    "LastCall",
    "LastPause",
    "LoginTime",
    "InCall",
    "Status",
    "Paused",
    "PausedReason",
    "Ringinuse",
    "Wrapuptime",
)

# Block name -> prefix of its headers. `?` after a block: left out when that channel is gone.
CHANNEL_BLOCKS = {
    "CHANNEL": "",
    "DEST": "Dest",
    "SPYER": "Spyer",
    "SPYEE": "Spyee",
    "TRANSFERER": "Transferer",
    "TRANSFEREE": "Transferee",
}


@dataclass(frozen=True, slots=True)
class Layout:
    event_class: str
    parts: tuple[str, ...]


EVENTS: dict[str, Layout] = {
    # channels
    "Newchannel": Layout("call", ("CHANNEL",)),
    "Newstate": Layout("call", ("CHANNEL",)),
    "Newexten": Layout("dialplan", ("CHANNEL", "Extension", "Application", "AppData")),
    "NewCallerid": Layout("call", ("CHANNEL", "CID-CallingPres")),
    "NewConnectedLine": Layout("call", ("CHANNEL",)),
    "VarSet": Layout("dialplan", ("CHANNEL", "Variable", "Value")),
    "HangupRequest": Layout("call", ("CHANNEL", "Cause?", "TechCause?")),
    "SoftHangupRequest": Layout("call", ("CHANNEL", "Cause?", "TechCause?")),
    "Hangup": Layout("call", ("CHANNEL", "Cause", "Cause-txt", "TechCause?")),
    "Hold": Layout("call", ("CHANNEL", "MusicClass?")),
    "Unhold": Layout("call", ("CHANNEL",)),
    "MusicOnHoldStart": Layout("call", ("CHANNEL", "Class")),
    "MusicOnHoldStop": Layout("call", ("CHANNEL",)),
    # dialling: an Originate has no caller
    "DialBegin": Layout("call", ("CHANNEL?", "DEST", "DialString")),
    "DialState": Layout("call", ("CHANNEL?", "DEST", "DialStatus")),
    "DialEnd": Layout("call", ("CHANNEL?", "DEST", "Forward?", "DialStatus")),
    "OriginateResponse": Layout(
        "call",
        (
            "ActionID?",
            "Response",
            "Channel",
            "Application?",
            "Data?",
            "Context?",
            "Exten?",
            "Reason",
            "Uniqueid",
            "CallerIDNum",
            "CallerIDName",
            "ORIGINATED",
        ),
    ),
    # bridges
    "BridgeCreate": Layout("call", ("BRIDGE",)),
    "BridgeDestroy": Layout("call", ("BRIDGE",)),
    "BridgeEnter": Layout("call", ("BRIDGE", "CHANNEL", "SwapUniqueid?")),
    "BridgeLeave": Layout("call", ("BRIDGE", "CHANNEL")),
    "BlindTransfer": Layout(
        "call",
        ("Result", "TRANSFERER", "TRANSFEREE", "BRIDGE", "IsExternal", "Context", "Extension"),
    ),
    "ConfbridgeJoin": Layout("call", ("Conference", "BRIDGE", "CHANNEL", "Admin", "Muted")),
    "ConfbridgeLeave": Layout("call", ("Conference", "BRIDGE", "CHANNEL", "Admin")),
    # keypads
    "DTMFBegin": Layout("dtmf", ("CHANNEL", "Digit", "Direction")),
    "DTMFEnd": Layout("dtmf", ("CHANNEL", "Digit", "DurationMs", "Direction")),
    # spying
    "ChanSpyStart": Layout("call", ("SPYER", "SPYEE")),
    "ChanSpyStop": Layout("call", ("SPYER", "SPYEE?")),
    # a payment: UserEvent(MonitordPayment,State: on) in the dialplan
    "UserEvent": Layout("user", ("CHANNEL", "UserEvent", "State")),
    # devices and queues
    "DeviceStateChange": Layout("call", ("Device", "State")),
    "QueueCallerJoin": Layout("agent", ("CHANNEL", "Queue", "Position", "Count")),
    "QueueCallerLeave": Layout("agent", ("CHANNEL", "Queue", "Position", "Count")),
    "QueueCallerAbandon": Layout(
        "agent", ("CHANNEL", "Queue", "Position", "OriginalPosition", "HoldTime")
    ),
    "QueueMemberAdded": Layout("agent", MEMBER_HEADERS),
    "QueueMemberRemoved": Layout("agent", MEMBER_HEADERS),
    "QueueMemberStatus": Layout("agent", MEMBER_HEADERS),
    "QueueMemberPause": Layout("agent", (*MEMBER_HEADERS, "Reason?")),
    "AgentCalled": Layout("agent", ("CHANNEL", "DEST", "Queue", "Interface", "MemberName")),
    "AgentConnect": Layout(
        "agent",
        ("CHANNEL", "DEST", "Queue", "Interface", "MemberName", "HoldTime", "RingTime"),
    ),
    "AgentRingNoAnswer": Layout(
        "agent", ("CHANNEL", "DEST", "Queue", "Interface", "MemberName", "RingTime")
    ),
    "AgentComplete": Layout(
        "agent",
        (
            "CHANNEL?",
            "DEST?",
            "Queue",
            "Interface",
            "MemberName",
            "HoldTime",
            "TalkTime",
            "Reason",
        ),
    ),
    # system
    "FullyBooted": Layout("system", ("Status", "Uptime", "LastReload")),
    "Shutdown": Layout("system", ("Shutdown", "Restart")),
}

# (event, header) -> the only versions of those we imitate that send it.
ONLY_IN: dict[tuple[str, str], frozenset[int]] = {
    ("Hangup", "TechCause"): frozenset({22}),
    ("HangupRequest", "TechCause"): frozenset({22}),
    ("SoftHangupRequest", "TechCause"): frozenset({22}),
    # 16 repeats PausedReason under its old name, on a pause but not on its end.
    ("QueueMemberPause", "Reason"): frozenset({16}),
}

_ESCAPES = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "?": "\\?",
    }
)

Headers = tuple[tuple[str, str], ...]


def header_names(name: str, version: int = 22) -> tuple[str, ...]:
    """An event's headers after Privilege, Timestamp and SystemName, in order, blocks spelled
    out; `?` marks those that may be missing, ChanVariable stands for any number of them."""
    found: list[str] = []
    for part in EVENTS[name].parts:
        key, mark = part.rstrip("?"), "?" if part.endswith("?") else ""
        if key in CHANNEL_BLOCKS:
            prefix = CHANNEL_BLOCKS[key]
            found += [prefix + header + mark for header in CHANNEL_HEADERS]
            found.append(f"{prefix}ChanVariable?")
        elif key == "BRIDGE":
            found += BRIDGE_HEADERS
        elif key == "ORIGINATED":
            found.append("ChanVariable()?")
        elif version in ONLY_IN.get((name, key), (version,)):
            found.append(part)
    return tuple(found)


def escape(value: str) -> str:
    """As ast_escape_c: what Asterisk does to names and ChanVariable values, and to nothing else."""
    return value.translate(_ESCAPES)


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    event_class: str
    headers: Headers
    at: float  # virtual wall clock, epoch seconds
    _rendered: list[bytes] = field(default_factory=list, compare=False, repr=False)

    def encode(self, timestamps: bool = True, system_name: str = "") -> bytes:
        """The event on the wire; rendered once, however many clients there are."""
        if not self._rendered:
            head = [("Event", self.name), ("Privilege", f"{self.event_class},all")]
            if timestamps:
                head.append(("Timestamp", f"{self.at:.6f}"))
            if system_name:
                head.append(("SystemName", system_name))
            self._rendered.append(encode((*head, *self.headers)))
        return self._rendered[0]


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    text = "".join(f"{key}: {value}\r\n" for key, value in headers) + "\r\n"
    return text.encode("utf-8", "surrogateescape")


def channel_block(channel: Channel, prefix: str = "", channelvars: Sequence[str] = ()) -> Headers:
    values = (
        channel.name,
        str(channel.state.value),
        channel.state.text,
        channel.caller.number or "<unknown>",
        escape(channel.caller.name) or "<unknown>",
        channel.connected.number or "<unknown>",
        escape(channel.connected.name) or "<unknown>",
        channel.language,
        channel.account_code,
        channel.context,
        channel.exten,
        str(channel.priority),
        channel.uniqueid,
        channel.linkedid,
    )
    block = [(prefix + key, value) for key, value in zip(CHANNEL_HEADERS, values, strict=True)]
    # 22 adds Tenantid here, but only when it is set; the centre has no tenants.
    # Every configured variable is listed, also the unset ones.
    block += [
        (f"{prefix}ChanVariable", f"{name}={escape(channel.variable(name) or '')}")
        for name in channelvars
    ]
    return tuple(block)


def bridge_block(bridge: Bridge) -> Headers:
    values = (
        bridge.uniqueid,
        bridge.type,
        bridge.technology,
        bridge.creator,
        bridge.name,
        str(len(bridge.channels) + bridge.hidden),
        "none",
    )
    return tuple(zip(BRIDGE_HEADERS, values, strict=True))


class Composer:
    """Builds events by the table; a header too few or too many is an error in the simulator."""

    def __init__(self, version: int, channelvars: Sequence[str]) -> None:
        self.version = version
        self.channelvars = tuple(channelvars)

    def compose(
        self,
        name: str,
        at: float,
        *,
        channels: Mapping[str, Channel | None] | None = None,
        bridge: Bridge | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> Event:
        """`channels` maps block names (CHANNEL, DEST, SPYER, SPYEE) to channels."""
        layout = EVENTS[name]
        channels = channels or {}
        left = dict(fields or {})
        headers: list[tuple[str, str]] = []
        for part in layout.parts:
            key = part.rstrip("?")
            optional = part.endswith("?")
            if key in CHANNEL_BLOCKS:
                channel = channels.get(key)
                if channel is not None:
                    headers += channel_block(channel, CHANNEL_BLOCKS[key], self.channelvars)
                elif not optional:
                    raise ValueError(f"{name} needs the {key} channel")
            elif key == "BRIDGE":
                if bridge is None:
                    raise ValueError(f"{name} needs a bridge")
                headers += bridge_block(bridge)
            elif key == "ORIGINATED":
                headers += self._originated(channels["CHANNEL"])
            elif key in left:
                value = left.pop(key)
                if self.version in ONLY_IN.get((name, key), (self.version,)):
                    headers.append((key, str(value)))
            elif not optional:
                raise ValueError(f"{name} needs {key}")
        if left:
            raise ValueError(f"{name} has no {', '.join(left)}")
        return Event(name, layout.event_class, tuple(headers), at)

    def _originated(self, channel: Channel | None) -> Headers:
        # The odd keys with parentheses are what manager.c:7543 writes.
        if channel is None:
            return ()
        return tuple(
            (f"ChanVariable({channel.name})", f"{name}={channel.variable(name) or ''}")
            for name in self.channelvars
        )
