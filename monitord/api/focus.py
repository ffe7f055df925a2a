"""What somebody looks for in an agent's next calls, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable

from aiohttp import web
from msgspec import structs

from monitord.api import wire
from monitord.api.keys import COACHING, FLAGS, WHO, needs
from monitord.api.problems import Refused, answer, only
from monitord.api.viewing import viewed
from monitord.api.zone import zone_of
from monitord.audit.entry import Actor
from monitord.coaching.records import FocusRow
from monitord.coaching.rules import Rule
from monitord.coaching.store import NotWrittenError
from monitord.flags.balance import week_bounds
from monitord.people.permissions import Permission

WEEKS_BEFORE = 4
WEEKS_MOST = 26
_WEEK_MS = 7 * 86_400_000


async def running(request: web.Request) -> web.Response:
    """What the page lights live calls up by."""
    reach = needs(request, "flag.see").rights.on("flag.see")
    only(request)
    rows = await request.app[COACHING].running(reach.people)
    return answer(wire.FocusList(await shown(request, rows)))


async def compared(request: web.Request) -> web.Response:
    """Flags that it is about, by week: so that one can compare before and since."""
    needs(request, "flag.see")
    only(request, "zone")
    zone = zone_of(request)
    await viewed(request, f"focus {request.match_info['id']}", {})
    row = await _found(request, "flag.see")
    now = row.end or time.time_ns() // 1_000_000
    weeks = min(WEEKS_MOST, (now - row.begin) // _WEEK_MS + 2 + WEEKS_BEFORE)
    bounds = week_bounds(now, zone, weeks)
    found = await request.app[COACHING].compared(row, bounds)
    return answer(
        wire.FocusCompared(
            focus=(await shown(request, [row]))[0],
            weeks=[
                wire.FocusWeek(begin, week.good, week.bad)
                for begin, week in zip(bounds, found, strict=False)
            ],
            end=bounds[-1],
        )
    )


async def end(request: web.Request) -> web.Response:
    who = needs(request, "flag.make")
    only(request)
    old = await _found(request, "flag.make")
    if old.end is not None:
        raise Refused(409, "it is over already")
    new = structs.replace(old, end=time.time_ns() // 1_000_000)
    try:
        await request.app[COACHING].end_focus(new, Actor(who.id, who.name))
    except NotWrittenError:
        raise Refused(503, "the database does not take it now; nothing was changed") from None
    return answer((await shown(request, [new]))[0])


def rule_of(request: web.Request, given: wire.FocusRule) -> Rule:
    """
    Raises:
        Refused: it says nothing, or names a theme that is not there.
    """
    texts = {name: (getattr(given, name) or "").strip() or None for name in given.__struct_fields__}
    rule = Rule(**texts)
    if not rule:
        raise Refused(400, "must name a result code, a campaign, a list or a theme", "focus")
    themes = {theme.id for theme in request.app[FLAGS].settings.now.themes}
    if rule.theme is not None and rule.theme not in themes:
        raise Refused(400, f"there is no theme {rule.theme}", "focus")
    return rule


async def shown(request: web.Request, rows: Iterable[FocusRow]) -> list[wire.FocusShown]:
    some = list(rows)
    says = await request.app[COACHING].texts(row.commitment for row in some)
    return [
        wire.FocusShown(
            id=row.id,
            agent=wire.PersonNamed(row.agent_id, row.agent_name),
            by=wire.PersonNamed(row.by_id, row.by_name),
            rule=wire.FocusRule(row.rule.result, row.rule.campaign, row.rule.list, row.rule.theme),
            says=says.get(row.commitment or "", ""),
            begin=row.begin,
            end=row.end,
        )
        for row in some
    ]


async def _found(request: web.Request, permission: Permission) -> FocusRow:
    row = await request.app[COACHING].focus(request.match_info["id"])
    if row is None or row.agent_id not in request[WHO].rights.on(permission):
        raise Refused(404, "there is no such focus", "id")
    return row
