"""The rows that are kept: what the recorder writes and history reads.

All instants are integer milliseconds UTC since 1970, all lengths integer milliseconds. A record
is written again whenever a field differs; ``id`` says which row it is.
"""

from __future__ import annotations

from msgspec import Struct

from monitord.domain.words import (
    AgentStatus,
    AlertAct,
    AlertKind,
    Direction,
    EndReason,
    Provenance,
    ScoreSource,
    SpyType,
    Telling,
)


class SupervisionRecord(Struct, frozen=True, gc=False, kw_only=True):
    id: str
    pbx: str
    boot: str
    spyer: str
    """Uniqueid of the supervisor's channel."""
    supervisor_id: str
    supervisor_name: str
    supervisor_endpoint: str
    agent_id: str | None
    agent_name: str | None
    agent_endpoint: str | None
    agent_provenance: Provenance | None
    type: SpyType
    """The strongest of its segments."""
    at_least: bool
    type_provenance: Provenance
    means: str
    campaign: str | None
    """Of the agent's call during the supervision, the last one known; never looked up again."""
    call: str | None
    """Internal id of the last call under it."""
    call_id: str | None
    started: int
    started_exact: bool
    ended: int | None = None
    ended_exact: bool = True
    ended_after: int | None = None
    """Where the end is not exact: it was still seen then."""
    end_reason: EndReason | None = None
    ended_by_id: str | None = None
    ended_by_name: str | None = None
    length_ms: int | None = None
    waiting_ms: int = 0


class SegmentRecord(Struct, frozen=True, gc=False, kw_only=True):
    id: str
    supervision: str
    n: int
    """1 for the first."""
    type: SpyType
    at_least: bool
    type_provenance: Provenance
    spyee: str | None
    """Uniqueid of the channel that was listened to."""
    call: str | None
    call_id: str | None
    number: str | None
    campaign: str | None
    list: str | None
    result: str | None
    started: int
    started_exact: bool
    ended: int | None = None
    ended_exact: bool = True
    length_ms: int | None = None


class CallRecord(Struct, frozen=True, gc=False, kw_only=True):
    id: str
    pbx: str
    boot: str
    call_id: str
    """The linkedid it began with."""
    agent_id: str | None
    agent_name: str | None
    agent_endpoint: str | None
    agent_provenance: Provenance | None
    direction: Direction
    number: str | None
    queue: str
    campaign: str | None
    list: str | None
    result: str | None
    started: int
    started_exact: bool
    answered: int | None
    ended: int | None = None
    ended_exact: bool = True
    ended_after: int | None = None
    end_reason: EndReason | None = None
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int | None = None
    """Null while it is not known, or where there was none to know of."""
    length_ms: int | None = None


class PartRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A part of a call that an agent had before another one took it; the last one's is the call."""

    id: str
    pbx: str
    call: str
    agent_id: str
    agent_name: str
    agent_endpoint: str
    started: int
    """When this agent got it; of the first one the call's start, as of whoever had it when the
    daemon started."""
    ended: int
    exact: bool
    """False: nobody saw when it changed hands; it was found so at ``ended``."""


class RecordingRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A MixMonitor that ran on a leg of a call. The sound itself is the site's own file."""

    id: str
    pbx: str
    call: str
    channel: str
    """Uniqueid of the leg."""
    started: int
    ended: int | None = None
    """Null: it runs, or nobody saw its end; the call's end is its end then."""
    file: str | None = None
    """As the PBX names it, where a variable of the channel says so."""


class AliasRecord(Struct, frozen=True, gc=False, kw_only=True):
    """Another name under which a call can be found: a linkedid or uniqueid seen for it."""

    pbx: str
    boot: str
    alias: str
    call: str


class StatusRecord(Struct, frozen=True, gc=False, kw_only=True):
    id: str
    pbx: str
    agent_id: str
    agent_name: str
    agent_endpoint: str
    status: AgentStatus
    reason: str
    started: int
    started_exact: bool
    ended: int | None = None
    ended_exact: bool = True
    ended_after: int | None = None
    length_ms: int | None = None


class GapRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A time in which the daemon could not see the PBX."""

    id: str
    pbx: str
    started: int
    ended: int | None
    why: str


class AlertRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A supervision that should not be."""

    id: str
    pbx: str
    supervision: str
    kind: AlertKind
    supervisor_id: str
    supervisor_name: str
    supervisor_endpoint: str
    agent_id: str | None
    agent_name: str | None
    agent_endpoint: str | None
    type: SpyType
    at_least: bool
    certain: bool
    """False: the type could not be learned; for information only."""
    why: str
    raised: int
    done: AlertAct
    done_why: str
    acknowledged: int | None = None
    acknowledged_by_id: str | None = None
    acknowledged_by_name: str | None = None


class NoticeRecord(Struct, frozen=True, gc=False, kw_only=True):
    """What an agent is told of a supervision, and when."""

    id: str
    """The supervision's."""
    pbx: str
    agent_id: str
    agent_name: str
    agent_endpoint: str
    supervisor_id: str
    supervisor_name: str
    supervisor_endpoint: str
    call: str | None
    """Internal id of the last call under it."""
    type: SpyType
    """The strongest so far, by which it is judged."""
    at_least: bool
    started: int
    started_exact: bool
    ended: int | None
    ended_exact: bool
    ended_after: int | None
    telling: Telling
    """What the policy says of that type and the agent's team."""
    who: bool
    """Whether the agent sees who it was; so ``why``, the reason."""
    why: bool
    due: int | None
    """When it is to be told; null where nobody can say yet, and where it never is."""
    told_begun: int | None = None
    told_ended: int | None = None


class AskedRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A supervisor was asked for the reason of a supervision."""

    id: str
    """The supervision's."""
    asked: int


class SaidScore(Struct, frozen=True, gc=False, kw_only=True):
    """What a customer answered to a survey, as Asterisk says it. It becomes a row only where the
    site's scale has it."""

    pbx: str
    boot: str
    given: str
    """Uniqueid of the channel on which it was said."""
    value: str
    at: int


class ScoreRecord(Struct, frozen=True, gc=False, kw_only=True):
    """How satisfied a customer was with a call, in hundredths."""

    id: str
    pbx: str | None
    """None: nobody said at which PBX the call was."""
    given: str
    """The name of the call that came with it."""
    call: str | None
    """Internal id; None while no call of that name is known."""
    value: int
    low: int
    high: int
    """The scale of then, both included."""
    at: int
    """When the customer gave it."""
    received: int
    source: ScoreSource
    reference: str
    """Of one call, each score has another: what comes twice changes nothing."""
    by_id: str | None = None
    """Who sent it; None: the PBX."""
    by_name: str | None = None


class OutgoingRecord(Struct, frozen=True, gc=False, kw_only=True):
    """What a webhook is still to be told."""

    id: str
    """Of the hook and of what it is about, so that nothing is queued twice."""
    hook: str
    key: str
    """By which the receiver knows it again."""
    event: str
    body: str
    """JSON."""
    made: int
    due: int
    """When it is sent, or tried again."""
    attempts: int = 0


Record = (
    SupervisionRecord
    | SegmentRecord
    | CallRecord
    | PartRecord
    | RecordingRecord
    | AliasRecord
    | StatusRecord
    | GapRecord
    | AlertRecord
    | NoticeRecord
    | AskedRecord
    | OutgoingRecord
    | SaidScore
    | ScoreRecord
)


def key_of(record: Record) -> tuple[object, ...]:
    """Which row it is."""
    if isinstance(record, AliasRecord):
        return (AliasRecord, record.pbx, record.boot, record.alias)
    if isinstance(record, SaidScore):
        return (SaidScore, record.pbx, record.boot, record.given, record.at)
    return (type(record), record.id)
