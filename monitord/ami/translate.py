"""From AMI messages to domain events: one PURE table, event name to function.

Header names and their meaning: ami-facts 1.1 to 1.8, measured on 16 and 22. Whatever misses a
header that its event cannot do without is malformed: it is counted and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from monitord.ami.headers import Headers, MalformedError, headers_of
from monitord.ami.protocol import Wanted
from monitord.ami.shapes import fitting
from monitord.ami.values import MEMBER_STATUS, number, unescape, variables, whole
from monitord.domain import events as ev
from monitord.domain.events import Event, Snapshot
from monitord.domain.payments import says_on

_MULTI = "ChanVariable"


def _need(headers: Headers, key: str) -> str:
    value = headers.get(key)
    if not value or value == "(null)":  # as C prints a string that is none
        raise MalformedError(f"{headers.get('Event', '?')} without {key}")
    return value


def snapshot(headers: Headers, prefix: str = "", *, empty: bool = False) -> Snapshot:
    """The block of headers that describes a channel; ``prefix`` such as ``Dest`` or ``Spyer``.
    ``empty``: variables without a value as well."""
    told = headers.get(prefix + _MULTI)
    return Snapshot(
        uniqueid=_need(headers, prefix + "Uniqueid"),
        name=_need(headers, prefix + "Channel"),
        linkedid=headers.get(prefix + "Linkedid", ""),
        state=headers.get(prefix + "ChannelStateDesc", ""),
        caller=number(headers.get(prefix + "CallerIDNum")),
        connected=number(headers.get(prefix + "ConnectedLineNum")),
        account=headers.get(prefix + "AccountCode", ""),
        context=headers.get(prefix + "Context", ""),
        exten=headers.get(prefix + "Exten", ""),
        variables=variables(told, empty) if told else (),
    )


def _optional(headers: Headers, prefix: str) -> Snapshot | None:
    """Asterisk leaves the block out when that channel is gone already."""
    return snapshot(headers, prefix) if headers.get(prefix + "Uniqueid") else None


def _changed(h: Headers) -> Event:
    return ev.ChannelChanged(snapshot(h))


def _member(h: Headers) -> Event:
    """QueueMemberStatus, QueueMemberAdded and QueueStatus' QueueMember, which names the
    interface ``Location`` and the member ``Name``."""
    return ev.MemberSeen(
        queue=_need(h, "Queue"),
        interface=h.get("Interface") or _need(h, "Location"),
        state_interface=h.get("StateInterface", ""),
        name=h.get("MemberName") or h.get("Name", ""),
        device=MEMBER_STATUS.get(h.get("Status", ""), ""),
        paused=h.get("Paused") == "1",
        reason=h.get("PausedReason", ""),
        wrap_up_s=whole(h.get("Wrapuptime")),
    )


def _received_digit(h: Headers) -> str:
    """What the phone sent; what is played to it is no key."""
    return h.get("Digit", "") if h.get("Direction") == "Received" else ""


def _user_event(h: Headers) -> Event:
    """State or Score as the site writes it, and one of Uniqueid and Channel: the dialplan's
    application puts both there by itself, another program gives what it knows."""
    if not (h.get("Uniqueid") or h.get("Channel")):
        raise MalformedError("UserEvent without Uniqueid or Channel")
    state = next((value for key, value in h.items() if key.lower() == "state"), None)
    if state is None:
        score = next((value for key, value in h.items() if key.lower() == "score"), None)
        if score is None:
            raise MalformedError("UserEvent without State or Score")
        return ev.ScoreSaid(
            _need(h, "UserEvent"), h.get("Uniqueid", ""), h.get("Channel", ""), score
        )
    return ev.UserSaid(
        _need(h, "UserEvent"), h.get("Uniqueid", ""), h.get("Channel", ""), says_on(state)
    )


def _reason(h: Headers) -> str:
    return h.get("PausedReason") or h.get("Reason", "")


_TABLE: dict[str, Callable[[Headers], Event]] = {
    "Newchannel": lambda h: ev.ChannelCreated(snapshot(h)),
    "Newstate": _changed,
    "NewCallerid": _changed,
    "NewConnectedLine": _changed,
    "NewAccountCode": _changed,
    "Rename": lambda h: ev.ChannelRenamed(_need(h, "Uniqueid"), _need(h, "Newname")),
    "Hangup": lambda h: ev.ChannelHungUp(_need(h, "Uniqueid")),
    "Newexten": lambda h: ev.AppStarted(
        snapshot(h), h.get("Application", ""), h.get("AppData", "")
    ),
    "VarSet": lambda h: ev.VariableSet(
        h.get("Uniqueid", ""), _need(h, "Variable"), unescape(h.get("Value", ""))
    ),
    "DialBegin": lambda h: ev.DialBegun(_optional(h, ""), snapshot(h, "Dest")),
    "BridgeEnter": lambda h: ev.BridgeEntered(snapshot(h), _need(h, "BridgeUniqueid")),
    "BridgeLeave": lambda h: ev.BridgeLeft(_need(h, "Uniqueid"), _need(h, "BridgeUniqueid")),
    "Hold": lambda h: ev.HoldChanged(_need(h, "Uniqueid"), True),
    "Unhold": lambda h: ev.HoldChanged(_need(h, "Uniqueid"), False),
    "ChanSpyStart": lambda h: ev.SpyStarted(snapshot(h, "Spyer"), _optional(h, "Spyee")),
    "ChanSpyStop": lambda h: ev.SpyStopped(_need(h, "SpyerUniqueid")),
    "QueueCallerJoin": lambda h: ev.QueueJoined(snapshot(h), _need(h, "Queue")),
    "QueueCallerLeave": lambda h: ev.QueueLeft(_need(h, "Uniqueid")),
    "AgentCalled": lambda h: ev.AgentRung(
        _need(h, "Queue"), _need(h, "Interface"), h.get("Uniqueid", ""), h.get("DestUniqueid")
    ),
    "AgentConnect": lambda h: ev.AgentConnected(
        _need(h, "Queue"),
        _need(h, "Interface"),
        h.get("MemberName", ""),
        h.get("Uniqueid"),
        h.get("DestUniqueid"),
    ),
    "AgentComplete": lambda h: ev.AgentCompleted(
        _need(h, "Queue"),
        _need(h, "Interface"),
        h.get("MemberName", ""),
        h.get("Uniqueid"),
        h.get("DestUniqueid"),
    ),
    "QueueMemberStatus": _member,
    "QueueMemberAdded": _member,
    "QueueMember": _member,
    "QueueMemberPause": lambda h: ev.MemberPaused(
        _need(h, "Queue"), _need(h, "Interface"), h.get("Paused") == "1", _reason(h)
    ),
    "QueueMemberRemoved": lambda h: ev.MemberRemoved(_need(h, "Queue"), _need(h, "Interface")),
    "DeviceStateChange": lambda h: ev.DeviceChanged(_need(h, "Device"), _need(h, "State")),
    "UserEvent": _user_event,
    "MixMonitorStart": lambda h: ev.RecordingStarted(snapshot(h)),
    "MixMonitorStop": lambda h: ev.RecordingStopped(_need(h, "Uniqueid")),
    "MixMonitorMute": lambda h: ev.RecordingMuted(
        _need(h, "Uniqueid"), h.get("Direction", ""), says_on(h.get("State", ""))
    ),
    # Items of our own lists.
    "Status": lambda h: ev.ChannelTold(
        snapshot(h, empty=True),
        h.get("Application", ""),
        h.get("Data", ""),
        whole(h.get("Seconds")),
        h.get("BridgeID", ""),
    ),
    # A supervisor's only: the attachment lets no other one get here.
    "DTMFEnd": lambda h: ev.KeyPressed(_need(h, "Uniqueid"), _received_digit(h)),
}

_LINK_EVENTS = ("FullyBooted", "Shutdown", "Reload")
"""Not about state; the link itself acts on them."""

LIST_ITEMS = frozenset({"Status", "QueueMember"})
"""Said only in answer to us. One that nobody asked for (a late or a forged one) is no event."""

EVENTS = tuple(n for n in _TABLE if n not in LIST_ITEMS)
"""Names of the events that Asterisk sends by itself and that state is made of."""

WANTED: Wanted = {n.encode(): None for n in (*EVENTS, *_LINK_EVENTS)}
"""The events that are read at all; the rest is dropped on sight of the name."""

_VARIABLE = b"\r\nVariable:"


def wanted_of(variables: Collection[str]) -> Wanted:
    """The same for a site that gives a meaning to these channel variables only. Dialplans set a
    dozen others in each call."""
    names = {name.encode() for name in variables}

    def useful(raw: bytes) -> bool:
        begin = raw.rfind(_VARIABLE) + len(_VARIABLE)  # it stands near the end
        if begin < len(_VARIABLE):
            return True  # whoever translates it says what is wrong
        return raw[begin : raw.find(b"\r\n", begin)].lstrip(b" ").lstrip(b"_") in names

    return {**WANTED, b"VarSet": useful, b"DeviceStateChange": _of_telephone}


def _of_telephone(raw: bytes) -> bool:
    """Queues, conferences and hints have states as well, under names without a slash."""
    return b"/" in raw


def translate(name: str, text: str) -> Event | None:
    """The domain event of one message, None where it is not about state.

    Raises:
        MalformedError: a header is missing that the event cannot do without, or is there twice.
    """
    event = fitting(name, text)
    if event is not None:
        return event
    make = _TABLE.get(name)
    return make(headers_of(text)) if make is not None else None
