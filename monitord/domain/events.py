"""What can happen, as the reducer sees it: one frozen struct per event, free of AMI's spelling."""

from __future__ import annotations

from msgspec import Struct

from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.domain.site import Person
from monitord.domain.words import LinkState


class At(Struct, frozen=True, gc=False):
    """When something was received. Lengths come from ``mono``, stamps from ``wall``."""

    mono: int
    """Monotonic ms of the receiving process."""
    wall: int
    """ms UTC since 1970."""


class Event(Struct, frozen=True, gc=False):
    """Base of all events."""


class Snapshot(Struct, frozen=True, gc=False):
    """A channel as every event about it repeats it."""

    uniqueid: str
    name: str
    linkedid: str
    state: str
    caller: str
    """CallerIDNum, empty where Asterisk says ``<unknown>``."""
    connected: str
    account: str
    context: str
    exten: str
    variables: tuple[tuple[str, str], ...] = ()
    """The site's channelvars that have a value, under the names they were written with; in the
    answer to Status also those that have none."""


# --- the link to a PBX -------------------------------------------------------------------


class LinkChanged(Event, frozen=True, gc=False):
    link: LinkState
    detail: str = ""
    heard: int = 0
    """Where the link was lost: wall time at which the PBX last said anything. What it did after
    that may have been on its way."""


class BootSeen(Event, frozen=True, gc=False):
    """Identity of the PBX's run; everything of another boot is over."""

    boot: str
    version: str


class ResyncBegun(Event, frozen=True, gc=False):
    """From here to ResyncEnded the PBX is asked for all it has."""


class ResyncEnded(Event, frozen=True, gc=False):
    """The answers are complete: what was not mentioned is gone."""


class ReconcileBegun(Event, frozen=True, gc=False):
    """From here to ReconcileEnded the PBX is asked which channels it has, as it is from time to
    time, since Hangup and ChanSpyStop can be missing."""


class ReconcileEnded(Event, frozen=True, gc=False):
    """All channels were told. What is missing for the second time is gone."""


class MarkBegun(Event, frozen=True, gc=False):
    """In a trace: from here to MarkEnded stands what the PBX answers when asked for all it has,
    so that a replay can begin here as well. Changes nothing."""


class MarkEnded(Event, frozen=True, gc=False):
    """The end of a mark."""


class ChannelTold(Event, frozen=True, gc=False):
    """A channel that exists, as Status tells it: in a resync, a reconcile, or because it was
    asked for alone."""

    channel: Snapshot
    application: str
    data: str
    seconds: int
    """Age of the channel."""
    bridge: str


class ChannelUnknown(Event, frozen=True, gc=False):
    """Status says that there is no such channel."""

    uniqueid: str


class Remembered(Event, frozen=True, gc=False):
    """What the ledger still holds open from before this process, given once before the first
    resync."""

    supervisions: tuple[SupervisionRecord, ...]
    segments: tuple[SegmentRecord, ...]
    calls: tuple[CallRecord, ...]
    statuses: tuple[StatusRecord, ...]
    last_seen: int
    """Wall time at which the daemon was last known to be attached."""
    gaps: tuple[GapRecord, ...] = ()
    used: frozenset[str] = frozenset()
    """Ids of supervisions and calls that ended lately."""


class RosterChanged(Event, frozen=True, gc=False):
    """From now on these are the site's people, with the endpoints that are theirs now. Rows that
    are closed keep the name under which they were written."""

    people: tuple[Person, ...]


# --- channels ----------------------------------------------------------------------------


class ChannelCreated(Event, frozen=True, gc=False):
    channel: Snapshot


class ChannelChanged(Event, frozen=True, gc=False):
    channel: Snapshot


class ChannelRenamed(Event, frozen=True, gc=False):
    uniqueid: str
    name: str


class ChannelHungUp(Event, frozen=True, gc=False):
    uniqueid: str


class AppStarted(Event, frozen=True, gc=False):
    """The dialplan ran an application on the channel."""

    channel: Snapshot
    application: str
    data: str


class VariableSet(Event, frozen=True, gc=False):
    uniqueid: str
    name: str
    value: str


