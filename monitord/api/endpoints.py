"""Whose an endpoint is, over HTTP: ownerships with their dates, and proposals of what was seen."""

from __future__ import annotations

import msgspec
from aiohttp import web

from monitord.api import wire
from monitord.api.keys import AUDIT, PEOPLE, SEEN, needs
from monitord.api.problems import Refused, answer, body_of, one_of, only, text, whole
from monitord.api.roster import added
from monitord.api.roster_change import Change, now, seen_version, tagged
from monitord.audit.entry import Actor, Entry, of_person
from monitord.people import editing
from monitord.people.roster import Roster
from monitord.people.store import PeopleError

PAGE_MOST = 5_000

ID = r"{id:[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}}"
_OWNERSHIPS, _PROPOSALS = "/api/v1/roster/ownerships", "/api/v1/roster/proposals"


async def give(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.OwnershipNew)
    since = now() if body.since is None else body.since

    def edit(old: Roster) -> Roster:
        if body.person not in old.people:
            raise Refused(400, f"there is nobody {body.person!r}", "person")
        if not old.people[body.person].active:
            raise Refused(400, "somebody who has left gets none", "person")
        return editing.give(old, body.endpoint, body.person, since, body.until)

    change = Change(request, version)
    await change.roster(edit)
    before = {o.id for o in change.old.roster.owned}
    made = next((o.id for o in change.new.roster.owned if o.id not in before), "")
    done = change.answer(made, who.rights.may("rights.edit"))
    return tagged(answer(done, 201), change.new.roster)


async def change_dates(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.OwnershipChange)
    key = request.match_info["id"]
    dates = {
        name: value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    if not dates:
        raise Refused(400, "there must be one of: since, until")
    change = Change(request, version)
    await change.roster(lambda old: editing.dated(old, key, **dates))
    done = change.answer(key, who.rights.may("rights.edit"))
    return tagged(answer(done), change.new.roster)


async def take_back(request: web.Request) -> web.Response:
    """As if it had never been, for a mistake. Rows of the ledgers stay as they are."""
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    key = request.match_info["id"]
    change = Change(request, version)
    await change.roster(lambda old: editing.without_ownership(old, key))
    done = change.answer(key, who.rights.may("rights.edit"))
    return tagged(answer(done), change.new.roster)


# --- proposals ---------------------------------------------------------------------------


async def proposals(request: web.Request) -> web.Response:
    """What was seen and is nobody's now; with ``dismissed=true`` those that were dismissed."""
    needs(request, "roster.see")
    only(request, "dismissed", "text", "limit")
    dismissed = one_of(request, "dismissed", ("true", "false")) == "true"
    part = (text(request, "text", 100) or "").casefold()
    limit = whole(request, "limit", 1, PAGE_MOST) or PAGE_MOST
    roster = request.app[PEOPLE].roster
    wall = now()
    owned = {o.endpoint for o in roster.owned if o.at(wall)}
    rows = [
        wire.Proposal(s.pbx, s.endpoint, s.name, list(s.how), s.first, s.last, s.dismissed)
        for s in request.app[SEEN].all()
        if s.endpoint not in owned
        and s.dismissed == dismissed
        and (not part or part in s.endpoint.casefold() or part in s.name.casefold())
    ]
    return tagged(answer(wire.Proposals(roster.version, rows[:limit])), roster)


async def take(request: web.Request) -> web.Response:
    """The endpoint is somebody's who is on the roster, or somebody new."""
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.ProposalTaken)
    if (body.person is None) == (body.new is None):
        raise Refused(400, "exactly one of person and new must be given", "person")
    if body.new is not None and body.new.endpoints:
        raise Refused(400, "goes not with a proposal, which is the endpoint", "new.endpoints")
    seen = request.app[SEEN].of(body.endpoint)
    if not seen:
        raise Refused(404, "this endpoint was not seen", "endpoint")
    since = min(s.first for s in seen) if body.since is None else body.since
    key = ""

    def edit(old: Roster) -> Roster:
        nonlocal key
        wall = now()
        owner = next((o for o in old.owned if o.endpoint == body.endpoint and o.at(wall)), None)
        if owner is not None:
            name = old.people[owner.person].name
            raise Refused(409, f"is {name}'s already", "endpoint")
        roster = old
        if body.new is not None:
            key, roster = added(old, body.new)
        else:
            key = body.person or ""
            if key not in old.people or not old.people[key].active:
                raise Refused(400, f"there is nobody {key!r}, or they have left", "person")
        return editing.give(roster, body.endpoint, key, _after_owners(old, body.endpoint, since))

    change = Change(request, version)
    await change.roster(edit)
    done = change.answer(key, who.rights.may("rights.edit"))
    return tagged(answer(done, 201), change.new.roster)


def _after_owners(roster: Roster, endpoint: str, since: int) -> int:
    """Not before the last owner's time ended: a proposal takes nothing from anybody."""
    ends = [o.until for o in roster.owned if o.endpoint == endpoint and o.until is not None]
    past = [until for until in ends if until <= now()]
    return max([since, *past])


async def dismiss(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    body = await body_of(request, wire.ProposalDismissed)
    one = request.app[SEEN].get(body.pbx, body.endpoint)
    if one is None:
        raise Refused(404, "this endpoint was not seen at this PBX", "endpoint")
    action = "dismiss endpoint" if body.dismissed else "propose endpoint again"

    entry = Entry(
        action=action,
        actor=Actor(who.id, who.name),
        plain={"pbx": body.pbx},
        # Named by the PBX, it is somebody's though nobody knows whose.
        personal=(of_person(f"{body.pbx}/{body.endpoint}", target=body.endpoint),),
    )
    try:
        await request.app[SEEN].dismiss(one, body.dismissed, request.app[AUDIT].alongside(entry))
    except PeopleError:
        raise Refused(503, "the database does not take it now; nothing was changed") from None
    return web.Response(status=204)
