"""Flags over HTTP: made, changed, reviewed, taken off, answered."""

from __future__ import annotations

import re
import time
from typing import Literal

from aiohttp import web
from msgspec import UNSET, structs

from monitord.api import wire
from monitord.api.filters import LATEST
from monitord.api.keys import FLAGS, PEOPLE, WHO, needs
from monitord.api.problems import Refused, answer, body_of, one_of, only, text, whole
from monitord.api.scores import after_scores
from monitord.api.told import meant
from monitord.api.viewing import viewed
from monitord.audit.entry import Actor
from monitord.domain.ledger import CallRecord
from monitord.domain.views import Party
from monitord.domain.words import AnswerKind, FlagState, Polarity
from monitord.flags.rules import moment_in, vagueness
from monitord.flags.store import AnswerRow, ChangedError, FlagRow, NotWrittenError, Wanted
from monitord.people.permissions import Permission
from monitord.people.roster import Reach
from monitord.people.signin import Who

ROWS_MOST = 200
FILTERS = ("agent", "by", "leader", "call", "state", "polarity", "theme", "begin", "end")
_CURSOR = re.compile(r"([0-9]{1,15}):([0-9a-f]{20})")
_BUSY = "the database does not take it now; nothing was changed"


# --- reading ---------------------------------------------------------------------------------


async def flags(request: web.Request) -> web.Response:
    who = needs(request, "flag.see")
    only(request, *FILTERS, "limit", "cursor")
    wanted = await wanted_of(request, who.rights.on("flag.see"))
    await viewed(request, "flags", {k: v for k, v in request.query.items() if k in FILTERS})
    return await _page(request, wanted, "whole")


async def mine(request: web.Request) -> web.Response:
    """Those on oneself that agents see, whatever else one may see."""
    who = needs(request, "flag.answer")
    only(request, "limit", "cursor")
    return await _page(request, Wanted(within=frozenset({who.id}), visible=True), "whole")


async def of_team(request: web.Request) -> web.Response:
    """Good work of one's own team that was shared with it; never what went wrong."""
    who = needs(request, "flag.answer")
    only(request, "limit", "cursor")
    roster = request.app[PEOPLE].roster
    me = roster.people.get(who.id)
    team = me.team if me is not None else None
    mates = frozenset(p.id for p in roster.people.values() if team is not None and p.team == team)
    return await _page(request, Wanted(within=mates, polarity=Polarity.GOOD, shared=True), "team")


async def flag(request: web.Request) -> web.Response:
    needs(request, "flag.see")
    only(request)
    await viewed(request, f"flag {request.match_info['id']}", {})
    row = await _found(request, "flag.see")
    versions = await request.app[FLAGS].store.versions(row.id)
    one = await shown(request, [row])
    return answer(
        wire.FlagDetail(
            one[0],
            [
                wire.FlagVersion(v.polarity, v.comment, v.wanted, list(v.themes), v.until)
                for v in versions
            ],
        )
    )


async def of_call(request: web.Request, call: CallRecord) -> list[wire.FlagShown]:
    """As whoever asks may see them, the first made first."""
    if call.agent_id not in request[WHO].rights.on("flag.see"):
        return []
    return await shown(request, await request.app[FLAGS].store.of_calls([call.id]))


async def look(request: web.Request) -> web.Response:
    """Judges a comment that is being written; nothing is kept of it."""
    needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.FlagLook)
    return answer(wire.FlagVagueness(list(vagueness(body.comment, moment=body.moment))))


# --- writing ---------------------------------------------------------------------------------


async def make(request: web.Request) -> web.Response:
    who = needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.FlagNew)
    comment, now = meant(body.comment, "comment"), _now()
    _check_themes(request, body.themes)
    call = await _call(request, body.call, who.rights.on("flag.make"))
    if call.agent_id is None or call.agent_name is None or call.agent_endpoint is None:
        raise Refused(409, "nobody is known yet to have taken this call", "call")
    place = None
    if body.moment is not None:
        place = moment_in(call, body.moment, now)
        if place is None:
            raise Refused(400, "must lie within the call", "moment")
    row = FlagRow(
        id=body.id,
        pbx=call.pbx,
        call=call.id,
        call_id=call.call_id,
        agent_id=call.agent_id,
        agent_name=call.agent_name,
        agent_endpoint=call.agent_endpoint,
        by_id=who.id,
        by_name=who.name,
        polarity=body.polarity,
        comment=comment,
        wanted=body.wanted.strip(),
        themes=tuple(dict.fromkeys(body.themes)),
        moment=None if place is None else place.at,
        offset_ms=None if place is None else place.offset_ms,
        state=FlagState.OPEN,
        made=now,
        visible=request.app[FLAGS].settings.now.visible,
    )
    try:
        made, new = await request.app[FLAGS].store.make(row)
    except NotWrittenError:
        raise Refused(503, _BUSY) from None
    if made.by_id != who.id:
        raise Refused(409, "there is another flag of that id", "id")
    await request.app[FLAGS].board.show(made)
    return answer((await shown(request, [made]))[0], 201 if new else 200)


