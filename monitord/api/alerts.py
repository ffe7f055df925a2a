"""Alerts over HTTP: those that were raised, and taking note of one."""

from __future__ import annotations

import re

from aiohttp import web

from monitord.alerts.views import alert_view
from monitord.api import wire
from monitord.api.keys import ALERTS, needs
from monitord.api.problems import Refused, answer, body_of, one_of, only, text, whole
from monitord.audit.log import AuditError
from monitord.domain.ledger import AlertRecord
from monitord.people.audience import concerns
from monitord.people.signin import Who

ROWS_MOST = 200
_CURSOR = re.compile(r"([0-9]{1,15}):([0-9a-f]{20}(?:\.[a-z-]{4,13}){1,2})")


def _sees(who: Who, row: AlertRecord) -> bool:
    """As the stream shows them."""
    return concerns(who.rights.on("supervision.see"), row.agent_id, row.supervisor_id)


async def alerts(request: web.Request) -> web.Response:
    """``open``: only those that nobody has acknowledged."""
    who = needs(request, "alert.see")
    only(request, "open", "limit", "cursor")
    cursor, after = text(request, "cursor", 80), None
    if cursor is not None:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Refused(400, "not a cursor of an earlier page", "cursor")
        after = int(match[1]), match[2]
    watch = request.app[ALERTS]
    rows, place = await watch.store.page(
        lambda row: _sees(who, row),
        whole(request, "limit", 1, ROWS_MOST) or 50,
        after,
        unacknowledged=one_of(request, "open", ("true", "false")) == "true",
    )
    following = None if place is None else f"{place[0]}:{place[1]}"
    shown = [alert_view(watch.shown(row.id) or row) for row in rows]
    return answer(wire.AlertPage(shown, following))


async def acknowledge(request: web.Request) -> web.Response:
    """Answers with the alert as it is then."""
    who = needs(request, "alert.see")
    only(request)
    await body_of(request, wire.Acknowledge)
    watch, alert_id = request.app[ALERTS], request.match_info["id"]
    row = watch.shown(alert_id) or await watch.store.find(alert_id)
    if row is None or not _sees(who, row):
        raise Refused(404, "there is no such alert", "id")
    try:
        done = await watch.acknowledge(row, who.id, who.name)
    except AuditError:
        raise Refused(503, "nothing can be done while the audit log cannot be written") from None
    if done is None:
        raise Refused(409, "somebody has acknowledged it already", "id")
    return answer(alert_view(done))
