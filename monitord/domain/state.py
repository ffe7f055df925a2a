"""What is known of one PBX at one moment. One shard never reads another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from monitord.domain.events import At
from monitord.domain.ledger import (
    CallRecord,
    Record,
    RecordingRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.domain.site import Directory, Site
from monitord.domain.views import Agent as AgentView
from monitord.domain.views import Call as CallView
from monitord.domain.views import Pbx as PbxView
from monitord.domain.views import Supervision as SupervisionView
from monitord.domain.views import Value
from monitord.domain.words import (
    AgentStatus,
    CallState,
    Direction,
    EndReason,
    LinkState,
    Provenance,
    SpyType,
    SupervisionState,
)

NEVER = At(0, 0)

NO_TIME = 1 << 62
"""A monotonic time that does not come."""

ALIASES_MOST = 1000
"""Names of one call. One that lives through more transfers than that is found by these."""

GONE_KEPT = 4096
"""Uniqueids remembered after their hang-up, so that a late or repeated event raises no ghost."""


def make_id(*parts: object) -> str:
    """The same parts give the same id, so that a replay finds its own rows again."""
    text = "\x1f".join(str(p) for p in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=10).hexdigest()


@dataclass(slots=True)
class Channel:
    uniqueid: str
    name: str
    endpoint: str
    linkedid: str
    created: At
    state: str = ""
    caller: str = ""
    account: str = ""
    exten: str = ""
    call: str = ""
    """Internal id of the call that it is a leg of, or would be if it were not a spyer."""
    exact: bool = False
    """Seen from its beginning, so that all it went through is known."""
    dialled: bool = False
    bridge: str | None = None
    held: bool = False
    spy: bool = False
    """A supervisor's leg, which is no part of any call."""
    application: str = ""
    data: str = ""
    told_by: str = ""
    """How the application was learned: the means by which a supervision was started, if it is
    one's channel."""
    agent: str | None = None
    """Endpoint of the agent, where a queue named this very channel."""
    supervised: bool = False
    """Nothing says whose it is, but it was spied on as an agent's is."""
    talked: bool = False
    """It took part while customer and agent heard each other."""
    unbridged: int | None = None
    """When it left its last bridge, monotonic ms."""
    labels: dict[str, str] = field(default_factory=dict)
    """Last values of the site's variables on this channel, by label."""
    told: tuple[tuple[str, str], ...] = ()
    """The variables that its last event had, if none was set since."""
    payment: frozenset[str] = frozenset()
    """What says that somebody pays on this leg (``payments``); empty almost always, so that no leg
    has a set of its own."""
    recorded: int = 0
    """Recordings begun on it so far, for their ids."""
    recordings: tuple[RecordingRecord, ...] = ()
    """Those that run."""
    seen: bool = True
    """Mentioned since the resync or reconcile began."""
    missed: int = 0
    """Reconciles in a row that did not find it."""
    astray: int = 0
    """Reconciles in a row that found it in a spy of which we do not know, or, below 0, outside of
    the one that we believe it to be in."""
    found: tuple[str, str] | None = None
    """Application and arguments as the reconcile under way found them."""
    last_seen: int = 0
    """Wall time at which the PBX last said that it exists; 0 where it only sent events."""


@dataclass(slots=True)
class Call:
    id: str
    call_id: str
    started: At
    started_exact: bool
    origin: str
    """Uniqueid of its first channel."""
    legs: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, None] = field(default_factory=dict)
    """Every linkedid and uniqueid seen for it."""
    told_aliases: int = 0
    """How many of them the ledger has."""
    real: bool = False
    """Somebody was dialled, queued, bridged or spied on. Before that a channel may turn out to be
    a supervisor who dials a feature code, and is nobody's call."""
    state: CallState = CallState.ARRIVING
    direction: Direction = Direction.UNKNOWN
    number: Value | None = None
    customer: str | None = None
    """Uniqueid of the customer's leg, kept when it is gone."""
    agent: str | None = None
    agent_provenance: Provenance | None = None
    handed: int | None = None
    """When another agent handed it to this one, wall; None while the first one has it."""
    queue: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    restored: bool = False
    """An earlier process had begun to write it, and the resync that finds it is not over yet."""
    talked: bool = False
    """Customer and agent have heard each other."""
    answered: At | None = None
    """When they first did; None where that was before anybody looked."""
    phase: CallState | None = None
    """TALKING, ON_HOLD or None: what the clocks below count."""
    phase_since: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int | None = None
    watchers: dict[str, None] = field(default_factory=dict)
    """Ids of the supervisions whose open segment is on this call."""
    ended: At | None = None
    end_exact: bool = True
    end_after: int | None = None
    end_reason: EndReason | None = None
    view: CallView | None = None
    record: CallRecord | None = None


