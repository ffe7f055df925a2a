"""A PBX as a recorded trace left it at any of its messages, and what it answers there.

With it a trace can be broken at any place: what came before, a gap, the answers of a resync, and
what came after. It knows nothing of monitord's own state, only of AMI's headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from monitord.ami.attachment import translate_item
from monitord.ami.link import Item, Step
from monitord.ami.protocol import Received
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.words import LinkState

Timed = tuple[ev.Event, At]

_BLOCK = (
    *("Channel", "ChannelStateDesc", "CallerIDNum", "ConnectedLineNum", "AccountCode"),
    *("Context", "Exten", "Uniqueid", "Linkedid", "ChanVariable"),
)
_SPIES = ("ChanSpy", "ExtenSpy")


def pairs_of(text: str) -> list[tuple[str, str]]:
    return [(k, v.removeprefix(" ")) for k, c, v in (x.partition(":") for x in text.split("\r\n"))]


@dataclass
class _Channel:
    headers: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    application: str = ""
    data: str = ""
    bridge: str = ""


class Pbx:
    """``take`` every item of a trace in turn; ``answers`` is what Asterisk would say now.

    Of a leg that is no spy the application is only known where the trace happens to tell it, since
    the shipped event filter lets no other Newexten through.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        """``items``, the whole trace, are looked through for what an Originate gave a channel to
        do, which only a later Status tells."""
        self.channels: dict[str, _Channel] = {}
        self.boot: ev.BootSeen | None = None
        self._members: dict[tuple[str, str], dict[str, str]] = {}
        self._devices: dict[str, str] = {}
        self._spies: dict[str, tuple[str, str]] = {}
        self._told: set[str] | None = None
        """Uniqueids in the list that the real one is giving just now."""
        for item in items:
            if isinstance(item, Received) and item.name == "Status":
                one = dict(pairs_of(item.text))
                if one.get("Application") in _SPIES:
                    self._spies.setdefault(one["Uniqueid"], (one["Application"], one["Data"]))

    def take(self, item: Item) -> None:
        if isinstance(item, Step):
            self._take_step(item.event)
            return
        pairs = pairs_of(item.text)
        one = dict(reversed(pairs))
        if item.name == "Hangup":
            self.channels.pop(one["Uniqueid"], None)
            return
        for prefix in ("", "Dest", "Spyer", "Spyee"):
            self._see(prefix, pairs, made=item.name == "Newchannel")
        channel = self.channels.get(one.get("Uniqueid", ""))
        match item.name:
            case "Newexten" if channel is not None:
                channel.application, channel.data = one["Application"], one["AppData"]
            case "ChanSpyStart":
                spyer = self.channels[one["SpyerUniqueid"]]
                if spyer.application not in _SPIES:
                    spyer.application, spyer.data = self._spies[one["SpyerUniqueid"]]
            case "BridgeEnter" if channel is not None:
                channel.bridge = one["BridgeUniqueid"]
                if channel.application in _SPIES:  # AMI Bridge takes it out without a word
                    channel.application, channel.data = "(null)", "(null)"
            case "BridgeLeave" if channel is not None:
                channel.bridge = ""
            case "Rename" if channel is not None:
                channel.headers["Channel"] = one["Newname"]
            case "VarSet" if channel is not None:
                channel.variables[one["Variable"].lstrip("_")] = one["Value"]
            case "QueueCallerJoin" if channel is not None:
                channel.application, channel.data = "Queue", one["Queue"]
            case "Status" if item.reply and channel is not None:
                channel.application, channel.data = one["Application"], one["Data"]
                if self._told is not None:
                    self._told.add(one["Uniqueid"])
            case "DeviceStateChange":
                self._devices[one["Device"]] = one["State"]
            case "QueueMember" | "QueueMemberStatus" | "QueueMemberAdded":
                one.setdefault("Location", one.get("Interface", ""))
                one.setdefault("Name", one.get("MemberName", ""))
                self._members[one["Queue"], one["Location"]] = one
            case "QueueMemberPause":
                member = self._members[one["Queue"], one["Interface"]]
                member |= {k: one[k] for k in ("Paused", "PausedReason")}

    def _take_step(self, event: ev.Event) -> None:
        if isinstance(event, ev.BootSeen):
            self.boot = event
        elif isinstance(event, ev.MarkBegun | ev.ReconcileBegun):
            self._told = set()
        elif isinstance(event, ev.MarkEnded | ev.ReconcileEnded) and self._told is not None:
            # Those whose Hangup is withheld (ami-facts 0.4, 1.2) are gone all the same.
            self.channels = {u: c for u, c in self.channels.items() if u in self._told}
            self._told = None

    def _see(self, prefix: str, pairs: list[tuple[str, str]], *, made: bool) -> None:
        block = {k: v for k, v in pairs if k in {prefix + name for name in _BLOCK}}
        uniqueid = block.get(prefix + "Uniqueid")
        if not uniqueid or prefix + "Channel" not in block:
            return
        if uniqueid not in self.channels:
            if not made:
                return  # one that has ended is repeated by events that come late
            self.channels[uniqueid] = _Channel({})
        channel = self.channels[uniqueid]
        for key, value in pairs:
            if key == prefix + "ChanVariable":
                name, _, now = value.partition("=")
                channel.variables[name] = now
            elif key in block:
                channel.headers[key.removeprefix(prefix)] = value

    def answers(self) -> Iterator[tuple[str, str]]:
        """Name and text of each item of the lists that a resync asks for."""
        for channel in self.channels.values():
            lines = [f"{k}: {v}" for k, v in channel.headers.items()]
            lines += [f"ChanVariable: {k}={v}" for k, v in channel.variables.items()]
            lines += [f"Application: {channel.application}", f"Data: {channel.data}"]
            lines += [f"BridgeID: {channel.bridge}", "Seconds: 0"]
            yield "Status", "\r\n".join(["Event: Status", *lines])
        for member in self._members.values():
            keys = ("Queue", "Name", "Location", "StateInterface", "Status", "Paused")
            lines = [f"{k}: {member.get(k, '')}" for k in (*keys, "PausedReason", "Wrapuptime")]
            yield "QueueMember", "\r\n".join(["Event: QueueMember", *lines])
        for device, state in self._devices.items():
            text = f"Event: DeviceStateChange\r\nDevice: {device}\r\nState: {state}"
            yield "DeviceStateChange", text

    def resync(self, at: At) -> list[Timed]:
        """All that a link brings from the connection to being live."""
        assert self.boot is not None
        told = (translate_item(Received(0, 0, n, text, True)) for n, text in self.answers())
        events = [
            *(ev.LinkChanged(LinkState.SYNCING), self.boot, ev.ResyncBegun()),
            *(event for event in told if event is not None),
            *(ev.ResyncEnded(), ev.LinkChanged(LinkState.LIVE)),
        ]
        return [(event, at) for event in events]


def timed(items: Iterable[Item]) -> list[Timed | None]:
    """The event of each item, None where it leads to none."""
    events = ((translate_item(i), At(i.mono, i.wall)) for i in items)
    return [(event, at) if event is not None else None for event, at in events]


def live_from(items: list[Item]) -> int:
    """The place behind which the first resync is over and the link is live."""
    for place, item in enumerate(items):
        if item == Step(item.mono, item.wall, ev.LinkChanged(LinkState.LIVE)):
            return place + 1
    raise AssertionError("never live")
