"""How the one who asks signs in: their password, and the browsers that are signed in."""

from __future__ import annotations

import msgspec
import structlog
from aiohttp import web

from monitord.api import cookies, wire
from monitord.api.edge import came
from monitord.api.keys import PEOPLE, SESSIONS, SIGN_IN, WHO
from monitord.api.problems import Refused, answer, body_of, only, problem
from monitord.audit.log import audited
from monitord.people.passwords import RULES, BadPasswordError, check_new
from monitord.people.people import with_account
from monitord.people.roster import Everybody
from monitord.people.sessions import Session
from monitord.people.signin import Who
from monitord.people.store import PeopleError
from monitord.people.tries import TooManyTriesError

LISTED_MOST = 500
"""Sessions of all people that are listed at a time."""

NOT_WRITTEN = "this cannot be done while the database cannot be written; try again later"


async def account(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    found = request.app[PEOPLE].by_person.get(who.id)
    return answer(
        wire.Account(
            login=found.login if found is not None else None,
            has_password=found is not None and found.password_hash is not None,
            by_provider=found is not None and found.subject is not None,
            password_rules=RULES,
        )
    )


async def change_password(request: web.Request) -> web.Response:
    """The old one is asked for: a browser that was left open must not be enough to keep its owner
    out. All their other sessions end."""
    who = request[WHO]
    only(request)
    body = await body_of(request, wire.PasswordChange)
    people, sign_in = request.app[PEOPLE], request.app[SIGN_IN]
    account = people.by_person.get(who.id)
    if account is None or account.password_hash is None:
        raise Refused(409, "you have no password here; you sign in at your provider")
    address = came(request).address
    device = cookies.read(request, cookies.DEVICE, cookies.DEVICE_MOST)
    try:
        right = await sign_in.password(account.login, body.old, address, device)
    except TooManyTriesError as error:
        return problem(429, str(error), headers={"Retry-After": str(int(error.wait_s) + 1)})
    if right is None:
        raise Refused(400, "is not your password", "old")
    if body.new == body.old:
        raise Refused(400, "is the old one", "new")
    hashed = await new_hash(request, body.new, account.login, "new")

    def edit(everybody: Everybody) -> Everybody:
        now = next((a for a in everybody.accounts if a.person == who.id), None)
        if now is None or now.password_hash != account.password_hash:
            raise Refused(409, "your password was changed meanwhile")
        new = msgspec.structs.replace(now, password_hash=hashed)
        return msgspec.structs.replace(everybody, accounts=with_account(everybody, new))

    try:
        await people.change(edit, audited(who.id, who.name, "change password", who.id, {}))
    except PeopleError as error:
        raise not_written("password_not_changed", error) from None
    return answer(wire.Ended(await end_all(request, who.id, who.session)))


async def new_hash(request: web.Request, password: str, login: str, field: str) -> str:
    """
    Raises:
        Refused: it is no password to begin with.
    """
    try:
        check_new(password, login)
    except BadPasswordError as error:
        raise Refused(400, str(error), field) from None
    return await request.app[SIGN_IN].verifier.hash(password)


def not_written(what: str, error: PeopleError) -> Refused:
    structlog.get_logger("sign-in").error(what, why=str(error))
    return Refused(503, NOT_WRITTEN)


async def end_all(request: web.Request, person: str, but: str | None) -> int:
    try:
        return await request.app[SESSIONS].end_all_of(person, but)
    except PeopleError as error:
        # Over they are; only a restart before the next change would bring them back.
        raise not_written("session_ends_not_written", error) from None


# --- sessions ----------------------------------------------------------------------------


async def sessions(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    return answer(_listed(request, who, request.app[SESSIONS].of(who.id)))


async def all_sessions(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    return answer(_listed(request, who, request.app[SESSIONS].of()))


def _listed(request: web.Request, who: Who, found: list[Session]) -> wire.SignInSessions:
    people = request.app[PEOPLE]
    rows = [
        wire.SignInSession(
            id=s.id,
            person=wire.Someone(s.person, people.name_of(s.person)),
            how=s.how,  # type: ignore[arg-type]  # one of these, as we wrote it
            address=s.address,
            browser=s.browser,
            created=s.created,
            seen=s.seen,
            expires=s.expires,
            this=s.key == who.session,
        )
        for s in found[:LISTED_MOST]
    ]
    return wire.SignInSessions(rows, more=len(found) > LISTED_MOST)


async def end_session(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    held = request.app[SESSIONS]
    found = held.named(request.match_info["id"])
    if found is None or (found.person != who.id and not who.rights.may("session.end")):
        raise Refused(404, "there is no such session", "id")
    try:
        await held.end(
            [found.key],
            audited(who.id, who.name, "end session", found.person, {"session": found.id}),
        )
    except PeopleError as error:
        raise not_written("session_end_not_written", error) from None
    response = web.Response(status=204)
    if found.key == who.session:
        cookies.forget(request, response, cookies.SESSION)
    return response


async def end_other_sessions(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    return answer(wire.Ended(await end_all(request, who.id, who.session)))
