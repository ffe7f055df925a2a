"""Saved views: each person's own, and those that others share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import structlog
from aiohttp import web

from monitord.api import wire
from monitord.api.keys import AUDIT, PEOPLE, VIEWS, WHO, needs
from monitord.api.problems import Refused, answer, body_of, only
from monitord.audit.entry import Actor, Entry, of_person
from monitord.audit.filters import of_filters
from monitord.people.permissions import Role, Scope
from monitord.people.roster import Person, Roster
from monitord.people.signin import Who
from monitord.store.errors import StoreError
from monitord.store.views import SavedView

BUILT_IN: dict[str, tuple[str, ...]] = {
    "coach-manager": ("mine", "all"),
    "history": (),
    "live-calls": ("mine", "all"),
    "team": (),
}
"""By page: the views that everybody has."""


async def views(request: web.Request) -> web.Response:
    needs(request, "supervision.see")
    only(request)
    return answer(await _read(request))


async def put_views(request: web.Request) -> web.Response:
    """Answers with all of them as they are then."""
    who = needs(request, "supervision.see")
    only(request)
    body = await body_of(request, wire.PutViews)
    had, _ = await request.app[VIEWS].read(who.id)
    own = {one.id for one in had if one.person == who.id}
    saved = None if body.views is None else [_saved(who, one, own) for one in body.views]
    if saved is not None:
        _check_names(saved)
    now = [one for one in had if one.person != who.id] + (
        saved if saved is not None else [one for one in had if one.person == who.id]
    )
    if body.chosen is not None:
        for page, name in body.chosen.items():
            of_page = {one.id for one in now if one.page == page}
            if name not in BUILT_IN[page] and name not in of_page:
                raise Refused(400, f"there is no such view of the page {page}", "chosen")
    try:
        shared = [] if saved is None else [*_sharing(who, had, saved)]
        row = request.app[AUDIT].alongside(*shared)
        await request.app[VIEWS].write(who.id, saved, body.chosen, row)
    except StoreError as error:
        structlog.get_logger("api").error("views_not_written", why=str(error))
        raise Refused(503, "the views cannot be kept now; try again later") from None
    return answer(await _read(request))


def _sharing(who: Who, had: list[SavedView], saved: list[SavedView]) -> Iterator[Entry]:
    """What everybody is offered by now, or no longer."""
    before = {one.id: one for one in had if one.person == who.id and one.shared}
    after = {one.id: one for one in saved if one.shared}
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        one = now or was
        assert one is not None
        action = "stop sharing view"
        if now is not None:
            action = "share view" if was is None else "change shared view"
        plain, personal = of_filters(one.filters)
        yield Entry(
            action=action,
            actor=Actor(who.id, who.name),
            target=one.id,
            plain={"page": one.page, "filters": plain},
            personal=(of_person(who.id, name=one.name), *personal),
        )


def _saved(who: Who, one: wire.PutView, own: set[str]) -> SavedView:
    if one.shared and not who.rights.may("view.share"):
        raise Refused(403, "you are not allowed to share views", "views.shared")
    # An id of somebody else's is not taken over.
    view_id = one.id if one.id in own else secrets.token_hex(10)
    return SavedView(view_id, who.id, one.page, one.name.strip(), one.filters, one.shared)


def _check_names(saved: list[SavedView]) -> None:
    if any(not one.name for one in saved):
        raise Refused(400, "must not be empty", "views.name")
    if len({one.id for one in saved}) < len(saved):
        raise Refused(400, "stands twice", "views.id")
    if len({(one.page, one.name.casefold()) for one in saved}) < len(saved):
        raise Refused(400, "must be unique on its page", "views.name")


async def _read(request: web.Request) -> wire.Views:
    who, people = request[WHO], request.app[PEOPLE]
    found, chosen = await request.app[VIEWS].read(who.id)
    shown = []
    for one in found:
        owner = people.roster.people.get(one.person)
        if one.person != who.id and not _may_have(who, owner, one):
            continue
        name = owner.name if owner is not None else who.name
        shown.append(
            wire.View(
                one.id, one.page, one.name, one.filters, one.shared, name, one.person == who.id
            )
        )
    ids = {one.id for one in shown}
    kept = {p: v for p, v in chosen.items() if v in ids or v in BUILT_IN.get(p, ())}
    mine = _mine(people.roster, who.id)
    usual = _usual(people.roster.people.get(who.id), mine)
    for page in ("coach-manager", "live-calls"):
        kept.setdefault(page, usual)
    return wire.Views(sorted(mine), shown, kept)


def _may_have(who: Who, owner: Person | None, one: SavedView) -> bool:
    """Those of people who have left go with them. A number that somebody filters by is a number."""
    if owner is None or not owner.active:
        return False
    return "number" not in one.filters or who.rights.may("number.see")


def _usual(person: Person | None, mine: frozenset[str]) -> str:
    """What somebody sees who has never chosen: a supervisor their own, if anybody is theirs."""
    roles = {given.role for given in person.roles} if person is not None else set()
    return "mine" if Role.SUPERVISOR in roles and len(mine) > 1 else "all"


def _mine(roster: Roster, person_id: str) -> frozenset[str]:
    """Whom it concerns: oneself, the own team, direct reports."""
    person = roster.people.get(person_id)
    people = None if person is None else roster.within(person, Scope.TEAM).people
    return people or frozenset()