@dataclass(slots=True)
class Member:
    interface: str
    name: str
    paused: bool
    reason: str
    wrap_up_s: int


@dataclass(slots=True)
class Agent:
    endpoint: str
    name: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    """By queue."""
    queue_agent: bool = False
    """Was a member of some queue once, so that being in none means not logged in."""
    device: str = ""
    status: AgentStatus = AgentStatus.UNKNOWN
    reason: str = ""
    since: At = NEVER
    since_exact: bool = True
    started: bool = False
    """``since`` holds: a status interval is open."""
    wrap_until: int | None = None
    """Monotonic ms."""
    wrap_call: str | None = None
    """The call whose wrap-up runs."""
    wrap_from: int = 0
    view: AgentView | None = None
    record: StatusRecord | None = None
    seen: bool = True


@dataclass(slots=True)
class Segment:
    n: int
    type: SpyType
    at_least: bool
    type_provenance: Provenance
    spyee: str | None
    call: str | None
    started: At
    started_exact: bool
    call_id: str | None = None
    number: str | None = None
    campaign: str | None = None
    list: str | None = None
    result: str | None = None
    ended: At | None = None
    end_exact: bool = True
    end_after: int | None = None
    in_bridge: bool = False
    """Not by a spy, but together in a bridge."""
    record: SegmentRecord | None = None


@dataclass(slots=True)
class Supervision:
    id: str
    spyer: str
    supervisor: str
    """Endpoint."""
    started: At
    started_exact: bool
    agent: str | None = None
    agent_provenance: Provenance | None = None
    means: str = "unknown"
    state: SupervisionState = SupervisionState.ACTIVE
    since: At = NEVER
    segments: list[Segment] = field(default_factory=list)
    bridge: str | None = None
    """The bridge that the supervisor's channel was taken into out of the spy."""
    spying: str | None = None
    """Uniqueid of the channel that the spy is attached to, also while no call is on it."""
    left: At | None = None
    """When the supervisor's channel went on to something that is no spy, or out of the bridge;
    whether that is the end or the way into a bridge with the customer shows within LEAVE_MS."""
    leaving_as: EndReason | None = None
    """The reason, if it was the end."""
    keyed: SpyType | None = None
    """Type chosen by keypad; Asterisk keeps it for whatever is spied on next."""
    exits: bool | None = None
    """Option E: the spy ends with the spied channel. None while the options are unknown."""
    waiting_ms: int = 0
    disconnect: tuple[str, str] | None = None
    """Id and name of the person whose hang-up was sent."""
    disconnect_pending: bool = False
    ended: At | None = None
    end_exact: bool = True
    end_after: int | None = None
    end_reason: EndReason | None = None
    view: SupervisionView | None = None
    record: SupervisionRecord | None = None

    @property
    def took_over(self) -> bool:
        """The supervisor and the customer are alone together in a bridge, so that one cannot be
        removed without the other."""
        segment = self.open_segment
        return segment is not None and segment.in_bridge and segment.type is SpyType.BARGE_KICK

    @property
    def open_segment(self) -> Segment | None:
        last = self.segments[-1] if self.segments else None
        return last if last is not None and last.ended is None else None