async def edit(request: web.Request) -> web.Response:
    """Only whoever made it; a flag that was settled stays as it was talked about."""
    needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.FlagEdit)
    old = await _own(request)
    changes = {
        name: value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not UNSET
    }
    if "comment" in changes:
        changes["comment"] = meant(changes["comment"], "comment")
    if "wanted" in changes:
        changes["wanted"] = changes["wanted"].strip()
    if "themes" in changes:
        _check_themes(request, [t for t in changes["themes"] if t not in old.themes])
        changes["themes"] = tuple(dict.fromkeys(changes["themes"]))
    new = structs.replace(old, **changes)
    if new == old:
        return answer((await shown(request, [old]))[0])
    if new.polarity is Polarity.BAD and old.shared is not None:
        raise Refused(409, "it is shared with the team, and only good work is", "polarity")
    new = structs.replace(new, changed=_now())
    try:
        done = await request.app[FLAGS].store.edit(old, new, _actor(request))
    except ChangedError:
        raise _changed() from None
    except NotWrittenError:
        raise Refused(503, _BUSY) from None
    return await _told(request, done)


async def take_off(request: web.Request) -> web.Response:
    needs(request, "flag.make")
    only(request)
    body = await body_of(request, wire.FlagTakenOff)
    old = await _own(request)
    new = _settled(request, old, FlagState.TAKEN_OFF, body.why.strip())
    return await _settle(request, "take off flag", old, structs.replace(new, shared=None))


async def review(request: web.Request) -> web.Response:
    """It was talked about, and leaves the queue. Whoever may flag that agent's calls may."""
    needs(request, "flag.make")
    only(request)
    old = await _open(request)
    return await _settle(request, "review flag", old, _settled(request, old, FlagState.REVIEWED))


async def reopen(request: web.Request) -> web.Response:
    needs(request, "flag.make")
    only(request)
    old = await _found(request, "flag.make")
    if old.state is FlagState.OPEN:
        raise Refused(409, "it is open")
    new = structs.replace(
        old,
        state=FlagState.OPEN,
        **dict.fromkeys(("settled", "settled_by_id", "settled_by_name", "settled_why")),
    )
    return await _settle(request, "open flag again", old, new)


async def share(request: web.Request) -> web.Response:
    """With the agent's team: good work only, nobody is shown to others with what went wrong."""
    needs(request, "flag.make")
    only(request)
    old = await _found(request, "flag.make")
    if old.polarity is not Polarity.GOOD:
        raise Refused(409, "only good work is shared", "polarity")
    if old.state is FlagState.TAKEN_OFF:
        raise Refused(409, "it was taken off")
    if old.shared is not None:
        raise Refused(409, "it is shared already")
    # Whoever is praised before others is not the last to read it.
    new = structs.replace(old, shared=_now(), visible=True)
    return await _settle(request, "share flag", old, new)


async def unshare(request: web.Request) -> web.Response:
    needs(request, "flag.make")
    only(request)
    old = await _found(request, "flag.make")
    if old.shared is None:
        raise Refused(409, "it is not shared")
    return await _settle(request, "stop sharing flag", old, structs.replace(old, shared=None))


async def give_answer(request: web.Request) -> web.Response:
    """Of the agent whom it is about, to a flag that they see."""
    who = needs(request, "flag.answer")
    only(request)
    body = await body_of(request, wire.FlagAnswerGiven)
    said = body.text.strip()
    if not said and body.kind is not AnswerKind.ACKNOWLEDGEMENT:
        raise Refused(400, "must not be empty", "text")
    row = await request.app[FLAGS].store.one(request.match_info["id"])
    if row is None or row.agent_id != who.id or not row.visible:
        raise _unknown()
    if row.state is FlagState.TAKEN_OFF:
        raise Refused(409, "it was taken off")
    now = _now()
    given = AnswerRow(
        id=f"{row.id}.{now:x}", flag=row.id, agent_id=who.id, kind=body.kind, text=said, at=now
    )
    try:
        if not await request.app[FLAGS].store.answer(row, given, _actor(request)):
            raise Refused(409, "it has as many answers as it can")
    except NotWrittenError:
        raise Refused(503, _BUSY) from None
    return await _told(request, row)


# --- shared by them --------------------------------------------------------------------------


async def wanted_of(request: web.Request, reach: Reach) -> Wanted:
    begin, end = whole(request, "begin", 0, LATEST), whole(request, "end", 0, LATEST)
    if begin is not None and end is not None and begin >= end:
        raise Refused(400, "must be later than begin", "end")
    state = one_of(request, "state", FlagState)
    polarity = one_of(request, "polarity", Polarity)
    agent, leader = text(request, "agent"), text(request, "leader")
    agents: frozenset[str] | None = None if agent is None else frozenset({agent})
    if leader is not None:
        people = request.app[PEOPLE].roster.people.values()
        led = frozenset(p.id for p in people if p.leader == leader)
        agents = led if agents is None else agents & led
    named, calls = text(request, "call"), None
    if named is not None:
        # One Call ID can be that of several, one for each agent who had it.
        calls = tuple(c.id for c in await _calls(request, named) if c.agent_id in reach)
    return Wanted(
        within=reach.people,
        agents=agents,
        by=text(request, "by"),
        calls=calls,
        state=None if state is None else FlagState(state),
        polarity=None if polarity is None else Polarity(polarity),
        theme=text(request, "theme", 40),
        begin=begin,
        end=end,
    )


