"""What monitord needs of a PBX, and what will not work without it. Tables only. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Need(Struct, frozen=True):
    read: str
    """The read class."""
    without: str
    show: str
    """What to do on the PBX so that it is seen."""


def _need(read: str, without: str, show: str) -> Need:
    return Need(read, without, show)


_CALL, _TALK, _SPY = "make a call", "let somebody answer a call", "supervise a call"
_QUEUE, _QUEUE_TALK = "call a queue", "let an agent answer a queue's call"

EVENTS: Mapping[str, Need] = MappingProxyType(
    {
        "Newchannel": _need("call", "Calls are seen late, by their next event.", _CALL),
        "Newstate": _need("call", "A ringing and an answered call look the same.", _CALL),
        "NewCallerid": _need("call", "A number that comes later is not shown.", _CALL),
        "NewConnectedLine": _need("call", "The other side's number may be missing.", _CALL),
        "NewAccountCode": _need(
            "call",
            "Agents who are known by account code are not recognised when it changes.",
            "set CHANNEL(accountcode) in the dialplan; many sites never do",
        ),
        "Rename": _need(
            "call", "After some transfers a channel has its old name.", "transfer a call"
        ),
        "Hangup": _need("call", "Calls end late, when the PBX is asked again.", "end a call"),
        "Newexten": _need(
            "dialplan",
            "The type of a supervision is learned late, by asking; that a supervisor was moved to "
            "something else is not seen.",
            "supervise a call by a feature code",
        ),
        "VarSet": _need(
            "dialplan",
            "Campaign, list and result of a running call do not change.",
            "make a call that sets one of the configured variables",
        ),
        "DialBegin": _need("call", "Who is rung for which call is not shown.", _CALL),
        "BridgeEnter": _need(
            "call", "Who talks to whom is not known: no call under a supervision.", _TALK
        ),
        "BridgeLeave": _need("call", "Who has left a call still seems to be in it.", "end a call"),
        "Hold": _need("call", "A call on hold looks like any other.", "put a call on hold"),
        "Unhold": _need("call", "A call stays on hold for ever.", "take a call back from hold"),
        "ChanSpyStart": _need("call", "No supervision is seen at all.", _SPY),
        "ChanSpyStop": _need(
            "call", "Supervisions end late, when the PBX is asked again.", "end a supervision"
        ),
        "QueueCallerJoin": _need("agent", "A call's queue is not known.", _QUEUE),
        "QueueCallerLeave": _need("agent", "A call seems to wait that does not any more.", _QUEUE),
        "AgentCalled": _need("agent", "It is not shown that an agent is rung.", _QUEUE),
        "AgentConnect": _need("agent", "Which agent has a queue's call is guessed.", _QUEUE_TALK),
        "AgentComplete": _need("agent", "Wrap-up is not seen.", "end a queue's call"),
        "QueueMemberStatus": _need("agent", "An agent's status is late or wrong.", _QUEUE),
        "QueueMemberAdded": _need(
            "agent", "Agents who log in later are not known.", "add a member to a queue"
        ),
        "QueueMemberPause": _need("agent", "Pauses are not seen.", "pause an agent"),
        "QueueMemberRemoved": _need(
            "agent", "Agents who log out stay.", "remove a member from a queue"
        ),
        "DeviceStateChange": _need("call", "Agents outside queues have no status.", _CALL),
        "UserEvent": _need(
            "user",
            "A payment or a customer's score that a UserEvent says is not seen.",
            "send the UserEvent of a payment or of a score; many sites never do",
        ),
        "MixMonitorStart": _need(
            "call", "Recordings are not known of, so none is played.", "record a call"
        ),
        "MixMonitorStop": _need(
            "call",
            "A recording that is stopped seems to run until the call ends.",
            "stop a recording (StopMixMonitor); many sites never do",
        ),
        "MixMonitorMute": _need(
            "call",
            "A payment for which the recording is muted is not seen.",
            "mute a recording; many sites never do",
        ),
        "DTMFEnd": _need(
            "dtmf",
            "A switch of the type by keypad is not seen; such a supervision reads “at least”.",
            "press 4, 5 or 6 in a supervision with option d (*224)",
        ),
    }
)
"""Event that state is made of to what is lost without it."""

READ: Mapping[str, str] = MappingProxyType(
    {
        "system": "FullyBooted never comes and monitord shows nothing of this PBX.",
        "call": "No call and no supervision is seen.",
        "agent": "Queues, agents' status and pauses are not seen.",
        "dialplan": EVENTS["Newexten"].without + " " + EVENTS["VarSet"].without,
        "dtmf": EVENTS["DTMFEnd"].without,
        "user": EVENTS["UserEvent"].without,
    }
)

WRITE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Hangup": ("call", "Disconnect User does not work."),
        "Status": ("call or reporting", "monitord cannot attach: it cannot ask what runs."),
        "DeviceStateList": ("call or reporting", "monitord cannot attach."),
        "CoreStatus": ("reporting", "monitord cannot attach: a restart would not be noticed."),
        "CoreSettings": ("reporting", "monitord cannot attach: the version is not told."),
        "CoreShowChannels": ("reporting", "“monitord record” cannot set marks."),
        "QueueStatus": (
            "no class, but app_queue",
            "Queues and their agents are known only when something changes.",
        ),
    }
)
"""Action that monitord sends to the write class it needs and what is lost without it."""

MAY_WRITE = frozenset({"call", "reporting"})

TOO_MUCH: Mapping[str, str] = MappingProxyType(
    {
        "originate": "whoever gets its secret can make calls at the site's cost",
        "system": "whoever gets its secret can change and stop the PBX",
        "command": "whoever gets its secret can run every command of Asterisk's console",
        "config": "whoever gets its secret can read and write Asterisk's files",
        "agi": "whoever gets its secret can run programs on the PBX",
    }
)

SENT_TOO = frozenset(
    {
        "FullyBooted",
        "Shutdown",
        "Reload",
        "DialEnd",
        "BridgeDestroy",
        "BlindTransfer",
        "AttendedTransfer",
        "LocalOptimizationEnd",
        "QueueCallerAbandon",
        "AgentRingNoAnswer",
        "ConfbridgeJoin",
        "ConfbridgeLeave",
        "OriginateResponse",
    }
)
"""What the shipped filters let through beside EVENTS. Any other name shows that none works."""
