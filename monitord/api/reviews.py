"""Talks about flags over HTTP: who is due, what to walk through, what was agreed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from aiohttp import web
from msgspec import structs

from monitord.api import focus as focuses
from monitord.api import wire
from monitord.api.flags import shown
from monitord.api.keys import COACHING, FLAGS, PEOPLE, WHO, needs
from monitord.api.led import agents, leaders
from monitord.api.problems import Refused, answer, body_of, one_of, only, text
from monitord.api.told import meant
from monitord.api.viewing import viewed
from monitord.api.zone import zone_of
from monitord.audit.entry import Actor
from monitord.coaching.records import CommitmentRow, FocusRow, ReviewRow
from monitord.coaching.rules import WALK, Marked, chosen, due, is_new, usual
from monitord.coaching.store import NotWrittenError, UnderWayError
from monitord.domain.words import CommitmentState, FlagState, ReviewPattern
from monitord.flags.store import FlagRow, Wanted
from monitord.people.permissions import Permission
from monitord.people.roster import Person, Reach

PROPOSED_MOST = 100
SHOWN_MOST = 500
"""Agents of one answer; a leader has some ten."""
BUSY = "the database does not take it now; nothing was changed"


async def standing(request: web.Request) -> web.Response:
    """``leader``: whose direct reports; one's own where it is not given, or everybody in reach for
    whoever leads nobody. ``zone``: whose Friday ends a week."""
    who = needs(request, "flag.make")
    only(request, "zone", "leader")
    zone, leader = zone_of(request), text(request, "leader")
    await viewed(request, "talks due", {} if leader is None else {"person": leader})
    roster, reach = request.app[PEOPLE].roster, who.rights.on("flag.make")
    there = agents(roster, reach)
    led = {p.id for p in roster.people.values() if p.leader == (leader or who.id)}
    asked = there & led if leader is not None or there & led else there
    now = now_ms()
    rows = await _standing(request, [roster.people[agent] for agent in asked], zone, now)
    rows.sort(key=lambda row: (row.due is None, row.due or 0, row.agent.name.casefold()))
    return answer(
        wire.ReviewsDue(
            at=now,
            rows=rows[:SHOWN_MOST],
            more=max(0, len(rows) - SHOWN_MOST),
            leaders=[wire.PersonNamed(*one) for one in leaders(roster, reach)],
            theme=_theme(request, zone, now),
        )
    )


async def plan(request: web.Request) -> web.Response:
    """``pattern``: another than the agent's, to look at what it would propose."""
    needs(request, "flag.make")
    only(request, "pattern", "zone")
    zone, asked = zone_of(request), one_of(request, "pattern", ReviewPattern)
    agent = _agent(request, request.match_info["id"], "id")
    await viewed(request, "talk", {"person": agent.id})
    now = now_ms()
    row = (await _standing(request, [agent], zone, now))[0]
    if asked is not None:
        row = structs.replace(row, pattern=ReviewPattern(asked))
    theme = _theme(request, zone, now)
    wanted = Wanted(agents=frozenset({agent.id}), state=FlagState.OPEN)
    flags, _ = await request.app[FLAGS].store.page(wanted, PROPOSED_MOST, None)
    coaching = request.app[COACHING]
    open_ones = await coaching.commitments([agent.id], CommitmentState.OPEN)
    running = await coaching.running(frozenset({agent.id}))
    marked = (Marked(f.id, f.made, f.polarity, f.themes) for f in flags)
    return answer(
        wire.ReviewPlan(
            standing=row,
            flags=await shown(request, flags),
            chosen=chosen(row.pattern, marked, theme),
            low=WALK[0],
            high=WALK[1],
            theme=theme,
            commitments=[commitment_shown(one) for one in open_ones],
            focus=await focuses.shown(request, running),
        )
    )