async def _page(
    request: web.Request, wanted: Wanted, how: Literal["whole", "team"]
) -> web.Response:
    """``team``: without what is between the agent and their supervisor."""
    cursor, after = text(request, "cursor", 60), None
    if cursor is not None:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Refused(400, "not a cursor of an earlier page", "cursor")
        after = int(match[1]), match[2]
    limit = whole(request, "limit", 1, ROWS_MOST) or 50
    rows, place = await request.app[FLAGS].store.page(wanted, limit, after)
    following = None if place is None else f"{place[0]}:{place[1]}"
    found = await shown(request, rows)
    if how == "team":
        found = [structs.replace(one, wanted="", answers=[], settled_why=None) for one in found]
    return answer(wire.FlagPage(found, following))


async def _calls(request: web.Request, name: str) -> list[CallRecord]:
    await request.app[FLAGS].caught_up()
    return await request.app[FLAGS].store.calls_named(name)


async def _call(request: web.Request, name: str, reach: Reach) -> CallRecord:
    for call in await _calls(request, name):
        if call.agent_id in reach:
            return call
    raise Refused(404, "there is no such call", "call")


def _check_themes(request: web.Request, themes: list[str]) -> None:
    known = {theme.id for theme in request.app[FLAGS].settings.now.themes}
    for theme in themes:
        if theme not in known:
            raise Refused(400, f"there is no theme {theme}", "themes")


async def _found(request: web.Request, permission: Permission) -> FlagRow:
    """One that whoever asks may use the permission on; another's id is an unknown one."""
    row = await request.app[FLAGS].store.one(request.match_info["id"])
    if row is None or row.agent_id not in request[WHO].rights.on(permission):
        raise _unknown()
    return row


async def _open(request: web.Request) -> FlagRow:
    row = await _found(request, "flag.make")
    if row.state is not FlagState.OPEN:
        raise Refused(409, f"it was {row.state} already")
    return row


async def _own(request: web.Request) -> FlagRow:
    row = await _open(request)
    if row.by_id != request[WHO].id:
        raise Refused(403, "only whoever made it can change it or take it off")
    return row


def _settled(request: web.Request, old: FlagRow, state: FlagState, why: str = "") -> FlagRow:
    who: Who = request[WHO]
    return structs.replace(
        old,
        state=state,
        settled=_now(),
        settled_by_id=who.id,
        settled_by_name=who.name,
        settled_why=why or None,
    )


async def _settle(request: web.Request, action: str, old: FlagRow, new: FlagRow) -> web.Response:
    try:
        done = await request.app[FLAGS].store.settle(action, old, new, _actor(request))
    except ChangedError:
        raise _changed() from None
    except NotWrittenError:
        raise Refused(503, _BUSY) from None
    return await _told(request, done)


async def _told(request: web.Request, row: FlagRow) -> web.Response:
    await request.app[FLAGS].board.show(row)
    return answer((await shown(request, [row]))[0])


async def shown(request: web.Request, rows: list[FlagRow]) -> list[wire.FlagShown]:
    """In their order, with the answers."""
    who: Who = request[WHO]
    answers = await request.app[FLAGS].store.answers(row.id for row in rows)
    late = await after_scores(request, rows)
    return [
        wire.FlagShown(
            id=row.id,
            pbx=row.pbx,
            call=row.call,
            call_id=row.call_id,
            agent=Party(row.agent_id, row.agent_name, row.agent_endpoint),
            by=wire.PersonNamed(row.by_id, row.by_name),
            polarity=row.polarity,
            comment=row.comment,
            wanted=row.wanted,
            themes=list(row.themes),
            moment=row.moment,
            offset_ms=row.offset_ms,
            state=row.state,
            made=row.made,
            changed=row.changed,
            settled=row.settled,
            settled_by=row.settled_by_name,
            settled_why=row.settled_why,
            visible=row.visible,
            shared=row.shared,
            vague=list(vagueness(row.comment, moment=row.moment is not None)),
            answers=[wire.FlagAnswerRow(a.kind, a.text, a.at) for a in answers.get(row.id, [])],
            after_score=late.get(row.id),
            mine=row.by_id == who.id,
        )
        for row in rows
    ]


def _actor(request: web.Request) -> Actor:
    who: Who = request[WHO]
    return Actor(who.id, who.name)


def _unknown() -> Refused:
    return Refused(404, "there is no such flag", "id")


def _changed() -> Refused:
    return Refused(409, "somebody else changed it meanwhile; look at it again")


def _now() -> int:
    return time.time_ns() // 1_000_000
