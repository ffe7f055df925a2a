"""Rows of the ledgers as the wire has them."""

from __future__ import annotations

from collections.abc import Sequence

from monitord.api import wire
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.domain.views import Party
from monitord.people.sight import Sight
from monitord.told.reasons import Act, Reason


def party(party_id: str | None, name: str | None, endpoint: str | None) -> Party | None:
    if party_id is None or endpoint is None:
        return None
    return Party(party_id, name or endpoint, endpoint)


def supervision_row(
    r: SupervisionRecord, campaigns: Sequence[str | None], reasons: Sequence[Reason] = ()
) -> wire.SupervisionRow:
    """``campaigns``: of its segments."""
    others = dict.fromkeys(c for c in campaigns if c is not None and c != r.campaign)
    return wire.SupervisionRow(
        id=r.id,
        pbx=r.pbx,
        supervisor=Party(r.supervisor_id, r.supervisor_name, r.supervisor_endpoint),
        agent=party(r.agent_id, r.agent_name, r.agent_endpoint),
        type=r.type,
        at_least=r.at_least,
        type_provenance=r.type_provenance,
        started=r.started,
        started_exact=r.started_exact,
        ended=r.ended,
        ended_exact=r.ended_exact,
        ended_after=r.ended_after,
        end_reason=r.end_reason,
        ended_by=r.ended_by_name,
        length_ms=r.length_ms,
        waiting_ms=r.waiting_ms,
        means=r.means,
        campaign=r.campaign,
        call_id=r.call_id,
        earlier_campaigns=list(others),
        reason=reason_of(reasons),
    )


def reason_of(reasons: Sequence[Reason], act: Act = "supervision") -> str | None:
    return next((r.text for r in reasons if r.act == act), None)


def reason_row(r: Reason) -> wire.Reason:
    return wire.Reason(r.act, r.text, r.by_name, r.given, r.changed)


def segment_row(s: SegmentRecord) -> wire.Segment:
    return wire.Segment(
        n=s.n,
        type=s.type,
        at_least=s.at_least,
        type_provenance=s.type_provenance,
        call_id=s.call_id,
        number=s.number,
        campaign=s.campaign,
        list=s.list,
        result=s.result,
        started=s.started,
        ended=s.ended,
        length_ms=s.length_ms,
    )


def supervision_detail(
    sight: Sight,
    owner: SupervisionRecord,
    segments: Sequence[SegmentRecord],
    reasons: Sequence[Reason] = (),
) -> wire.SupervisionDetail:
    """With what of it may be seen."""
    shown = [sight.segment(owner, s) for s in segments]
    row = supervision_row(sight.supervision(owner), [s.campaign for s in shown], reasons)
    segments_shown = [segment_row(s) for s in shown]
    return wire.SupervisionDetail(row, segments_shown, [reason_row(r) for r in reasons])


def call_row(c: CallRecord) -> wire.CallRow:
    return wire.CallRow(
        id=c.id,
        pbx=c.pbx,
        call_id=c.call_id,
        agent=party(c.agent_id, c.agent_name, c.agent_endpoint),
        direction=c.direction,
        number=c.number,
        queue=c.queue,
        campaign=c.campaign,
        list=c.list,
        result=c.result,
        started=c.started,
        started_exact=c.started_exact,
        answered=c.answered,
        ended=c.ended,
        ended_exact=c.ended_exact,
        end_reason=c.end_reason,
        talk_ms=c.talk_ms,
        hold_ms=c.hold_ms,
        wrap_up_ms=c.wrap_up_ms,
        length_ms=c.length_ms,
    )


def status_row(s: StatusRecord) -> wire.StatusRow:
    return wire.StatusRow(
        id=s.id,
        pbx=s.pbx,
        agent=Party(s.agent_id, s.agent_name, s.agent_endpoint),
        status=s.status,
        reason=s.reason,
        started=s.started,
        started_exact=s.started_exact,
        ended=s.ended,
        ended_exact=s.ended_exact,
        length_ms=s.length_ms,
    )


def gap_row(g: GapRecord) -> wire.Gap:
    return wire.Gap(pbx=g.pbx, started=g.started, ended=g.ended, why=g.why)
