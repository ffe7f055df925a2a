"""The team view: each agent of somebody's reach with what today's ledgers say of them. What they do
at this moment comes by the stream."""

from __future__ import annotations

import time
from datetime import datetime, tzinfo

from aiohttp import web

from monitord.api import wire
from monitord.api.keys import HUB, PEOPLE, TEAM_COUNTS, needs
from monitord.api.problems import answer, only
from monitord.api.viewing import viewed
from monitord.api.zone import zone_of
from monitord.domain.ledger import SupervisionRecord
from monitord.domain.views import Agent, Party
from monitord.people.roster import Person, Reach, Roster


def midnight(now: int, zone: tzinfo) -> int:
    """When the day of ``now`` began there, ms UTC."""
    day = datetime.fromtimestamp(now / 1000, zone)
    return int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1000


async def team(request: web.Request) -> web.Response:
    """``zone``: whose midnight today began at."""
    reach = needs(request, "team.see").rights.on("team.see")
    only(request, "zone")
    zone = zone_of(request)
    await viewed(request, "team", {})
    now = time.time_ns() // 1_000_000
    begin = midnight(now, zone)
    roster = request.app[PEOPLE].roster
    live = [entity.party for entity in request.app[HUB].picture() if isinstance(entity, Agent)]
    agents = _agents(roster, live, reach)
    counts = request.app[TEAM_COUNTS]
    calls = await counts.calls(agents, begin)
    supervised = await counts.supervised(begin, now)
    last = await counts.last(agents)
    teams = {p.team for p in agents.values() if p is not None and p.team is not None}
    names = {party.id: party.name for party in live}
    return answer(
        wire.TeamView(
            at=now,
            begin=begin,
            teams=[wire.TeamName(t, roster.teams[t].name) for t in sorted(teams)],
            agents=[
                wire.TeamAgent(
                    id=agent,
                    name=person.name if person is not None else names[agent],
                    team=person.team if person is not None else None,
                    calls=calls.get(agent, 0),
                    supervised_ms=supervised.get(agent, 0),
                    last=_heard(last.get(agent)),
                )
                for agent, person in agents.items()
            ],
        )
    )


def _agents(roster: Roster, live: list[Party], reach: Reach) -> dict[str, Person | None]:
    """Those of the roster, and for who reaches everybody also those that only the PBX knows."""
    found: dict[str, Person | None] = {
        p.id: p for p in roster.people.values() if p.agent and p.active and p.id in reach
    }
    for party in live:
        if party.id in reach and party.id not in found:
            found[party.id] = roster.people.get(party.id)
    return found


def _heard(row: SupervisionRecord | None) -> wire.LastHeard | None:
    if row is None:
        return None
    return wire.LastHeard(
        by=Party(row.supervisor_id, row.supervisor_name, row.supervisor_endpoint),
        type=row.type,
        at_least=row.at_least,
        started=row.started,
        ended=row.ended,
    )
