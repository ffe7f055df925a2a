"""What a PBX has shown of itself: counts of what it sent, and pictures of what ran. PURE.

That an event never came proves nothing by itself. It does where two pictures, taken by asking,
differ in what that event tells: a channel that is new, and not one Newchannel.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from msgspec import Struct, field

from monitord.ami.headers import Headers, MalformedError, headers_of
from monitord.ami.protocol import Received
from monitord.check.needs import EVENTS, SENT_TOO
from monitord.domain.endpoint import endpoint_of
from monitord.domain.spy import SPY_APPLICATIONS, parse

NAMES_MOST = 50
"""Distinct foreign names that are kept."""

_UNIQUEID = re.compile(r"(?m)^Uniqueid: (\S+?)\r?$")
_CHANNEL = re.compile(r"(?m)^Channel: (.+?)\r?$")
_SWITCH = re.compile(r"(?m)^Digit: [456]\r?$")
_MULTI = "ChanVariable"


class Channel(Struct, frozen=True):
    state: str
    bridge: str
    application: str
    data: str
    priority: str
    name: str
    values: dict[str, str]

    @property
    def spies(self) -> bool:
        return self.application in SPY_APPLICATIONS


class Member(Struct, frozen=True):
    status: str
    paused: str
    in_call: str
    taken: str


class Picture(Struct):
    """What runs at one moment, as the PBX says when asked."""

    channels: dict[str, Channel] = field(default_factory=dict)
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    devices: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, h: Headers) -> None:
        if name == "Status" and h.get("Uniqueid"):
            self.channels[h["Uniqueid"]] = Channel(
                state=h.get("ChannelStateDesc", ""),
                bridge=h.get("BridgeID", ""),
                application=h.get("Application", ""),
                data=h.get("Data", ""),
                priority=h.get("Priority", ""),
                name=h.get("Channel", ""),
                values=dict(_variables(h)),
            )
        elif name == "QueueMember":
            self.members[h.get("Queue", ""), h.get("Location", "")] = Member(
                h.get("Status", ""),
                h.get("Paused", ""),
                h.get("InCall", ""),
                h.get("CallsTaken", ""),
            )
        elif name == "QueueEntry":
            self.waiting.add(h.get("Uniqueid", ""))
        elif name == "DeviceStateChange":
            self.devices[h.get("Device", "")] = h.get("State", "")


class Evidence:
    """``take`` is the sink of a connection; the rest is for who judges."""

    def __init__(self, variables: frozenset[str], supervisors: frozenset[str]) -> None:
        """``variables``: those of the settings. ``supervisors``: endpoints of people who are no
        agents; where none is known, nothing is judged by them."""
        self.variables = variables
        self._supervisors = supervisors
        self.events: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.stamped = self.unstamped = 0
        self.named: Counter[str] = Counter()
        """Variable to how often a channel was told with it, set or not."""
        self.told: Counter[str] = Counter()
        """Variable to how often a VarSet told it."""
        self.foreign_variables: set[str] = set()
        self.foreign_events: set[str] = set()
        self.foreign_newexten = self.foreign_keys = 0
        self.spyers: dict[str, bool] = {}
        """Who has begun to spy to whether the type could be read, however."""
        self.exten_of: set[str] = set()
        """Channels of which a Newexten came."""
        self.first: Picture | None = None
        self.picture = Picture()
        self._drawing = False
        self.missed: Counter[str] = Counter()
        """Event to how often something happened that it should have told."""
        self.changed: Counter[str] = Counter()
        """Variable to how often its value was another one."""
        self.channels = 0
        """The most that ran at once."""
        self.to_ask: list[str] = []
        self.ask: Callable[[], None] = lambda: None

    # --- what is sent --------------------------------------------------------------------

    def take(self, item: object) -> None:
        if not isinstance(item, Received):
            return
        if item.name.startswith("DTMF"):
            self._key(item)
            return
        try:
            headers = headers_of(item.text)
        except MalformedError:
            return
        if item.reply:
            if self._drawing:
                self.picture.add(item.name, headers)
            if item.name == "Status":
                self._names(headers)
                self._type(headers.get("Uniqueid", ""), headers, "Data")
            return
        self._count(item.name, headers.get("Privilege", ""), "Timestamp" in headers)
        self._names(headers)
        if item.name == "Newexten":
            self._newexten(headers)
        elif item.name == "VarSet":
            name = headers.get("Variable", "").lstrip("_")
            if name in self.variables:
                self.told[name] += 1
            elif len(self.foreign_variables) < NAMES_MOST:
                self.foreign_variables.add(name[:80])
        elif item.name == "ChanSpyStart" and (spyer := headers.get("SpyerUniqueid")):
            self.spyers.setdefault(spyer, False)
            self.to_ask.append(spyer)
            self.ask()

    def _count(self, name: str, privilege: str, stamped: bool) -> None:
        self.events[name] += 1
        self.classes[privilege.partition(",")[0]] += 1
        if name != "FullyBooted":  # the copy at login never has one
            self.stamped += stamped
            self.unstamped += not stamped
        if name not in EVENTS and name not in SENT_TOO and len(self.foreign_events) < NAMES_MOST:
            self.foreign_events.add(name[:80])

    def _names(self, headers: Headers) -> None:
        for name, _ in _variables(headers):
            self.named[name] += 1

    def _newexten(self, headers: Headers) -> None:
        uniqueid = headers.get("Uniqueid", "")
        self.exten_of.add(uniqueid)
        self._type(uniqueid, headers, "AppData")
        spies = headers.get("Application") in SPY_APPLICATIONS
        if not spies and self._strange(headers.get("Channel", "")):
            self.foreign_newexten += 1

    def _type(self, uniqueid: str, headers: Headers, data: str) -> None:
        if parse(headers.get("Application", ""), headers.get(data, "")) is not None:
            self.spyers[uniqueid] = True

    def _key(self, item: Received) -> None:
        """May be a digit of somebody's card number: only whose it is, and whether it is one of
        the three that may come, is looked at; nothing of it is kept."""
        owner, channel = _UNIQUEID.search(item.text), _CHANNEL.search(item.text)
        spies = owner is not None and owner[1] in self.spyers
        strange = channel is None or self._strange(channel[1])
        if (strange and not spies) or _SWITCH.search(item.text) is None:
            self.foreign_keys += 1
        self._count(item.name, "dtmf", "\nTimestamp: " in item.text)

    def _strange(self, channel: str) -> bool:
        return bool(self._supervisors) and endpoint_of(channel) not in self._supervisors

    # --- what is asked -------------------------------------------------------------------

    def begin(self) -> Picture:
        """A new picture; what is answered from now on goes into it."""
        before, self.picture = self.picture, Picture()
        self._drawing = True
        return before

    def end(self, before: Picture) -> None:
        """The picture is whole: what does it show that was not so before?"""
        after, self._drawing = self.picture, False
        self.channels = max(self.channels, len(after.channels))
        if self.first is None:
            self.first = after
            return
        self._compare_channels(before.channels, after.channels)
        self._compare_queues(before, after)
        for device, state in after.devices.items():
            self._note("DeviceStateChange", before.devices.get(device, state) != state)

    def _note(self, event: str, happened: bool) -> None:
        if happened:
            self.missed[event] += 1

    def _compare_channels(self, before: dict[str, Channel], after: dict[str, Channel]) -> None:
        # While a spy runs, Asterisk may hold others' Hangup back (ami-facts 0.4).
        spy = any(c.spies for c in (*before.values(), *after.values()))
        self._note("Hangup", not spy and bool(before.keys() - after.keys()))
        for uniqueid, now in after.items():
            was = before.get(uniqueid)
            self._note("Newchannel", was is None)
            self._note(
                "BridgeEnter", bool(now.bridge) and (was is None or was.bridge != now.bridge)
            )
            values = was.values if was is not None else {}
            for name, value in now.values.items():
                if value and values.get(name, "") != value:
                    self.changed[name] += 1
            if was is not None:
                self._note("Newstate", was.state != now.state)
                self._note("BridgeLeave", bool(was.bridge) and was.bridge != now.bridge)
                if was.spies and now.spies:
                    self._spy_runs(uniqueid, now, after)

    def _spy_runs(self, uniqueid: str, spyer: Channel, channels: dict[str, Channel]) -> None:
        """In two pictures, and not yet in the first one: its start must have been told."""
        if self.first is None or uniqueid in self.first.channels:
            return
        spec = parse(spyer.application, spyer.data)
        here = (c.name for c in channels.values())
        if spec is not None and spec.exact and (spec.target in channels or spec.target in here):
            self._note("ChanSpyStart", True)
        # Without the dialplan it stands at priority 1 of its context, and no Newexten comes.
        by_dialplan = spyer.priority.isdigit() and int(spyer.priority) > 1
        self._note("Newexten", by_dialplan and uniqueid not in self.exten_of)

    def _compare_queues(self, before: Picture, after: Picture) -> None:
        self._note("QueueCallerJoin", bool(after.waiting - before.waiting))
        self._note("QueueCallerLeave", bool(before.waiting - after.waiting))
        for key, now in after.members.items():
            was = before.members.get(key)
            if was is None:
                continue
            self._note("QueueMemberStatus", was.status != now.status)
            self._note("QueueMemberPause", was.paused != now.paused)
            self._note("AgentCalled", (was.in_call, now.in_call) == ("0", "1"))
            self._note("AgentConnect", (was.in_call, now.in_call) == ("0", "1"))
            self._note("AgentComplete", was.taken != now.taken and now.taken != "0")

    def refused(self, event: str) -> bool:
        """What it tells has happened, and not one came."""
        return not self.events[event] and bool(self.missed[event])

    def untold(self, variable: str) -> bool:
        """Its value has changed, and no VarSet said so. Functions have none."""
        return "(" not in variable and bool(self.changed[variable]) and not self.told[variable]


def _variables(headers: Headers) -> list[tuple[str, str]]:
    """All that channelvars has added, also where it is not set."""
    lines = (
        line for key, text in headers.items() if key.endswith(_MULTI) for line in text.split("\r\n")
    )
    return [(name, value) for name, eq, value in (line.partition("=") for line in lines) if eq]
