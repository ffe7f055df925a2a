"""Signing in and out, and who is asked for it: everybody, for everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import structlog
from aiohttp import web
from msgspec import Struct

from monitord.api import cookies, failures
from monitord.api.edge import came, same_origin
from monitord.api.keys import AUDIT, PEOPLE, SESSIONS, SIGN_IN, WHO
from monitord.api.problems import Refused, answer, body_of, problem
from monitord.api.wire import Me, SignIn
from monitord.audit.entry import Actor, Entry, of_person
from monitord.audit.log import AuditError
from monitord.people import links
from monitord.people.roster import Account
from monitord.people.sessions import SESSION_S
from monitord.people.signin import Who
from monitord.people.store import PeopleError
from monitord.people.tries import TooManyTriesError

OPEN_PATHS = frozenset(
    {
        *("/sign-in", "/sign-in/provider", "/sign-in/callback", links.PATH),
        *("/api/v1/session", "/api/v1/sign-in/ways"),
        *("/api/v1/links/look", "/api/v1/links/use"),
    }
)
"""Reachable without a session: the pages and requests by which one gets one."""

OPEN_ASSETS = "/assets/sign-in/"

_SAFE_METHODS = frozenset({"GET", "HEAD"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No page, API or stream answers anyone who has not signed in."""
    path = request.path
    bearer = _bearer(request)
    # No browser adds a token by itself, so nobody else's page can borrow it.
    if bearer is None and request.method not in _SAFE_METHODS and not same_origin(request):
        return problem(403, "the request comes from another site's page")
    if bearer is not None:
        who = request.app[SIGN_IN].bearer(bearer)
        if who is None:
            return problem(
                401,
                "there is no such token (any more)",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
    else:
        who = request.app[SIGN_IN].who(cookies.read(request, cookies.SESSION))
    if who is not None:
        request[WHO] = who
    elif path not in OPEN_PATHS and not path.startswith(OPEN_ASSETS):
        wants_page = "text/html" in request.headers.get("Accept", "")
        if request.method in _SAFE_METHODS and wants_page and not path.startswith("/api/"):
            raise web.HTTPSeeOther(_sign_in_address(request))
        return problem(401, "sign in first")
    return await handler(request)


def _bearer(request: web.Request) -> str | None:
    """The token that a program sends; None where it sends none."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def _sign_in_address(request: web.Request) -> str:
    """With the way back, so that a link to a view also works for somebody who is not signed in."""
    if request.path == "/" or request.path.startswith("//"):  # two slashes name another host
        return "/sign-in"
    return f"/sign-in?{urlencode({'next': request.path_qs})}"


async def sign_in(request: web.Request) -> web.Response:
    body = await body_of(request, SignIn)
    address = came(request).address
    log = structlog.get_logger("sign-in")
    device = cookies.read(request, cookies.DEVICE, cookies.DEVICE_MOST)
    try:
        account = await request.app[SIGN_IN].password(body.login, body.password, address, device)
    except TooManyTriesError as error:
        log.warning("too_many_tries", address=address)
        failures.refused(request)
        return problem(429, str(error), headers={"Retry-After": str(int(error.wait_s) + 1)})
    if account is None:
        log.warning("sign_in_failed", address=address)
        known = request.app[PEOPLE].by_login.get(body.login.casefold())
        person = known.person if known is not None else None
        await failures.failed(request, "password", body.login, person)
        return problem(401, "login or password is wrong")
    fresh = await let_in(request, account, "password")
    response = answer(me(fresh.who))
    set_cookies(request, response, fresh)
    return response


async def let_in(request: web.Request, account: Account, how: str) -> Fresh:
    """Begin a session for somebody who has proved to be that person. Its token is always new: one
    that came with the request could have been put into the browser by somebody else.

    Raises:
        Refused: it could not be written down, or they were taken off the roster meanwhile.
    """
    sessions, people = request.app[SESSIONS], request.app[PEOPLE]
    address = came(request).address
    try:
        await request.app[AUDIT].write(
            Entry(
                action="sign in",
                actor=Actor(account.person, people.name_of(account.person)),
                plain={"how": how},
                personal=(of_person(account.person, target=account.person, address=address),),
            )
        )
        browser = request.headers.get("User-Agent", "")
        token = await sessions.begin(account.person, how, address, browser)
        if WHO in request and (old := request[WHO].session) is not None:
            await sessions.end([old])
    except (AuditError, PeopleError) as error:
        structlog.get_logger("sign-in").error("not_let_in", why=str(error))
        raise Refused(503, "nobody can sign in while the database cannot be written") from None
    who = request.app[SIGN_IN].who(token)
    if who is None:
        raise Refused(401, "login or password is wrong")
    return Fresh(who, token, account.login)


class Fresh(Struct, frozen=True):
    """Somebody who has just signed in."""

    who: Who
    token: str
    """Of the session, for the browser's cookie alone."""
    login: str


def set_cookies(request: web.Request, response: web.StreamResponse, fresh: Fresh) -> None:
    cookies.write(request, response, cookies.SESSION, fresh.token, SESSION_S)
    device = request.app[SIGN_IN].tries.device_cookie(fresh.login)
    cookies.write(request, response, cookies.DEVICE, device, cookies.DEVICE_S)


async def sign_out(request: web.Request) -> web.Response:
    if WHO in request and (key := request[WHO].session) is not None:
        who = request[WHO]
        entry = Entry(
            action="sign out",
            actor=Actor(who.id, who.name),
            personal=(of_person(who.id, target=who.id),),
        )
        try:
            await request.app[SESSIONS].end([key], request.app[AUDIT].alongside(entry))
        except PeopleError as error:
            structlog.get_logger("sign-in").error("sign_out_not_written", why=str(error))
            return problem(503, "you are signed out, but it could not be written down; try again")
    response = web.Response(status=204)
    cookies.forget(request, response, cookies.SESSION)
    return response


async def who(request: web.Request) -> web.Response:
    return answer(me(request[WHO]))


def me(who: Who) -> Me:
    return Me(who.id, who.name, list(who.rights.permissions))