class DialBegun(Event, frozen=True, gc=False):
    caller: Snapshot | None
    """None where Asterisk itself dials (Originate)."""
    dest: Snapshot


class BridgeEntered(Event, frozen=True, gc=False):
    channel: Snapshot
    bridge: str


class BridgeLeft(Event, frozen=True, gc=False):
    uniqueid: str
    bridge: str


class HoldChanged(Event, frozen=True, gc=False):
    uniqueid: str
    held: bool


class KeyPressed(Event, frozen=True, gc=False):
    """A digit on a supervisor's channel. Digits of other channels never get this far."""

    uniqueid: str
    digit: str


# --- payments ----------------------------------------------------------------------------


class UserSaid(Event, frozen=True, gc=False):
    """A UserEvent of the dialplan or of another program, about one channel."""

    name: str
    uniqueid: str
    """Empty where only the channel's name is given."""
    channel: str
    on: bool
    """What its State says."""


class ScoreSaid(Event, frozen=True, gc=False):
    """A UserEvent by which a survey says what a customer answered."""

    name: str
    uniqueid: str
    """Empty where only the channel's name is given."""
    channel: str
    value: str


class RecordingMuted(Event, frozen=True, gc=False):
    """MixMonitorMute: a leg's recording leaves out what is said, or no longer does."""

    uniqueid: str
    direction: str
    """``read``, ``write`` or ``both``."""
    muted: bool


# --- recordings --------------------------------------------------------------------------


class RecordingStarted(Event, frozen=True, gc=False):
    """MixMonitorStart. It does not tell the file (measured on 16 and 22)."""

    channel: Snapshot


class RecordingStopped(Event, frozen=True, gc=False):
    """MixMonitorStop: it was asked for. One that ends with its channel is not told."""

    uniqueid: str


# --- spying ------------------------------------------------------------------------------


class SpyStarted(Event, frozen=True, gc=False):
    spyer: Snapshot
    spyee: Snapshot | None


class SpyStopped(Event, frozen=True, gc=False):
    spyer: str
    """Uniqueid. The spied channel is not always named (ami-facts 1.1)."""


class DisconnectSent(Event, frozen=True, gc=False):
    """A hang-up of the supervisor's channel is on its way. Changes nothing but whom an end that
    follows is put down to, and what the others are shown meanwhile."""

    supervision: str
    by_id: str
    by_name: str


class DisconnectSettled(Event, frozen=True, gc=False):
    """The wait for the outcome of a disconnect is over."""

    supervision: str
    refused: bool = False
    """Nothing was done."""


# --- queues and devices ------------------------------------------------------------------


class QueueJoined(Event, frozen=True, gc=False):
    channel: Snapshot
    queue: str


class QueueLeft(Event, frozen=True, gc=False):
    uniqueid: str


class AgentRung(Event, frozen=True, gc=False):
    """A queue rings a member for a caller."""

    queue: str
    interface: str
    caller: str
    agent_channel: str | None


class AgentConnected(Event, frozen=True, gc=False):
    queue: str
    interface: str
    member: str
    caller: str | None
    agent_channel: str | None


class AgentCompleted(Event, frozen=True, gc=False):
    """A queue call is over for the agent; Asterisk leaves out channels that are gone already."""

    queue: str
    interface: str
    member: str
    caller: str | None = None
    agent_channel: str | None = None


class MemberSeen(Event, frozen=True, gc=False):
    """A member of a queue, as QueueMemberStatus and QueueStatus tell it."""

    queue: str
    interface: str
    state_interface: str
    name: str
    device: str
    """Name of the device state, as DeviceStateChange has it; empty where unknown."""
    paused: bool
    reason: str
    wrap_up_s: int


class MemberPaused(Event, frozen=True, gc=False):
    queue: str
    interface: str
    paused: bool
    reason: str


class MemberRemoved(Event, frozen=True, gc=False):
    queue: str
    interface: str


class DeviceChanged(Event, frozen=True, gc=False):
    device: str
    state: str


class Tick(Event, frozen=True, gc=False):
    """Time passed; deadlines that are due are carried out at the time they were due."""
