"""The list of those whom nobody may listen to, over HTTP."""

from __future__ import annotations

import secrets
import time

import structlog
from aiohttp import web

from monitord.alerts.listing import DIGITS_LEAST, DIGITS_MOST, Entry, digits
from monitord.alerts.never import ENTRIES_MOST, FullError, ListedError
from monitord.api import wire
from monitord.api.keys import AUDIT, NEVER, PEOPLE, WHO, needs
from monitord.api.problems import Refused, answer, body_of, only
from monitord.audit import entry as audit
from monitord.audit.entry import Of
from monitord.people.audience import mask
from monitord.people.store import Alongside, PeopleError


async def entries(request: web.Request) -> web.Response:
    needs(request, "privacy.see")
    only(request)
    rows = [_shown(request, entry) for entry in request.app[NEVER].entries.values()]
    return answer(wire.NeverMonitorList(rows))


async def add(request: web.Request) -> web.Response:
    """Supervisions that run are judged by it at once."""
    who = needs(request, "privacy.edit")
    only(request)
    body = await body_of(request, wire.NeverMonitorNew)
    entry = Entry(
        id=secrets.token_hex(10),
        person=_person(request, body),
        number=_number(body),
        reason=body.reason.strip(),
        by_id=who.id,
        by_name=who.name,
        at=time.time_ns() // 1_000_000,
    )
    if not entry.reason:
        raise Refused(400, "must not be empty", "reason")
    field = "number" if entry.person is None else "person"
    try:
        await request.app[NEVER].add(entry, _audited(request, "add to never monitor", entry))
    except ListedError:
        raise Refused(409, "is on the list already", field) from None
    except FullError:
        raise Refused(409, f"the list holds {ENTRIES_MOST} entries, which is all it can") from None
    except PeopleError as error:
        raise _unwritten(error) from None
    return answer(_shown(request, entry), 201)


async def remove(request: web.Request) -> web.Response:
    """An alert that was raised stays what it is."""
    needs(request, "privacy.edit")
    only(request)

    def alongside(entry: Entry) -> Alongside:
        return _audited(request, "remove from never monitor", entry)

    try:
        if not await request.app[NEVER].remove(request.match_info["id"], alongside):
            raise Refused(404, "there is no such entry", "id")
    except PeopleError as error:
        raise _unwritten(error) from None
    return web.Response(status=204)


def _person(request: web.Request, body: wire.NeverMonitorNew) -> str | None:
    if (body.person is None) == (body.number is None):
        raise Refused(400, "exactly one of person and number is needed", "person")
    if body.person is not None and body.person not in request.app[PEOPLE].roster.people:
        raise Refused(400, "there is nobody of that id on the roster", "person")
    return body.person


def _number(body: wire.NeverMonitorNew) -> str | None:
    if body.number is None:
        return None
    found = digits(body.number)
    if not DIGITS_LEAST <= len(found) <= DIGITS_MOST:
        raise Refused(400, f"must have {DIGITS_LEAST} to {DIGITS_MOST} digits", "number")
    return found


def _shown(request: web.Request, entry: Entry) -> wire.NeverMonitorEntry:
    person = None
    if entry.person is not None:
        person = wire.PersonNamed(entry.person, request.app[PEOPLE].name_of(entry.person))
    whole = request[WHO].rights.may("number.see")
    number = entry.number if whole else mask(entry.number)
    return wire.NeverMonitorEntry(entry.id, person, number, entry.reason, entry.by_name, entry.at)


def _audited(request: web.Request, action: str, entry: Entry) -> Alongside:
    who = request[WHO]
    # The reason is about them as well.
    if entry.person is not None:
        whose = Of({"person": entry.person, "reason": entry.reason}, person=entry.person)
    else:
        whose = Of({"number": entry.number, "reason": entry.reason}, number=entry.number)
    return request.app[AUDIT].alongside(
        audit.Entry(
            action=action,
            actor=audit.Actor(who.id, who.name),
            target=entry.id,
            personal=(whose,),
        )
    )


def _unwritten(error: PeopleError) -> Refused:
    structlog.get_logger("api").error("never_monitor_not_changed", why=str(error))
    return Refused(503, "the database does not take it now; nothing was changed")
