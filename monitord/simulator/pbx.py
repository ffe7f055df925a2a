"""The Asterisk that the centre runs on: channels, bridges, variables, device states.

Each change announces itself with the events that Asterisk would send, in its order.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from monitord.simulator.clock import Clock
from monitord.simulator.messages import Composer, Event, escape


class State(IntEnum):
    DOWN = 0
    RING = 4
    RINGING = 5
    UP = 6

    @property
    def text(self) -> str:
        return self.name.capitalize()


CAUSES = {
    0: "Unknown",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    26: "Answered elsewhere",
}

# Numbers of ast_device_state, as QueueMemberStatus sends them.
DEVICE_STATES = {
    "UNKNOWN": 0,
    "NOT_INUSE": 1,
    "INUSE": 2,
    "BUSY": 3,
    "INVALID": 4,
    "UNAVAILABLE": 5,
    "RINGING": 6,
    "RINGINUSE": 7,
    "ONHOLD": 8,
}


class Owner(Protocol):
    """Whoever runs a channel's dialplan, and so decides what a hang-up request leads to."""

    def hangup_requested(self, channel: Channel, cause: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Party:
    number: str = ""
    name: str = ""


@dataclass(eq=False, slots=True)
class Channel:
    name: str
    uniqueid: str
    linkedid: str
    created: float  # wall
    state: State
    context: str
    exten: str
    caller: Party
    owner: Owner | None = None
    priority: int = 1
    connected: Party = Party()
    language: str = "en"
    account_code: str = ""
    application: str = ""
    data: str = ""
    variables: dict[str, str] = field(default_factory=dict)  # by written name, as __CAMPAIGN
    bridge: Bridge | None = None
    on_hold: bool = False
    silent: bool = False  # carries no audio, so a spy on it cannot be hung up
    spying: bool = False
    gone: bool = False
    # Told just before and just after the channel goes, in the order in which they asked for it.
    before_hangup: dict[Callable[[Channel], None], None] = field(default_factory=dict)
    after_hangup: dict[Callable[[Channel], None], None] = field(default_factory=dict)
    device: str = field(init=False)  # PJSIP/1001

    def __post_init__(self) -> None:
        self.device = self.name.rpartition("-")[0]

    def variable(self, name: str) -> str | None:
        for written, value in self.variables.items():
            if written.lstrip("_") == name:
                return value
        return None


@dataclass(eq=False, slots=True)
class Bridge:
    uniqueid: str
    channels: list[Channel] = field(default_factory=list)
    type: str = "basic"
    technology: str = "simple_bridge"
    creator: str = "<unknown>"
    name: str = "<unknown>"
    hidden: int = 0  # channels that no event shows, as a conference's announcer


class Pbx:
    def __init__(
        self, clock: Clock, composer: Composer, rng: random.Random, system_name: str = ""
    ) -> None:
        self.clock = clock
        self._prefix = f"{system_name}-" if system_name else ""
        self.started = clock.wall
        self.down = False
        self.channels: dict[str, Channel] = {}  # by uniqueid
        self.devices: dict[str, str] = {}
        self.processed_calls = 0
        self.sinks: list[Callable[[Event], None]] = []
        self.on_device: list[Callable[[str, str], None]] = []
        self.on_new_channel: dict[Callable[[Channel], None], None] = {}
        self._composer = composer
        self._rng = rng
        self._names: dict[str, Channel] = {}
        self._by_device: dict[str, dict[Channel, None]] = {}
        # Channels by device and by what they add to its state: the trunk has hundreds.
        self._uses: dict[str, Counter[str]] = {}
        self._uniqueids = 0
        self._pjsip = 0

    def emit(
        self,
        name: str,
        channel: Channel | None = None,
        *,
        dest: Channel | None = None,
        spyer: Channel | None = None,
        spyee: Channel | None = None,
        transferer: Channel | None = None,
        transferee: Channel | None = None,
        bridge: Bridge | None = None,
        **fields: object,
    ) -> None:
        """Header names with a dash are written with an underscore: Cause_txt."""
        if not self.sinks or self.down:
            return  # warming up: nobody is there yet
        event = self._composer.compose(
            name,
            self.clock.wall,
            channels={
                "CHANNEL": channel,
                "DEST": dest,
                "SPYER": spyer,
                "SPYEE": spyee,
                "TRANSFERER": transferer,
                "TRANSFEREE": transferee,
            },
            bridge=bridge,
            fields={key.replace("_", "-"): value for key, value in fields.items()},
        )
        for sink in self.sinks:
            sink(event)

    def restart(self) -> None:
        """Begin again with nothing, as after a crash: names and numbers of channels, too."""
        self.started = self.clock.wall
        self.channels.clear()
        self._names.clear()
        self._by_device.clear()
        self._uses.clear()
        self._uniqueids = self._pjsip = self.processed_calls = 0
        for device in self.devices:
            if device.startswith("PJSIP/"):
                self.devices[device] = "NOT_INUSE"

    # -- channels ---------------------------------------------------------------

    def legs(self, device: str) -> list[Channel]:
        """Channels of one endpoint, oldest first."""
        return list(self._by_device.get(device, ()))

    def new_channel(
        self,
        endpoint: str,
        *,
        state: State,
        context: str,
        exten: str,
        caller: Party = Party(),
        owner: Owner | None = None,
        linked: Channel | None = None,
    ) -> Channel:
        uniqueid = f"{self._prefix}{int(self.clock.wall)}.{self._uniqueids}"
        channel = Channel(
            name=f"PJSIP/{endpoint}-{self._pjsip:08x}",
            uniqueid=uniqueid,
            linkedid=linked.linkedid if linked else uniqueid,
            created=self.clock.wall,
            state=state,
            context=context,
            exten=exten,
            caller=caller,
            owner=owner,
        )
        self._uniqueids += 1
        self._pjsip += 1
        self.processed_calls += linked is None
        self.channels[uniqueid] = channel
        self._names[channel.name.lower()] = channel
        self._by_device.setdefault(channel.device, {})[channel] = None
        self._count(channel, 1)
        self.emit("Newchannel", channel)
        self._device_changed(channel.device)
        return channel

    def find(self, name: str) -> Channel | None:
        """By exact name or uniqueid, as ast_channel_get_by_name."""
        return self._names.get(name.lower()) or self.channels.get(name)

    def announce(self, channel: Channel) -> None:
        """Let those who wait for a matching channel (a prefix spy) see a new one."""
        for watcher in list(self.on_new_channel):
            watcher(channel)

    def set_state(self, channel: Channel, state: State) -> None:
        if channel.state is state:
            return
        self._count(channel, -1)
        channel.state = state
        self._count(channel, 1)
        self.emit("Newstate", channel)
        self._device_changed(channel.device)

    def execute(
        self,
        channel: Channel,
        application: str,
        data: str = "",
        *,
        context: str | None = None,
        exten: str | None = None,
        priority: int | None = None,
        returned: bool = False,
    ) -> None:
        """Newexten comes only when context, extension or priority moved; `returned`: from a
        subroutine, so that it comes although the place is the one that it left."""
        before = (
            channel.application == "" or returned,
            channel.context,
            channel.exten,
            channel.priority,
        )
        channel.application, channel.data = application, data
        if context is not None:
            channel.context = context
        if exten is not None:
            channel.exten = exten
        if priority is not None:
            channel.priority = priority
        if before != (False, channel.context, channel.exten, channel.priority):
            self.emit(
                "Newexten", channel, Extension=channel.exten, Application=application, AppData=data
            )

    def set_caller(self, channel: Channel, party: Party) -> None:
        if channel.caller != party:
            channel.caller = party
            self.emit(
                "NewCallerid",
                channel,
                CID_CallingPres="0 (Presentation Allowed, Not Screened)",
            )

    def set_connected(self, channel: Channel, party: Party) -> None:
        if channel.connected != party:
            channel.connected = party
            self.emit("NewConnectedLine", channel)

    def set_variable(self, channel: Channel, name: str, value: str) -> None:
        channel.variables[name] = value
        self.emit("VarSet", channel, Variable=name, Value=escape(value))

    def inherit(self, parent: Channel, child: Channel) -> None:
        """The newest variable comes first, as Asterisk keeps them at the head of a list."""
        for name, value in reversed(parent.variables.items()):
            if name.startswith("__"):
                self.set_variable(child, name, value)
            elif name.startswith("_"):
                self.set_variable(child, name[1:], value)

    def request_hangup(self, channel: Channel, cause: int) -> None:
        """What AMI Hangup does: ask, and leave the rest to the channel's own thread."""
        owner = channel.owner
        if owner is not None:
            self.clock.after(0.02, lambda: owner.hangup_requested(channel, cause or 16))

    def soft_hangup(self, channel: Channel, cause: int) -> None:
        self.emit("SoftHangupRequest", channel, Cause=cause)

    def hang_up(self, channel: Channel, cause: int = 16, sip: int = 0) -> None:
        """`sip`: the response that refused the call; 22 tells it as TechCause."""
        if channel.gone:
            return
        if channel.bridge is not None:
            self.leave(channel)
        for watcher in list(channel.before_hangup):
            watcher(channel)
        channel.gone = True
        del self.channels[channel.uniqueid]
        del self._names[channel.name.lower()]
        del self._by_device[channel.device][channel]
        self._count(channel, -1)
        text = CAUSES.get(cause, "Unknown")
        tech: dict[str, Any] = {"TechCause": sip} if sip else {}
        self.emit("Hangup", channel, Cause=cause, Cause_txt=text, **tech)
        self._device_changed(channel.device)
        for watcher in list(channel.after_hangup):
            watcher(channel)

    # -- bridges ----------------------------------------------------------------

    def new_bridge(self, conference: str = "") -> Bridge:
        bridge = Bridge(str(uuid.UUID(int=self._rng.getrandbits(128), version=4)))
        if conference:
            bridge.type, bridge.technology, bridge.hidden = "base", "softmix", 1
            bridge.creator, bridge.name = "ConfBridge", conference
        self.emit("BridgeCreate", bridge=bridge)
        return bridge

    def enter(self, bridge: Bridge, channel: Channel) -> None:
        bridge.channels.append(channel)
        channel.bridge = bridge
        self.emit("BridgeEnter", channel, bridge=bridge)

    def leave(self, channel: Channel) -> None:
        bridge = channel.bridge
        if bridge is None:
            return
        bridge.channels.remove(channel)
        channel.bridge = None
        self.emit("BridgeLeave", channel, bridge=bridge)
        if not bridge.channels:
            bridge.hidden = 0
            self.emit("BridgeDestroy", bridge=bridge)

    # -- hold and devices -------------------------------------------------------

    def hold(self, channel: Channel) -> None:
        """The phone that presses hold stays INUSE; those it holds become ONHOLD."""
        self.emit("Hold", channel, MusicClass="default")
        for other in self._others(channel):
            self._count(other, -1)
            other.on_hold = True
            self._count(other, 1)
            self._device_changed(other.device)
            self.emit("MusicOnHoldStart", other, Class="default")

    def unhold(self, channel: Channel) -> None:
        self.emit("Unhold", channel)
        for other in self._others(channel):
            self._count(other, -1)
            other.on_hold = False
            self._count(other, 1)
            self._device_changed(other.device)
            self.emit("MusicOnHoldStop", other)

    @staticmethod
    def _others(channel: Channel) -> list[Channel]:
        return [c for c in channel.bridge.channels if c is not channel] if channel.bridge else []

    def add_device(self, device: str) -> None:
        """A device known from the configuration; no event."""
        self.devices[device] = "NOT_INUSE"

    def set_device(self, device: str, state: str) -> None:
        """Also for devices without channels, as Queue:sales."""
        if self.devices.get(device) == state:
            return
        self.devices[device] = state
        self.emit("DeviceStateChange", Device=device, State=state)
        for watcher in list(self.on_device):
            watcher(device, state)

    def _device_changed(self, device: str) -> None:
        self.set_device(device, self._device_state(device))

    def _count(self, channel: Channel, one: int) -> None:
        if channel.state is State.RINGING:
            use = "ringing"
        elif channel.state in (State.RING, State.UP):
            use = "held" if channel.on_hold else "in use"
        else:
            return
        self._uses.setdefault(channel.device, Counter())[use] += one

    def _device_state(self, device: str) -> str:
        uses = self._uses.get(device, Counter())
        if uses["ringing"]:
            return "RINGINUSE" if uses["in use"] or uses["held"] else "RINGING"
        if uses["in use"]:
            return "INUSE"
        return "ONHOLD" if uses["held"] else "NOT_INUSE"
