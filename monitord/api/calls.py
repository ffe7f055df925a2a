"""One call of the ledger over HTTP, with what happened in its time."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitord.api import recordings, wire
from monitord.api.flags import of_call
from monitord.api.keys import HISTORY, WHO
from monitord.api.problems import Refused, answer, only
from monitord.api.rows import call_row, gap_row, status_row
from monitord.api.scores import scores_of
from monitord.api.viewing import viewed
from monitord.domain.ledger import CallRecord, SegmentRecord, SupervisionRecord
from monitord.domain.views import Party
from monitord.people.sight import sight_of
from monitord.store.filters import Query
from monitord.store.history import GAPS, STATUSES, Ledger

MOST = 300
"""Segments, statuses and gaps, of each; a call of a day has fewer."""


async def call(request: web.Request) -> web.Response:
    sight = sight_of(request[WHO].rights)
    only(request)
    row_id = request.match_info["id"]
    await viewed(request, f"call {row_id}", {})
    found = await request.app[HISTORY].call(row_id)
    if found is None or found.agent_id not in sight.reach:
        raise Refused(404, "there is no such call", "id")
    on_it = await request.app[HISTORY].on_call(found.id, MOST + 1)
    # Of another's agent who was on the same call it is not told which call that was.
    on_it = [(owner, parts) for owner, parts in on_it if owner.agent_id in sight.reach]
    parts = await request.app[HISTORY].handed_on(found.id, MOST)
    statuses = [] if found.agent_id is None else await _during(request, STATUSES, found)
    gaps = await _during(request, GAPS, found)
    lengths = (sum(len(parts) for _, parts in on_it), len(statuses), len(gaps))
    return answer(
        wire.CallDetail(
            call_row(sight.call(found)),
            [_supervision(owner, parts) for owner, parts in on_it],
            [
                wire.CallPart(
                    Party(part.agent_id, part.agent_name, part.agent_endpoint)
                    if part.agent_id in sight.reach
                    else None,
                    part.started,
                    part.ended,
                    part.exact,
                )
                for part in parts
            ],
            [status_row(s) for s in statuses if s.agent_endpoint == found.agent_endpoint],
            await of_call(request, found),
            await scores_of(request, found),
            await recordings.of_call(request, found),
            [gap_row(gap) for gap in gaps],
            complete=max(lengths) <= MOST,
        )
    )


async def _during(request: web.Request, ledger: Ledger, found: CallRecord) -> list[Any]:
    """Rows of its PBX, and of its agent where they are anybody's, that overlap the call."""
    query = Query(
        limit=MOST + 1,
        pbx=found.pbx,
        agent=found.agent_id if ledger is STATUSES else None,
        begin=found.started,
        end=found.ended,
    )
    page = await request.app[HISTORY].read(ledger, query)
    return page.records[::-1]


def _supervision(owner: SupervisionRecord, parts: list[SegmentRecord]) -> wire.CallSupervision:
    return wire.CallSupervision(
        owner.id,
        Party(owner.supervisor_id, owner.supervisor_name, owner.supervisor_endpoint),
        [
            wire.CallSegment(
                n=part.n,
                type=part.type,
                at_least=part.at_least,
                type_provenance=part.type_provenance,
                started=part.started,
                started_exact=part.started_exact,
                ended=part.ended,
                ended_exact=part.ended_exact,
            )
            for part in parts
        ],
    )
