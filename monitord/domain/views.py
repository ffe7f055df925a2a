"""The live picture: what is shown of a PBX, an agent, a call and a supervision while it lasts.

All instants are integer milliseconds UTC since 1970, all lengths integer milliseconds.
"""

from __future__ import annotations

from msgspec import Struct

from monitord.domain.words import (
    AgentStatus,
    AlertAct,
    AlertKind,
    AnswerKind,
    CallState,
    Direction,
    FlagState,
    LinkState,
    Polarity,
    Provenance,
    SpyType,
    SupervisionState,
)


class Value(Struct, frozen=True, gc=False):
    """A label and how it was learned. Where nobody supplied one the field is null."""

    value: str
    provenance: Provenance


class Party(Struct, frozen=True, gc=False):
    """A supervisor or an agent as people see them.

    ``id`` is stable: that of the person where the endpoint belongs to one, else the endpoint
    with its PBX, ``pbx/PJSIP/1001``.
    """

    id: str
    name: str
    endpoint: str


class Pbx(Struct, frozen=True, gc=False, tag_field="kind", tag="pbx"):
    """One Asterisk and how the daemon stands with it."""

    id: str
    name: str
    link: LinkState
    since: int
    """When ``link`` became what it is."""
    detail: str
    """Plain words for a person: why it is not live, what is done about it. Empty when live."""
    version: str


class Agent(Struct, frozen=True, gc=False, tag_field="kind", tag="agent"):
    """An agent's live status."""

    id: str
    pbx: str
    party: Party
    status: AgentStatus
    reason: str
    """Of a pause, as the queue gives it; else empty."""
    since: int
    since_exact: bool
    """False where the status was already so when the daemon attached."""
    provenance: Provenance


class Call(Struct, frozen=True, gc=False, tag_field="kind", tag="call"):
    """What a customer and an agent share, while it lives."""

    id: str
    pbx: str
    call_id: str
    """The linkedid it began with: what people call the Call ID."""
    state: CallState
    direction: Direction
    number: Value | None
    """The customer's side, inbound or outbound."""
    agent: Party | None
    agent_provenance: Provenance | None
    queue: str
    campaign: Value | None
    list: Value | None
    result: Value | None
    started: int
    started_exact: bool
    answered: int | None
    """When customer and agent first heard each other."""
    payment: bool = False
    """Somebody pays on it now."""


class Supervision(Struct, frozen=True, gc=False, tag_field="kind", tag="supervision"):
    """One supervisor attached to one agent, while it lasts."""

    id: str
    pbx: str
    state: SupervisionState
    supervisor: Party
    agent: Party | None
    agent_provenance: Provenance | None
    call: str | None
    """``id`` of the live call under it; null while waiting."""
    type: SpyType
    """Of the segment that runs now (while waiting: of the last one)."""
    at_least: bool
    """True where the type may have become stronger without Asterisk saying so."""
    type_provenance: Provenance
    means: str
    """How it was started: ``dialplan`` (a feature code, or an Originate into one), ``application``
    (Originate of the application itself) or ``unknown``."""
    started: int
    started_exact: bool
    """False: it ran already when the daemon attached, so the start is at or before."""
    since: int
    """Start of the segment, or of the waiting."""
    disconnect_by: str | None
    """Name of the person whose disconnect was sent and is not confirmed yet."""
    payment: bool = False
    """Somebody pays on the call under it; also for those who do not see that call."""


class Alert(Struct, frozen=True, gc=False, tag_field="kind", tag="alert"):
    """A supervision that should not be.

    Shown until it is acknowledged, and as long as the supervision runs.
    """

    id: str
    """One for each supervision, kind and type: ``<supervision>.<type>`` where the right is missing,
    else ``<supervision>.<about>.<type>``."""
    pbx: str
    supervision: str
    about: AlertKind
    """What is wrong with it; ``kind`` says of each entity that it is an alert."""
    supervisor: Party
    agent: Party | None
    type: SpyType
    at_least: bool
    certain: bool
    """False: the type could not be learned, and this is for information only."""
    why: str
    """Plain words: the right that is missing, the reason on the list, or that somebody pays."""
    raised: int
    done: AlertAct
    done_why: str
    """Plain words where there is more to say; else empty."""
    acknowledged: int | None
    acknowledged_by: str | None
    """Name of the person."""


class Notice(Struct, frozen=True, gc=False, tag_field="kind", tag="notice"):
    """What an agent is told of a supervision on them; nobody else gets it.

    On the stream while it runs, and for some minutes after it was told as ended.
    """

    id: str
    """The supervision's."""
    pbx: str
    agent: Party
    supervisor: Party | None
    """Null where the policy does not say who it was."""
    type: SpyType
    """The strongest so far."""
    at_least: bool
    started: int
    started_exact: bool
    ended: int | None
    """Null while it runs."""
    ended_exact: bool
    ended_after: int | None
    """Where the end is not exact: it was still seen then."""
    reason: str | None
    """As the supervisor gave it; null where there is none, or the policy does not show it."""
    told: int
    """When the agent was told first."""


class FlagAnswer(Struct, frozen=True, gc=False):
    """What the agent said to a flag."""

    kind: AnswerKind
    text: str
    at: int


class Flag(Struct, frozen=True, gc=False, tag_field="kind", tag="flag"):
    """A moment of a call that is worth talking about.

    On the stream while its call lives, and for some minutes after.
    """

    id: str
    pbx: str
    call: str
    """``id`` of the call."""
    call_id: str
    agent: Party
    by: str
    """Id of the person who made it."""
    by_name: str
    polarity: Polarity
    comment: str
    wanted: str
    """What the agent should do another time; empty where nothing was said."""
    themes: tuple[str, ...]
    moment: int | None
    """When it happened; null where nobody said."""
    offset_ms: int | None
    """The same from the start of the call."""
    state: FlagState
    made: int
    changed: int | None
    """When it was last edited."""
    visible: bool
    """The agent sees it."""
    answers: tuple[FlagAnswer, ...]


Entity = Pbx | Agent | Call | Supervision | Alert | Notice | Flag
