"""What agents were told, over HTTP, and the reasons that supervisors give."""

from __future__ import annotations

import re
import time

from aiohttp import web

from monitord.api import wire
from monitord.api.keys import HISTORY, HUB, TELLER, needs
from monitord.api.problems import Refused, answer, body_of, only, text, whole
from monitord.api.rows import party, reason_of, reason_row
from monitord.people.audience import concerns
from monitord.told.reasons import NotWrittenError
from monitord.told.watch import notice_view

ROWS_MOST = 200
_CURSOR = re.compile(r"([0-9]{1,15}):([0-9a-f]{20})")


async def notices(request: web.Request) -> web.Response:
    """One's own alone, whatever else one may see."""
    who = needs(request, "notice.see")
    only(request, "limit", "cursor")
    cursor, after = text(request, "cursor", 60), None
    if cursor is not None:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Refused(400, "not a cursor of an earlier page", "cursor")
        after = int(match[1]), match[2]
    teller = request.app[TELLER]
    limit = whole(request, "limit", 1, ROWS_MOST) or 50
    rows, place = await teller.notices.page(who.id, limit, after)
    reasons = await teller.reasons.of(row.id for row in rows if row.why)
    shown = [notice_view(row, reason_of(reasons.get(row.id, []))) for row in rows]
    return answer(wire.NoticePage(shown, None if place is None else f"{place[0]}:{place[1]}"))


async def questions(request: web.Request) -> web.Response:
    who = needs(request, "reason.give")
    only(request)
    rows = await request.app[TELLER].reasons.unanswered(who.id, _now())
    return answer(
        wire.Questions(
            [
                wire.Question(
                    supervision=r.id,
                    agent=party(r.agent_id, r.agent_name, r.agent_endpoint),
                    type=r.type,
                    at_least=r.at_least,
                    started=r.started,
                    ended=r.ended,
                )
                for r in rows
            ]
        )
    )


async def give_reason(request: web.Request) -> web.Response:
    """Also while it runs, and also where nobody asked. Only whoever supervised can say why."""
    who = needs(request, "reason.give")
    only(request)
    body = await body_of(request, wire.ReasonGiven)
    supervision_id = request.match_info["id"]
    said = meant(body.text, "text")
    agent, supervisor = await _parties(request, supervision_id)
    if supervisor != who.id:
        if concerns(who.rights.on("history.see"), agent, supervisor):
            raise Refused(403, "only whoever supervised can say why")
        raise Refused(404, "there is no such supervision", "id")
    teller = request.app[TELLER]
    try:
        reason = await teller.reasons.give(
            supervision_id, "supervision", said, (who.id, who.name), _now()
        )
    except NotWrittenError:
        raise Refused(503, "the database does not take it now; nothing was changed") from None
    teller.reason_given(supervision_id, reason.text)
    return answer(reason_row(reason))


def meant(text: str, field: str) -> str:
    """A reason without the space around it.

    Raises:
        Refused: nothing is left.
    """
    said = text.strip()
    if not said:
        raise Refused(400, "must not be empty", field)
    return said


async def _parties(request: web.Request, supervision_id: str) -> tuple[str | None, str]:
    """Ids of agent and supervisor."""
    running = request.app[HUB].supervision(supervision_id)
    if running is not None and (view := running[1].view) is not None:
        return view.agent.id if view.agent is not None else None, view.supervisor.id
    past = await request.app[HISTORY].supervision(supervision_id)
    if past is None:
        raise Refused(404, "there is no such supervision", "id")
    return past[0].agent_id, past[0].supervisor_id


def _now() -> int:
    return time.time_ns() // 1_000_000
