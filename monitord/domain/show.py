"""From state to what is shown of it (views) and what is kept of it (ledger records)."""

from __future__ import annotations

from monitord.domain import payments
from monitord.domain.agents import provenance
from monitord.domain.events import At
from monitord.domain.ledger import CallRecord, SegmentRecord, SupervisionRecord
from monitord.domain.state import Agent, Call, Segment, Shard, Supervision
from monitord.domain.views import Agent as AgentView
from monitord.domain.views import Call as CallView
from monitord.domain.views import Party, Pbx, Value
from monitord.domain.views import Supervision as SupervisionView
from monitord.domain.words import Provenance, SpyType


def party(shard: Shard, endpoint: str | None) -> Party | None:
    if endpoint is None:
        return None
    agent = shard.agents.get(endpoint)
    return shard.directory.party(endpoint, agent.name if agent is not None else "")


def pbx_view(shard: Shard) -> Pbx:
    return Pbx(
        id=shard.pbx,
        name=shard.name,
        link=shard.link,
        since=shard.link_since,
        detail="; ".join(d for d in (shard.link_detail, shard.full) if d),
        version=shard.version,
    )


def agent_view(shard: Shard, agent: Agent) -> AgentView:
    return AgentView(
        id=f"{shard.pbx}/{agent.endpoint}",
        pbx=shard.pbx,
        party=shard.directory.party(agent.endpoint, agent.name),
        status=agent.status,
        reason=agent.reason,
        since=agent.since.wall,
        since_exact=agent.since_exact,
        provenance=provenance(agent),
    )


def _end(started: At, ended: At | None, after: int | None) -> int | None:
    """The wall time of an end. Where the clock was set back meanwhile, it is still no earlier than
    the beginning and than what was seen after that."""
    return max(ended.wall, started.wall, after or 0) if ended is not None else None


def _label(call: Call, name: str) -> Value | None:
    value = call.labels.get(name)
    return Value(value, Provenance.SUPPLIED) if value else None


def call_view(shard: Shard, call: Call) -> CallView:
    return CallView(
        id=call.id,
        pbx=shard.pbx,
        call_id=call.call_id,
        state=call.state,
        direction=call.direction,
        number=call.number,
        agent=party(shard, call.agent),
        agent_provenance=call.agent_provenance,
        queue=call.queue,
        campaign=_label(call, "campaign"),
        list=_label(call, "list"),
        result=_label(call, "result"),
        started=call.started.wall,
        started_exact=call.started_exact,
        answered=call.answered.wall if call.answered is not None else None,
        payment=payments.in_progress(shard, call),
    )


def call_record(shard: Shard, call: Call) -> CallRecord:
    agent = party(shard, call.agent)
    length = None
    if call.ended is not None:
        length = max(0, call.ended.mono - call.started.mono)
        if not call.end_exact:
            length = max(0, (call.end_after or call.ended.wall) - call.started.wall)
    return CallRecord(
        id=call.id,
        pbx=shard.pbx,
        boot=call.record.boot if call.record is not None else shard.boot,
        call_id=call.call_id,
        agent_id=agent.id if agent else None,
        agent_name=agent.name if agent else None,
        agent_endpoint=agent.endpoint if agent else None,
        agent_provenance=call.agent_provenance,
        direction=call.direction,
        number=call.number.value if call.number is not None else None,
        queue=call.queue,
        campaign=call.labels.get("campaign"),
        list=call.labels.get("list"),
        result=call.labels.get("result"),
        started=call.started.wall,
        started_exact=call.started_exact,
        answered=call.answered.wall if call.answered is not None else None,
        ended=_end(call.started, call.ended, call.end_after),
        ended_exact=call.end_exact,
        ended_after=call.end_after,
        end_reason=call.end_reason,
        talk_ms=call.talk_ms,
        hold_ms=call.hold_ms,
        wrap_up_ms=call.wrap_up_ms,
        length_ms=length,
    )


