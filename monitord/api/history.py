"""The ledgers over HTTP: supervisions with their segments, calls, agents' status, gaps; how many
rows fit some filters, and what a filter can be set to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from monitord.api import wire
from monitord.api.filters import PAGING, filters_of, query_of
from monitord.api.keys import HISTORY, TELLER, WHO
from monitord.api.problems import Refused, answer, one_of, only, text, whole
from monitord.api.rows import call_row, gap_row, status_row, supervision_detail, supervision_row
from monitord.api.viewing import viewed
from monitord.people.sight import Sight, sight_of
from monitord.store.choices import SOURCES
from monitord.store.history import (
    CALLS,
    GAPS,
    STATUSES,
    SUPERVISIONS,
    CursorError,
    Ledger,
    Page,
)

COUNT_MOST = 10_000
"""A list says how many rows there are up to here, and "more than" beyond."""

CHOICES_MOST = 50

LEDGERS: dict[str, Ledger] = {
    "supervisions": SUPERVISIONS,
    "calls": CALLS,
    "agent-status": STATUSES,
    "gaps": GAPS,
}
"""By the last part of their address."""


def _sight(request: web.Request) -> Sight:
    return sight_of(request[WHO].rights)


async def _page(request: web.Request, ledger: str, sight: Sight) -> Page:
    query = query_of(request, ledger, sight, *PAGING)
    await viewed(request, ledger, filters_of(request, ledger))
    try:
        return await request.app[HISTORY].read(LEDGERS[ledger], query)
    except CursorError as error:
        raise Refused(400, str(error), "cursor") from None


async def supervisions(request: web.Request) -> web.Response:
    sight = _sight(request)
    page = await _page(request, "supervisions", sight)
    campaigns = await request.app[HISTORY].campaigns(
        [r.id for r in page.records if r.agent_id in sight.reach]
    )
    reasons = await request.app[TELLER].reasons.of(r.id for r in page.records)
    rows = [
        supervision_row(sight.supervision(r), campaigns.get(r.id, []), reasons.get(r.id, []))
        for r in page.records
    ]
    return answer(wire.SupervisionPage(rows, page.next))


async def supervision(request: web.Request) -> web.Response:
    sight = _sight(request)
    only(request)
    await viewed(request, request.match_info["id"], {})
    found = await request.app[HISTORY].supervision(request.match_info["id"])
    if found is None or not sight.sees(found[0]):
        raise Refused(404, "there is no such supervision", "id")
    reasons = await request.app[TELLER].reasons.of([found[0].id])
    return answer(supervision_detail(sight, *found, reasons.get(found[0].id, [])))


async def calls(request: web.Request) -> web.Response:
    sight = _sight(request)
    page = await _page(request, "calls", sight)
    return answer(wire.CallPage([call_row(sight.call(r)) for r in page.records], page.next))


async def statuses(request: web.Request) -> web.Response:
    page = await _page(request, "agent-status", _sight(request))
    return answer(wire.StatusPage([status_row(r) for r in page.records], page.next))


async def gaps(request: web.Request) -> web.Response:
    page = await _page(request, "gaps", _sight(request))
    return answer(wire.GapPage([gap_row(r) for r in page.records], page.next))


def count_of(ledger: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler that counts one ledger's rows."""

    async def count(request: web.Request) -> web.Response:
        query = query_of(request, ledger, _sight(request))
        # Their list is the same question.
        await viewed(request, ledger, filters_of(request, ledger))
        most = COUNT_MOST + 1
        rows = await request.app[HISTORY].count(LEDGERS[ledger], query, most)
        return answer(wire.Count(min(rows, COUNT_MOST), rows <= COUNT_MOST))

    return count


async def choices(request: web.Request) -> web.Response:
    """With ``value`` exactly that one, for its name; else those that contain what was ``typed``."""
    within = _sight(request).reach.people
    only(request, "ledger", "filter", "typed", "value", "limit")
    ledger = one_of(request, "ledger", dict.fromkeys(ledger for ledger, _ in SOURCES))
    if ledger is None:
        raise Refused(400, "must be given", "ledger")
    field = one_of(request, "filter", [field for of, field in SOURCES if of == ledger])
    if field is None:
        raise Refused(400, "must be given", "filter")
    typed, value = text(request, "typed", 100), text(request, "value")
    if typed is not None and value is not None:
        raise Refused(400, "goes not with typed", "value")
    most = whole(request, "limit", 1, CHOICES_MOST) or CHOICES_MOST
    # Not what was typed, letter by letter: it is part of somebody's name.
    asked = {} if value is None else {field: value}
    await viewed(request, f"choices of {ledger}: {field}", asked)
    history = request.app[HISTORY]
    if value is not None:
        one = await history.named(ledger, field, value, within)
        found, more = ([] if one is None else [one]), False
    else:
        found, more = await history.choices(ledger, field, typed or "", most, within)
    return answer(wire.Choices([wire.Choice(c.value, c.name) for c in found], more))
