"""The roster over HTTP: people and teams; roles and logins for those who may give rights."""

from __future__ import annotations

import bisect

import msgspec
from aiohttp import web

from monitord.api import wire
from monitord.api.keys import PEOPLE, WHO, needs
from monitord.api.problems import Refused, answer, body_of, one_of, only, text, whole
from monitord.api.roster_change import (
    Change,
    must_be,
    now,
    person_rows,
    seen_version,
    tagged,
)
from monitord.people import editing
from monitord.people.editing import carries_rights
from monitord.people.people import with_account
from monitord.people.roster import Account, Everybody, Given, Person, Roster, Team
from monitord.people.rules import RosterError
from monitord.people.signin import Who

PAGE_MOST = 2_000

ID = r"{id:[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}}"
_PEOPLE, _TEAMS = "/api/v1/roster/people", "/api/v1/roster/teams"


# --- people ------------------------------------------------------------------------------


async def people(request: web.Request) -> web.Response:
    """In the order of their ids; ``cursor`` is the ``next`` of the page before."""
    who = needs(request, "roster.see")
    only(request, "cursor", "limit", "text", "team", "leader", "active")
    cursor = text(request, "cursor", 64)
    limit = whole(request, "limit", 1, PAGE_MOST) or 200
    part = (text(request, "text", 100) or "").casefold()
    team, leader = text(request, "team", 64), text(request, "leader", 64)
    active = one_of(request, "active", ("true", "false"))
    everybody = request.app[PEOPLE].everybody
    roster = everybody.roster
    endpoints: dict[str, list[str]] = {}
    if part:
        for own in roster.owned:
            endpoints.setdefault(own.person, []).append(own.endpoint.casefold())

    def fits(one: Person) -> bool:
        return (
            (team is None or one.team == team)
            and (leader is None or one.leader == leader)
            and (active is None or one.active == (active == "true"))
            and (
                not part
                or part in one.id.casefold()
                or part in one.name.casefold()
                or any(part in endpoint for endpoint in endpoints.get(one.id, ()))
            )
        )

    ids = sorted(roster.people)
    start = 0 if cursor is None else bisect.bisect_right(ids, cursor)
    found: list[str] = []
    for key in ids[start:]:
        if fits(roster.people[key]):
            found.append(key)
            if len(found) > limit:
                break
    rows = person_rows(everybody, found[:limit], who.rights.may("rights.edit"))
    following = found[limit - 1] if len(found) > limit else None
    return tagged(answer(wire.PersonPage(roster.version, rows, following)), roster)


async def person(request: web.Request) -> web.Response:
    who = needs(request, "roster.see")
    only(request)
    everybody = request.app[PEOPLE].everybody
    key = request.match_info["id"]
    if key not in everybody.roster.people:
        raise Refused(404, "there is no such person", "id")
    rows = person_rows(everybody, [key], who.rights.may("rights.edit"))
    return tagged(answer(rows[0]), everybody.roster)