def supervision_view(shard: Shard, supervision: Supervision) -> SupervisionView:
    segment = supervision.segments[-1]
    supervisor = party(shard, supervision.supervisor)
    assert supervisor is not None
    open_segment = supervision.open_segment
    return SupervisionView(
        id=supervision.id,
        pbx=shard.pbx,
        state=supervision.state,
        supervisor=supervisor,
        agent=party(shard, supervision.agent),
        agent_provenance=supervision.agent_provenance,
        call=open_segment.call if open_segment is not None else None,
        type=segment.type,
        at_least=segment.at_least,
        type_provenance=segment.type_provenance,
        means=supervision.means,
        started=supervision.started.wall,
        started_exact=supervision.started_exact,
        since=supervision.since.wall,
        disconnect_by=(
            supervision.disconnect[1]
            if supervision.disconnect_pending and supervision.disconnect is not None
            else None
        ),
        payment=payments.under(shard, supervision),
    )


def _strongest(segments: list[Segment]) -> tuple[SpyType, bool, Provenance]:
    """The type of the whole supervision: the strongest segment's; "at least" where one of them
    is unknown or may have been switched unseen (glossary)."""
    best = max(segments, key=lambda s: s.type.strength)
    unknown = any(s.type is SpyType.UNKNOWN for s in segments)
    at_least = best.type is not SpyType.UNKNOWN and (unknown or any(s.at_least for s in segments))
    return best.type, at_least, best.type_provenance


def supervision_record(shard: Shard, supervision: Supervision) -> SupervisionRecord:
    kind, at_least, provenance_ = _strongest(supervision.segments)
    supervisor = party(shard, supervision.supervisor)
    assert supervisor is not None
    agent = party(shard, supervision.agent)
    last = supervision.segments[-1]
    campaigns = [s.campaign for s in supervision.segments if s.campaign]
    called = [s for s in supervision.segments if s.call_id]
    length = None
    if supervision.ended is not None:
        length = max(0, supervision.ended.mono - supervision.started.mono)
        if not supervision.end_exact:
            until = supervision.end_after or supervision.ended.wall
            length = max(0, until - supervision.started.wall)
    by = supervision.disconnect if supervision.ended is not None else None
    return SupervisionRecord(
        id=supervision.id,
        pbx=shard.pbx,
        boot=supervision.record.boot if supervision.record is not None else shard.boot,
        spyer=supervision.spyer,
        supervisor_id=supervisor.id,
        supervisor_name=supervisor.name,
        supervisor_endpoint=supervisor.endpoint,
        agent_id=agent.id if agent else None,
        agent_name=agent.name if agent else None,
        agent_endpoint=agent.endpoint if agent else None,
        agent_provenance=supervision.agent_provenance,
        type=kind,
        at_least=at_least,
        type_provenance=provenance_,
        means=supervision.means,
        campaign=campaigns[-1] if campaigns else None,
        call=called[-1].call if called else last.call,
        call_id=called[-1].call_id if called else None,
        started=supervision.started.wall,
        started_exact=supervision.started_exact,
        ended=_end(supervision.started, supervision.ended, supervision.end_after),
        ended_exact=supervision.end_exact,
        ended_after=supervision.end_after,
        end_reason=supervision.end_reason if supervision.ended is not None else None,
        ended_by_id=by[0] if by else None,
        ended_by_name=by[1] if by else None,
        length_ms=length,
        waiting_ms=supervision.waiting_ms,
    )


def segment_record(shard: Shard, supervision: Supervision, segment: Segment) -> SegmentRecord:
    length = None
    if segment.ended is not None:
        length = max(0, segment.ended.mono - segment.started.mono)
        if segment.end_after is not None:
            length = max(0, segment.end_after - segment.started.wall)
        if segment.record is not None and segment.record.length_ms is not None:
            length = segment.record.length_ms
    return SegmentRecord(
        id=f"{supervision.id}-{segment.n}",
        supervision=supervision.id,
        n=segment.n,
        type=segment.type,
        at_least=segment.at_least,
        type_provenance=segment.type_provenance,
        spyee=segment.spyee,
        call=segment.call,
        call_id=segment.call_id,
        number=segment.number,
        campaign=segment.campaign,
        list=segment.list,
        result=segment.result,
        started=segment.started.wall,
        started_exact=segment.started_exact,
        ended=_end(segment.started, segment.ended, segment.end_after),
        ended_exact=segment.end_exact,
        length_ms=length,
    )
