"""From deltas to happenings: one line each, with fields that stay (docs/tail.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from monitord.domain.views import Pbx, Supervision, Value
from monitord.domain.words import (
    AgentStatus,
    CallState,
    Direction,
    LinkState,
    Provenance,
    SpyType,
    SupervisionState,
)
from monitord.tail.picture import Delta, Picture

SupervisionHappening = Literal[
    "running",
    "started",
    "type_changed",
    "segment_started",
    "waiting",
    "agent_changed",
    "call_changed",
    "disconnect_changed",
    "payment_changed",
    "ended",
]


class StartOver(Struct, frozen=True):
    """Forget everything: the whole present follows, as ``pbx`` and ``running`` lines."""

    happening: Literal["start_over"]
    at: int
    epoch: str
    seq: int


class PbxLine(Struct, frozen=True):
    happening: Literal["pbx"]
    at: int
    epoch: str
    seq: int
    id: str
    name: str
    link: LinkState
    since: int
    detail: str
    version: str


class ConnectionLine(Struct, frozen=True):
    """Ours to the daemon. ``at`` is by the clock here."""

    happening: Literal["connection"]
    at: int
    state: Literal["live", "lost"]
    why: str


class SupervisionLine(Struct, frozen=True):
    """A supervision with the agent and the call under it, as they are after the happening; of an
    ``ended`` one as they were last."""

    happening: SupervisionHappening
    at: int
    epoch: str
    seq: int
    id: str
    pbx: str
    state: SupervisionState
    type: SpyType
    at_least: bool
    type_provenance: Provenance
    means: str
    supervisor: str
    supervisor_id: str
    started: int
    started_exact: bool
    since: int
    length_ms: int
    agent: str | None
    agent_id: str | None
    agent_provenance: Provenance | None
    agent_status: AgentStatus | None
    agent_reason: str | None
    agent_since: int | None
    call_id: str | None
    call_state: CallState | None
    call_started: int | None
    direction: Direction | None
    number: str | None
    number_provenance: Provenance | None
    campaign: str | None
    list: str | None
    result: str | None
    disconnect_by: str | None
    payment: bool


Line = StartOver | PbxLine | ConnectionLine | SupervisionLine

_TYPE = ("type", "at_least", "type_provenance")
_AGENT = (
    *("agent", "agent_id", "agent_provenance"),
    *("agent_status", "agent_reason", "agent_since"),
)
_CALL = (
    *("call_id", "call_state", "call_started", "direction", "number", "number_provenance"),
    *("campaign", "list", "result"),
)


class Follower:
    """Applies deltas and says what happened."""

    def __init__(self) -> None:
        self.picture = Picture()
        self.rows: dict[str, SupervisionLine] = {}
        """The last line of each supervision that runs."""

    def take(self, delta: Delta) -> list[Line] | None:
        """What a delta tells; None where something before it is missing."""
        pbxs = dict(self.picture.pbxs)
        applied = self.picture.apply(delta)
        if applied == "gap":
            return None
        if applied == "repeated":
            return []
        before, self.rows = (
            self.rows,
            {s.id: self._row(s, delta) for s in self.picture.supervisions.values()},
        )
        at = (delta.at, delta.epoch, delta.seq)
        if delta.reset:
            return [
                StartOver("start_over", *at),
                *(_pbx_line(p, delta) for p in self.picture.pbxs.values()),
                *self.rows.values(),
            ]
        return [
            *(_pbx_line(p, delta) for p in self.picture.pbxs.values() if p != pbxs.get(p.id)),
            *_differences(before, self.rows, delta),
        ]

    def _row(self, supervision: Supervision, delta: Delta) -> SupervisionLine:
        call = self.picture.call(supervision.call)
        party = supervision.agent
        agent = self.picture.agent(party.id, supervision.pbx) if party is not None else None
        return SupervisionLine(
            happening="running",
            at=delta.at,
            epoch=delta.epoch,
            seq=delta.seq,
            id=supervision.id,
            pbx=supervision.pbx,
            state=supervision.state,
            type=supervision.type,
            at_least=supervision.at_least,
            type_provenance=supervision.type_provenance,
            means=supervision.means,
            supervisor=supervision.supervisor.name,
            supervisor_id=supervision.supervisor.id,
            started=supervision.started,
            started_exact=supervision.started_exact,
            since=supervision.since,
            length_ms=max(0, delta.at - supervision.started),
            agent=party.name if party else None,
            agent_id=party.id if party else None,
            agent_provenance=supervision.agent_provenance,
            agent_status=agent.status if agent else None,
            agent_reason=agent.reason if agent else None,
            agent_since=agent.since if agent else None,
            call_id=call.call_id if call else None,
            call_state=call.state if call else None,
            call_started=call.started if call else None,
            direction=call.direction if call else None,
            number=_text(call.number) if call else None,
            number_provenance=call.number.provenance if call and call.number else None,
            campaign=_text(call.campaign) if call else None,
            list=_text(call.list) if call else None,
            result=_text(call.result) if call else None,
            disconnect_by=supervision.disconnect_by,
            payment=supervision.payment,
        )


def _text(value: Value | None) -> str | None:
    return value.value if value is not None else None


def _pbx_line(pbx: Pbx, delta: Delta) -> PbxLine:
    return PbxLine(
        "pbx",
        delta.at,
        delta.epoch,
        delta.seq,
        *(pbx.id, pbx.name, pbx.link, pbx.since, pbx.detail, pbx.version),
    )


def _differences(
    before: dict[str, SupervisionLine], after: dict[str, SupervisionLine], delta: Delta
) -> Iterator[SupervisionLine]:
    for row in after.values():
        old = before.get(row.id)
        if old is None:
            yield replace(row, happening="started")
        else:
            for happening in _what(old, row):
                yield replace(row, happening=happening)
    for old in before.values():
        if old.id not in after:
            yield replace(
                old,
                happening="ended",
                at=delta.at,
                epoch=delta.epoch,
                seq=delta.seq,
                length_ms=max(0, delta.at - old.started),
            )


def _what(old: SupervisionLine, row: SupervisionLine) -> Iterator[SupervisionHappening]:
    def differ(names: tuple[str, ...]) -> bool:
        return any(getattr(old, n) != getattr(row, n) for n in names)

    segment = differ(("state", "since"))
    if differ(_TYPE):
        yield "type_changed"
    if segment:
        yield "waiting" if row.state is SupervisionState.WAITING else "segment_started"
    if differ(_AGENT):
        yield "agent_changed"
    if not segment and differ(_CALL):
        yield "call_changed"
    if old.disconnect_by != row.disconnect_by:
        yield "disconnect_changed"
    if old.payment != row.payment:
        yield "payment_changed"
