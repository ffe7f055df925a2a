"""The balance of flags over HTTP."""

from __future__ import annotations

import time

from aiohttp import web

from monitord.api import wire
from monitord.api.keys import FLAGS, PEOPLE, needs
from monitord.api.led import agents, by_name, leaders, named, names_of
from monitord.api.problems import answer, only, text, whole
from monitord.api.viewing import viewed
from monitord.api.zone import zone_of
from monitord.flags.balance import (
    BAND,
    JUDGED_FROM,
    NONE,
    TARGET_SHARE,
    WEEKS,
    WEEKS_MOST,
    Balance,
    Counted,
    balances,
    good_missing,
    week_bounds,
)
from monitord.people.roster import Reach, Roster

AGENTS_MOST = 500


async def balance(request: web.Request) -> web.Response:
    """``zone``: whose Monday a week begins on."""
    reach = needs(request, "flag.see").rights.on("flag.see")
    only(request, "zone", "weeks", "leader")
    zone, leader = zone_of(request), text(request, "leader")
    weeks = whole(request, "weeks", 1, WEEKS_MOST) or WEEKS
    # whom they asked about is that one's own in the audit log
    await viewed(request, "flag balance", {} if leader is None else {"person": leader})
    now = time.time_ns() // 1_000_000
    bounds = week_bounds(now, zone, weeks)
    roster, flags = request.app[PEOPLE].roster, request.app[FLAGS]
    if leader is not None:
        led = frozenset(p.id for p in roster.people.values() if p.leader == leader)
        asked = reach & Reach(led)
    else:
        asked = reach
    await flags.caught_up()
    tallies = await flags.counts.flags(asked.people, bounds)
    everybody = agents(roster, asked) | set(tallies.agents)
    names = names_of(roster, everybody, tallies.agents)
    first = sorted(everybody, key=lambda a: (a not in tallies.agents, names[a].casefold(), a))
    shown = frozenset(first[:AGENTS_MOST])
    handled = await flags.counts.handled(shown, bounds)
    found = balances((t for t in tallies.rows if t.agent in shown), handled, weeks)
    nothing = Balance((NONE,) * weeks, ())
    return answer(
        wire.FlagBalance(
            at=now,
            weeks=bounds[:-1],
            target=float(TARGET_SHARE),
            low=BAND[0],
            high=BAND[1],
            judged_from=JUDGED_FROM,
            agents=[
                _of(roster, agent, names[agent], found.agents.get(agent, nothing), calls=True)
                for agent in by_name(shown, names)
            ],
            more=len(everybody) - len(shown),
            authors=[
                _of(roster, author, name, found.authors[author], calls=False)
                for author, name in named(roster, found.authors, tallies.authors)
            ],
            total=[_count(week, calls=True) for week in found.weeks],
            leaders=[wire.PersonNamed(*one) for one in leaders(roster, reach)],
        )
    )


def _of(roster: Roster, who: str, name: str, balance: Balance, *, calls: bool) -> wire.FlagsOn:
    person = roster.people.get(who)
    return wire.FlagsOn(
        who=wire.PersonNamed(who, name),
        left=person is None or not person.active,
        weeks=[_count(week, calls=calls) for week in balance.weeks],
        total=_count(balance.total, calls=calls),
        advice=list(balance.advice),
        good_missing=good_missing(balance.total),
    )


def _count(counted: Counted, *, calls: bool) -> wire.FlagCount:
    return wire.FlagCount(counted.good, counted.bad, counted.calls if calls else None)