async def begin(request: web.Request) -> web.Response:
    who = needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.ReviewNew)
    agent = _agent(request, body.agent, "agent")
    if len(set(body.flags)) < len(body.flags):
        raise Refused(400, "must have each id once", "flags")
    found = await _flags(request, body.flags)
    for flag in body.flags:
        row = found.get(flag)
        if row is None or row.agent_id != agent.id:
            raise Refused(404, f"{agent.name} has no flag {flag}", "flags")
        if row.state is FlagState.TAKEN_OFF:
            raise Refused(409, f"flag {flag} was taken off", "flags")
    review = ReviewRow(
        id=body.id,
        agent_id=agent.id,
        agent_name=agent.name,
        by_id=who.id,
        by_name=who.name,
        pattern=body.pattern,
        flags=tuple(body.flags),
        begun=now_ms(),
    )
    try:
        begun = await request.app[COACHING].begin(review)
    except UnderWayError:
        raise Refused(409, f"you have a talk with {agent.name} under way", "agent") from None
    except NotWrittenError:
        raise Refused(503, BUSY) from None
    if (begun.by_id, begun.agent_id) != (who.id, agent.id):
        raise Refused(409, "there is another talk of that id", "id")
    return answer(await _shown(request, begun), 201 if begun == review else 200)


async def review(request: web.Request) -> web.Response:
    needs(request, "flag.see")
    only(request)
    await viewed(request, f"talk {request.match_info['id']}", {})
    return answer(await _shown(request, await _found(request, "flag.see")))


async def end(request: web.Request) -> web.Response:
    """What was sent again after a lost answer changes nothing."""
    who = needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.ReviewEnd)
    old = await _found(request, "flag.make")
    if old.by_id != who.id:
        raise Refused(403, "only whoever began it can end it")
    now = now_ms()
    commitments: list[CommitmentRow] = []
    looked_for: list[FocusRow] = []
    for n, given in enumerate(body.commitments, 1):
        same: dict[str, Any] = {
            "id": part_of(old.id, n),
            "agent_id": old.agent_id,
            "agent_name": old.agent_name,
            "by_id": who.id,
            "by_name": who.name,
        }
        said = meant(given.text, "commitments")
        at = now + n  # they stay in their order
        commitments.append(CommitmentRow(**same, review=old.id, text=said, made=at))
        if given.focus is not None:
            rule = focuses.rule_of(request, given.focus)
            looked_for.append(FocusRow(**same, commitment=part_of(old.id, n), rule=rule, begin=at))
    try:
        ended = await request.app[COACHING].end(
            structs.replace(old, ended=now), commitments, looked_for, Actor(who.id, who.name)
        )
    except NotWrittenError:
        raise Refused(503, BUSY) from None
    return answer(await _shown(request, ended))


async def choose(request: web.Request) -> web.Response:
    """The pattern for one agent."""
    who = needs(request, "flag.make")
    only(request, "zone")
    zone = zone_of(request)
    body = await body_of(request, wire.PatternChosen)
    agent = _agent(request, request.match_info["id"], "id")
    try:
        await request.app[COACHING].choose(
            (agent.id, agent.name), body.pattern, Actor(who.id, who.name)
        )
    except NotWrittenError:
        raise Refused(503, BUSY) from None
    return answer((await _standing(request, [agent], zone, now_ms()))[0])


# --- what was agreed -------------------------------------------------------------------------


async def commitments(request: web.Request) -> web.Response:
    needs(request, "flag.see")
    only(request, "state")
    state = one_of(request, "state", CommitmentState)
    agent = _agent(request, request.match_info["id"], "id", "flag.see")
    await viewed(request, "commitments", {"person": agent.id})
    wanted = None if state is None else CommitmentState(state)
    return await _listed(request, agent.id, wanted)


async def mine(request: web.Request) -> web.Response:
    """What one agreed to oneself."""
    who = needs(request, "flag.answer")
    only(request)
    return await _listed(request, who.id, None)


async def settle(request: web.Request) -> web.Response:
    who = needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.CommitmentSettled)
    old = await request.app[COACHING].commitment(request.match_info["id"])
    if old is None or old.agent_id not in who.rights.on("flag.make"):
        raise Refused(404, "there is no such commitment", "id")
    opened = body.state is CommitmentState.OPEN
    if old.state is body.state:
        return answer(commitment_shown(old))
    new = structs.replace(
        old,
        state=body.state,
        settled=None if opened else now_ms(),
        settled_by_id=None if opened else who.id,
        settled_by_name=None if opened else who.name,
        settled_why=None if opened else body.why.strip() or None,
    )
    action = "open commitment again" if opened else "settle commitment"
    try:
        done = await request.app[COACHING].settle(action, new, Actor(who.id, who.name))
    except NotWrittenError:
        raise Refused(503, BUSY) from None
    return answer(commitment_shown(done))


