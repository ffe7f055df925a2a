"""One-time links: the first administrator's, and those by which people set their password."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from monitord.api import failures, wire
from monitord.api.account import end_all, new_hash, not_written
from monitord.api.edge import came
from monitord.api.keys import AUDIT, LINKS, PEOPLE, SIGN_IN, WHO
from monitord.api.problems import Refused, answer, body_of, only
from monitord.api.session import let_in, me, set_cookies
from monitord.audit.entry import Actor, Entry, of_person
from monitord.people.links import Link, LinkGoneError, address, needs_administrator
from monitord.people.passwords import RULES
from monitord.people.people import with_account
from monitord.people.permissions import Role
from monitord.people.roster import Account, Everybody, Given, Person, Roster
from monitord.people.rules import RosterError
from monitord.people.store import PeopleError
from monitord.people.tries import TooManyTriesError

T = TypeVar("T")
Body = TypeVar("Body", wire.LinkToken, wire.LinkUse)

_GONE = (
    "this link is not valid (any more): it was used, is older than a day, or a newer one was made; "
    "ask for another one"
)


class _Open(Struct, frozen=True):
    """A link that may be used now."""

    link: Link
    account: Account | None
    """Whose password is set; None where it makes the first administrator."""


async def look(request: web.Request) -> web.Response:
    """What a link is for. This does not use it up."""
    only(request)
    body = await body_of(request, wire.LinkToken)
    found = await _bounded(request, body, _find)
    account = found.account
    return answer(
        wire.LinkPurpose(
            purpose="administrator" if account is None else "password",
            name=request.app[PEOPLE].name_of(account.person) if account is not None else None,
            login=account.login if account is not None else None,
            password_rules=RULES,
        )
    )


async def use(request: web.Request) -> web.Response:
    """Sets the password and signs in."""
    only(request)
    body = await body_of(request, wire.LinkUse)
    found = await _bounded(request, body, _find)
    account = (
        await _make_administrator(request, body, found.link)
        if found.account is None
        else await _set_password(request, body, found.link, found.account)
    )
    fresh = await let_in(request, account, "link")
    response = answer(me(fresh.who))
    set_cookies(request, response, fresh)
    return response


async def _bounded(
    request: web.Request, body: Body, work: Callable[[web.Request, str], Awaitable[T]]
) -> T:
    try:
        one = request.app[SIGN_IN].tries.begin_link(came(request).address)
    except TooManyTriesError as error:
        failures.refused(request)
        raise Refused(
            429, str(error), headers={"Retry-After": str(int(error.wait_s) + 1)}
        ) from None
    try:
        found = await work(request, body.token)
    except LinkGoneError:
        await failures.failed(request, "link")
        raise Refused(404, _GONE, "token") from None
    except PeopleError as error:
        raise not_written("link_not_read", error) from None
    one.succeeded()
    return found


async def _find(request: web.Request, token: str) -> _Open:
    people = request.app[PEOPLE]
    link = await request.app[LINKS].find(token)
    if link.person is None:
        if not needs_administrator(people.everybody):
            raise LinkGoneError
        return _Open(link, None)
    account = people.by_person.get(link.person)
    if account is None or not request.app[SIGN_IN].active(link.person):
        raise LinkGoneError
    return _Open(link, account)


async def _make_administrator(request: web.Request, body: wire.LinkUse, link: Link) -> Account:
    name, login = (body.name or "").strip(), (body.login or "").strip()
    if not name:
        raise Refused(400, "must be given", "name")
    if not login:
        raise Refused(400, "must be given", "login")
    hashed = await new_hash(request, body.password, login, "password")
    person = Person(
        _id_for(login, request.app[PEOPLE].roster), name, roles=(Given(Role.ADMINISTRATOR),)
    )
    account = Account(person.id, login, hashed)

    def edit(everybody: Everybody) -> Everybody:
        if not needs_administrator(everybody) or person.id in everybody.roster.people:
            raise LinkGoneError
        everyone = {**everybody.roster.people, person.id: person}
        roster = msgspec.structs.replace(everybody.roster, people=everyone)
        return Everybody(roster, with_account(everybody, account))

    detail = {"login": login, "address": came(request).address}
    entry = Entry(
        action="make first administrator",
        actor=Actor(person.id, name),
        personal=(of_person(person.id, target=person.id, **detail),),
    )
    await _carry_out(request, edit, link, entry)
    return account


def _id_for(login: str, roster: Roster) -> str:
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", login).strip("-._")[:50] or "administrator"
    n, found = 1, stem
    while found in roster.people:
        n += 1
        found = f"{stem}-{n}"
    return found


async def _set_password(
    request: web.Request, body: wire.LinkUse, link: Link, account: Account
) -> Account:
    """All their sessions end: who had got in with the old password is out."""
    for field in ("name", "login"):
        if getattr(body, field) is not None:
            raise Refused(400, "cannot be changed with this link", field)
    hashed = await new_hash(request, body.password, account.login, "password")
    new = msgspec.structs.replace(account, password_hash=hashed)

    def edit(everybody: Everybody) -> Everybody:
        if account not in everybody.accounts:
            raise LinkGoneError  # theirs was changed meanwhile
        return msgspec.structs.replace(everybody, accounts=with_account(everybody, new))

    name = request.app[PEOPLE].name_of(account.person)
    address = came(request).address
    entry = Entry(
        action="set password by link",
        actor=Actor(account.person, name),
        personal=(of_person(account.person, target=account.person, address=address),),
    )
    await _carry_out(request, edit, link, entry)
    await end_all(request, account.person, None)
    return new


async def _carry_out(
    request: web.Request, edit: Callable[[Everybody], Everybody], link: Link, entry: Entry
) -> None:
    spend = request.app[LINKS].spend(link)
    row = request.app[AUDIT].alongside(entry)

    async def alongside(connection: object) -> None:
        await spend(connection)  # type: ignore[arg-type]
        await row(connection)  # type: ignore[arg-type]

    try:
        await request.app[PEOPLE].change(edit, alongside)
    except LinkGoneError:
        raise Refused(404, _GONE, "token") from None
    except RosterError as error:
        raise Refused(400, error.rule, error.field) from None
    except PeopleError as error:
        raise not_written("link_not_used", error) from None


async def make(request: web.Request) -> web.Response:
    """For somebody else to set their password, as an invitation or because it was forgotten."""
    who = request[WHO]
    only(request)
    body = await body_of(request, wire.NewLink)
    people, person = request.app[PEOPLE], request.match_info["id"]
    if not request.app[SIGN_IN].active(person):
        raise Refused(404, "there is nobody with this id, or they have left", "id")
    account = people.by_person.get(person)
    if account is not None and body.login is not None and body.login != account.login:
        raise Refused(409, "they have another login already", "login")
    if account is None and (body.login is None or not body.login.strip()):
        raise Refused(400, "must be given: they have none yet", "login")
    try:
        if account is None:
            account = Account(person, (body.login or "").strip())
            edit, given = _invitation(account, Actor(who.id, who.name))
            await people.change(edit, request.app[AUDIT].alongside(given))
        entry = Entry(
            action="make sign-in link",
            actor=Actor(who.id, who.name),
            personal=(of_person(person, target=person, login=account.login),),
        )
        row = request.app[AUDIT].alongside(entry)
        token, link = await request.app[LINKS].make(person, row)
    except RosterError as error:
        raise Refused(400, error.rule, error.field) from None
    except PeopleError as error:
        raise not_written("link_not_made", error) from None
    return answer(wire.MadeLink(address(token), link.expires), status=201)


def _invitation(account: Account, by: Actor) -> tuple[Callable[[Everybody], Everybody], Entry]:
    def edit(everybody: Everybody) -> Everybody:
        if any(a.person == account.person for a in everybody.accounts):
            raise Refused(409, "somebody else has just given them a login", "login")
        return msgspec.structs.replace(everybody, accounts=with_account(everybody, account))

    return edit, Entry(
        action="give login",
        actor=by,
        personal=(of_person(account.person, target=account.person, login=account.login),),
    )