@dataclass(slots=True)
class Shard:
    """All live state of one PBX."""

    pbx: str
    name: str
    site: Site
    directory: Directory
    boot: str = ""
    version: str = ""
    link: LinkState = LinkState.CONNECTING
    link_detail: str = ""
    link_since: int = 0
    full: str = ""
    """What is not followed because there is too much of it; empty almost everywhere."""
    lost_at: At | None = None
    """When the link was lost or last known good; None while it is live."""
    gap_why: str = ""
    gap: str | None = None
    """Id of the open gap's record."""
    gaps_at: tuple[int, int] = (-1, 0)
    """When the last gap began, and how many before it began in that very millisecond: a connection
    that was good for no longer than that leaves another one."""
    keypad: bool = False
    """The site lets us see supervisors' digits, so a switch by keypad is not missed."""
    unseen: int | None = None
    """While it is set, what is judged happened unseen, between this wall time and now."""
    resyncing: bool = False
    reconciling: bool = False
    synced: bool = False
    """A resync was completed in this process."""
    channels: dict[str, Channel] = field(default_factory=dict)
    bridges: dict[str, dict[str, None]] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    by_linkedid: dict[str, str] = field(default_factory=dict)
    supervisions: dict[str, Supervision] = field(default_factory=dict)
    by_spyer: dict[str, str] = field(default_factory=dict)
    spies_of: dict[str, int] = field(default_factory=dict)
    """Supervisions begun by a spyer so far, for their ids."""
    agents: dict[str, Agent] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)
    """Queue member interface to the agent's endpoint."""
    devices: dict[str, str] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    """Uniqueids that have hung up, with how many supervisions each had begun."""
    paying: dict[str, None] = field(default_factory=dict)
    """Uniqueids of the legs that are marked as paying."""
    linkedids: dict[str, int] = field(default_factory=dict)
    """Calls begun under a linkedid so far, for their ids; the latest only."""
    old_supervisions: dict[str, list[tuple[SupervisionRecord, list[SegmentRecord]]]] = field(
        default_factory=dict
    )
    """Open in the ledger from before this process, by uniqueid of the spyer. Of one there can be
    several: of another boot, or where the end of one was never written."""
    old_calls: dict[str, CallRecord] = field(default_factory=dict)
    old_statuses: dict[str, StatusRecord] = field(default_factory=dict)
    """By endpoint."""
    used: frozenset[str] = frozenset()
    """Ids of rows that are over, which no new one may take."""
    wrapping: dict[str, None] = field(default_factory=dict)
    """Endpoints of agents with a wrap-up deadline."""
    wrap_next: int = NO_TIME
    """No deadline of theirs is earlier than this, monotonic ms."""
    leaving: dict[str, None] = field(default_factory=dict)
    """Ids of supervisions that have left the spy, until it shows where to."""
    ended_calls: dict[str, CallRecord] = field(default_factory=dict)
    """Rows of ended calls to which the agent's wrap-up is still to be added."""
    view: PbxView | None = None
    told_full: str = ""
    """What ``full`` was when ``view`` was made."""
    left: dict[str, None] = field(default_factory=dict)
    """Ids of calls whose outcome was left for later."""

    # What the event under way touched, or those since the last settling; emptied when the outcome
    # is made.
    dirty_calls: dict[str, None] = field(default_factory=dict)
    dirty_supervisions: dict[str, None] = field(default_factory=dict)
    dirty_agents: dict[str, None] = field(default_factory=dict)
    scores: dict[str, str] = field(default_factory=dict)
    """The last score that was said on a call, by linkedid."""
    records: list[Record] = field(default_factory=list)
    asks: dict[str, None] = field(default_factory=dict)
    """Uniqueids of which Status should be asked."""

    def agent_of(self, channel: Channel) -> str | None:
        """Endpoint of the agent whose leg this is, by what a queue said of the channel, else by
        its endpoint, else by its account code."""
        if channel.agent is not None:
            return channel.agent
        endpoint = channel.endpoint
        if endpoint in self.agents or self.directory.is_agent(endpoint):
            return endpoint
        if endpoint in self.interfaces:  # Local/9@agents, whose telephone is another
            return self.interfaces[endpoint]
        if channel.account and channel.account in self.directory.by_account:
            return self.directory.by_account[channel.account]
        return endpoint if channel.supervised else None

    def supervision_of(self, spyer: str) -> Supervision | None:
        """The open supervision of a supervisor's channel, by its uniqueid."""
        known = self.by_spyer.get(spyer)
        return self.supervisions.get(known) if known is not None else None

    def name_call(self, call: Call, alias: str, *, linkedid: bool = False) -> None:
        """One more uniqueid or linkedid under which the call is found. Legs that come with such a
        linkedid belong to it."""
        if alias in call.aliases or len(call.aliases) < ALIASES_MOST:
            call.aliases[alias] = None
            if linkedid:
                self.by_linkedid[alias] = call.id

    def touch_call(self, call: Call) -> None:
        self.dirty_calls[call.id] = None

    def call_of(self, uniqueid: str) -> Call | None:
        channel = self.channels.get(uniqueid)
        if channel is None or channel.spy:
            return None
        return self.calls.get(channel.call)


def new_shard(pbx: str, name: str, site: Site) -> Shard:
    return Shard(
        pbx=pbx,
        name=name,
        site=site,
        directory=Directory(pbx, site),
        keypad=pbx in site.keypads,
    )