# --- shared by them --------------------------------------------------------------------------


async def _standing(
    request: web.Request, some: Iterable[Person], zone: tzinfo, now: int
) -> list[wire.ReviewDue]:
    people = {person.id: person for person in some}
    coaching, roster = request.app[COACHING], request.app[PEOPLE].roster
    patterns = await coaching.patterns(people)
    last = await coaching.last_reviews(people)
    flags = await coaching.open_flags(people)
    under_way = await coaching.under_way(people, request[WHO].id)
    agreed: dict[str, int] = await coaching.open_commitments(people)
    today = datetime.fromtimestamp(now / 1000, zone).date()
    found = []
    for person in people.values():
        pattern = patterns.get(person.id) or usual(person.hired, today)
        count, oldest = flags.get(person.id, (0, None))
        cadence = roster.cadence_of(person)
        found.append(
            wire.ReviewDue(
                agent=wire.PersonNamed(person.id, person.name),
                cadence=cadence,
                pattern=pattern,
                chosen=person.id in patterns,
                new=is_new(person.hired, today),
                open=count,
                last=last.get(person.id),
                due=due(pattern, cadence, last.get(person.id), oldest, zone),
                under_way=under_way.get(person.id),
                commitments=agreed.get(person.id, 0),
            )
        )
    return found


def _theme(request: web.Request, zone: tzinfo, now: int) -> str | None:
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return request.app[FLAGS].settings.now.theme_on(today)


def _agent(
    request: web.Request, agent: str, field: str, permission: Permission = "flag.make"
) -> Person:
    reach: Reach = request[WHO].rights.on(permission)
    person = request.app[PEOPLE].roster.people.get(agent)
    if person is None or agent not in reach:
        raise Refused(404, "there is no such agent", field)
    return person


async def _flags(request: web.Request, ids: Iterable[str]) -> dict[str, FlagRow]:
    return {row.id: row for row in await request.app[FLAGS].store.some(ids)}


async def _found(request: web.Request, permission: Permission) -> ReviewRow:
    row = await request.app[COACHING].review(request.match_info["id"])
    if row is None or row.agent_id not in request[WHO].rights.on(permission):
        raise Refused(404, "there is no such talk", "id")
    return row


async def _shown(request: web.Request, row: ReviewRow) -> wire.ReviewShown:
    found = await _flags(request, row.flags)
    agreed = await request.app[COACHING].commitments([row.agent_id])
    return wire.ReviewShown(
        id=row.id,
        agent=wire.PersonNamed(row.agent_id, row.agent_name),
        by=wire.PersonNamed(row.by_id, row.by_name),
        pattern=row.pattern,
        begun=row.begun,
        ended=row.ended,
        flags=await shown(request, [found[flag] for flag in row.flags if flag in found]),
        agreed=[commitment_shown(one) for one in reversed(agreed) if one.review == row.id],
        mine=row.by_id == request[WHO].id,
    )


async def _listed(request: web.Request, agent: str, state: CommitmentState | None) -> web.Response:
    rows = await request.app[COACHING].commitments([agent], state)
    return answer(wire.CommitmentList([commitment_shown(row) for row in rows]))


def commitment_shown(row: CommitmentRow) -> wire.CommitmentShown:
    return wire.CommitmentShown(
        id=row.id,
        agent=wire.PersonNamed(row.agent_id, row.agent_name),
        by=wire.PersonNamed(row.by_id, row.by_name),
        text=row.text,
        made=row.made,
        state=row.state,
        settled=row.settled,
        settled_by=row.settled_by_name,
        settled_why=row.settled_why,
        review=row.review,
    )


def part_of(review: str, n: int) -> str:
    """Id of what was agreed there, and of its focus: the same however often it is sent."""
    return hashlib.blake2b(f"{review}.{n}".encode(), digest_size=10).hexdigest()


def now_ms() -> int:
    return time.time_ns() // 1_000_000
