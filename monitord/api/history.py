"""The ledgers over HTTP: supervisions with their segments, calls, agents' status, gaps."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitord.api import wire
from monitord.api.keys import HISTORY, needs
from monitord.api.problems import Refused, answer, only, text, whole
from monitord.domain.ledger import (
    CallRecord,
    GapRecord,
    SegmentRecord,
    StatusRecord,
    SupervisionRecord,
)
from monitord.domain.views import Party
from monitord.domain.words import SpyType
from monitord.store.history import CursorError, Query

ROWS_MOST = 500
_LATEST = 1 << 52
_COMMON = ("limit", "cursor", "begin", "end")


def _query(request: web.Request, *names: str) -> Query:
    only(request, *_COMMON, *names)
    kind = text(request, "type")
    if kind is not None and kind not in set(SpyType):
        raise Refused(400, f"must be one of: {', '.join(SpyType)}", "type")
    return Query(
        limit=whole(request, "limit", 1, ROWS_MOST) or 50,
        cursor=text(request, "cursor"),
        begin=whole(request, "begin", 0, _LATEST),
        end=whole(request, "end", 0, _LATEST),
        supervisor=text(request, "supervisor"),
        agent=text(request, "agent"),
        campaign=text(request, "campaign"),
        type=kind,
        alias=text(request, "call"),
    )


async def _paged(request: web.Request, read: Any, query: Query) -> Any:
    try:
        return await read(query)
    except CursorError as error:
        raise Refused(400, str(error), "cursor") from None


async def supervisions(request: web.Request) -> web.Response:
    needs(request, "supervision.see")
    query = _query(request, "supervisor", "agent", "campaign", "type", "call")
    page = await _paged(request, request.app[HISTORY].supervisions, query)
    return answer(wire.SupervisionPage([row_of(r) for r in page.records], page.next))


async def supervision(request: web.Request) -> web.Response:
    needs(request, "supervision.see")
    only(request)
    found = await request.app[HISTORY].supervision(request.match_info["id"])
    if found is None:
        raise Refused(404, "there is no such supervision", "id")
    record, segments = found
    return answer(wire.SupervisionDetail(row_of(record), [_segment(s) for s in segments]))


async def calls(request: web.Request) -> web.Response:
    needs(request, "supervision.see")
    query = _query(request, "agent", "campaign", "call")
    page = await _paged(request, request.app[HISTORY].calls, query)
    return answer(wire.CallPage([_call(r) for r in page.records], page.next))


async def statuses(request: web.Request) -> web.Response:
    needs(request, "supervision.see")
    query = _query(request, "agent")
    page = await _paged(request, request.app[HISTORY].statuses, query)
    return answer(wire.StatusPage([_status(r) for r in page.records], page.next))


async def gaps(request: web.Request) -> web.Response:
    needs(request, "supervision.see")
    page = await _paged(request, request.app[HISTORY].gaps, _query(request))
    return answer(wire.GapPage([_gap(r) for r in page.records], page.next))


def _party(party_id: str | None, name: str | None, endpoint: str | None) -> Party | None:
    if party_id is None or endpoint is None:
        return None
    return Party(party_id, name or endpoint, endpoint)


def row_of(r: SupervisionRecord) -> wire.SupervisionRow:
    return wire.SupervisionRow(
        id=r.id,
        pbx=r.pbx,
        supervisor=Party(r.supervisor_id, r.supervisor_name, r.supervisor_endpoint),
        agent=_party(r.agent_id, r.agent_name, r.agent_endpoint),
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
    )


def _segment(s: SegmentRecord) -> wire.Segment:
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


def _call(c: CallRecord) -> wire.CallRow:
    return wire.CallRow(
        id=c.id,
        pbx=c.pbx,
        call_id=c.call_id,
        agent=_party(c.agent_id, c.agent_name, c.agent_endpoint),
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


def _status(s: StatusRecord) -> wire.StatusRow:
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


def _gap(g: GapRecord) -> wire.Gap:
    return wire.Gap(pbx=g.pbx, started=g.started, ended=g.ended, why=g.why)