async def add_person(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    body = await body_of(request, wire.PersonNew)
    change = Change(request, seen_version(request, needed=False))
    made = ""

    def edit(old: Roster) -> Roster:
        nonlocal made
        made, new = added(old, body)
        return new

    await change.roster(edit)
    return _changed(change, made, who, 201)


def added(old: Roster, body: wire.PersonNew) -> tuple[str, Roster]:
    """The id and the roster with somebody new.

    Raises:
        Refused: the id is somebody's.
        RosterError: an endpoint cannot be theirs.
    """
    key = body.id or editing.id_for(body.name, old.people)
    if key in old.people:
        raise Refused(409, f"is {old.people[key].name}'s already", "id")
    new = Person(
        key,
        body.name.strip(),
        body.team,
        body.leader,
        agent=body.agent,
        account_codes=tuple(body.account_codes),
        hired=body.hired,
        cadence=body.cadence,
        email=body.email,
    )
    roster = editing.with_person(old, new)
    for one in body.endpoints:
        since = now() if one.since is None else one.since
        roster = editing.give(roster, one.endpoint, key, since)
    return key, roster


async def change_person(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.PersonChange)
    key = request.match_info["id"]
    given = {
        name: value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    if not given:
        raise Refused(400, f"there must be one of: {', '.join(body.__struct_fields__)}")
    if "account_codes" in given:
        given["account_codes"] = tuple(given["account_codes"])
    if "name" in given:
        given["name"] = given["name"].strip()

    def edit(old: Roster) -> Roster:
        before = editing.person_of(old, key)
        after = msgspec.structs.replace(before, **given)
        if not who.rights.may("rights.edit") and carries_rights(before):
            for name in ("team", "active"):
                if getattr(before, name) != getattr(after, name):
                    rule = "they have a role that goes with it; only who gives roles may change it"
                    raise Refused(403, rule, name)
        roster = editing.with_person(old, after)
        return editing.leaves(roster, key, now()) if before.active and not after.active else roster

    change = Change(request, version)
    await change.roster(edit)
    return _changed(change, key, who)


async def change_roles(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.RolesChange)
    key = request.match_info["id"]
    roles = tuple(Given(one.role, one.scope) for one in body.roles)

    def edit(old: Roster) -> Roster:
        before = editing.person_of(old, key)
        return editing.with_person(old, editing.with_roles(before, roles))

    change = Change(request, version)
    await change.roster(edit)
    return _changed(change, key, who)


async def change_login(request: web.Request) -> web.Response:
    """The name that somebody signs in with; a password is never set here."""
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.LoginChange)
    key = request.match_info["id"]
    login = body.login.strip() if body.login is not None else None

    def edit(old: Everybody) -> Everybody:
        editing.person_of(old.roster, key)
        before = next((a for a in old.accounts if a.person == key), None)
        if login is None:
            return Everybody(old.roster, tuple(a for a in old.accounts if a.person != key))
        if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in login):
            raise RosterError("login", "must be without control characters")
        account = (
            Account(key, login) if before is None else msgspec.structs.replace(before, login=login)
        )
        return Everybody(old.roster, with_account(old, account))

    change = Change(request, version)
    await change.everybody(edit)
    rows = person_rows(change.new, [key], logins=True)
    done = wire.RosterChanged(change.new.roster.version, key, rows, 0)
    return tagged(answer(done), change.new.roster)


def _changed(change: Change, key: str, who: Who, status: int = 200) -> web.Response:
    body = change.answer(key, who.rights.may("rights.edit"))
    return tagged(answer(body, status), change.new.roster)


# --- teams -------------------------------------------------------------------------------


async def teams(request: web.Request) -> web.Response:
    needs(request, "roster.see")
    only(request)
    roster = request.app[PEOPLE].roster
    people: dict[str | None, int] = {}
    for one in roster.people.values():
        if one.active:
            people[one.team] = people.get(one.team, 0) + 1
    rows = [
        wire.TeamRow(t.id, t.name, t.cadence, people.get(t.id, 0)) for t in roster.teams.values()
    ]
    return tagged(answer(wire.TeamPage(roster.version, rows)), roster)


async def add_team(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    body = await body_of(request, wire.TeamNew)
    made = ""

    def edit(old: Roster) -> Roster:
        nonlocal made
        made = body.id or editing.id_for(body.name, old.teams)
        if made in old.teams:
            raise Refused(409, f"is that of the team {old.teams[made].name!r} already", "id")
        _unused(old, body.name, made)
        return editing.with_team(old, Team(made, body.name.strip(), body.cadence))

    change = Change(request, seen_version(request, needed=False))
    await change.roster(edit)
    return _changed(change, made, who, 201)


async def change_team(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    body = await body_of(request, wire.TeamChange)
    key = request.match_info["id"]

    def edit(old: Roster) -> Roster:
        team = old.teams.get(key)
        if team is None:
            raise editing.UnknownError("team", key)
        if body.name is not msgspec.UNSET:
            _unused(old, body.name, key)
            team = msgspec.structs.replace(team, name=body.name.strip())
        if body.cadence is not msgspec.UNSET:
            team = msgspec.structs.replace(team, cadence=body.cadence)
        return editing.with_team(old, team)

    change = Change(request, version)
    await change.roster(edit)
    return _changed(change, key, who)


def _unused(roster: Roster, name: str, key: str) -> None:
    wanted = name.strip().casefold()
    if any(t.name.casefold() == wanted and t.id != key for t in roster.teams.values()):
        raise RosterError("name", "there is a team of that name already")


async def remove_team(request: web.Request) -> web.Response:
    who = needs(request, "roster.edit")
    only(request)
    version = seen_version(request)
    key = request.match_info["id"]
    # Before the rule that nobody may be in it: who is may have come meanwhile.
    must_be(request.app[PEOPLE].roster, version)
    change = Change(request, version)
    await change.roster(lambda old: editing.without_team(old, key))
    return _changed(change, key, who)
