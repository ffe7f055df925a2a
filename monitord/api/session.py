"""Signing in and out, and who is asked for it: everybody, for everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import structlog
from aiohttp import web

from monitord.api.keys import AUDIT, ORIGINS, PEOPLE, SECURE_COOKIE, SESSIONS, SIGN_IN, WHO
from monitord.api.problems import Refused, answer, body_of, problem
from monitord.api.wire import Me, SignIn
from monitord.audit.log import AuditError
from monitord.people.roster import Account
from monitord.people.sessions import SESSION_S
from monitord.people.signin import Who
from monitord.people.store import PeopleError
from monitord.people.tries import TooManyTriesError

COOKIE = "monitord_session"
DEVICE_COOKIE, DEVICE_S, DEVICE_MOST = "monitord_device", 400 * 24 * 3600, 200
"""By which a browser is known again that has signed in before (see ``people.tries``)."""

OPEN_PATHS = frozenset({"/sign-in", "/api/v1/session"})
"""Reachable without a session: the sign-in page and signing in itself."""

OPEN_ASSETS = "/assets/sign-in/"

_SAFE_METHODS = frozenset({"GET", "HEAD"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def same_origin(request: web.Request) -> bool:
    """Whether a browser says that one of our own pages is asking. A request without Origin comes
    from no browser's script and passes here; the stream demands one."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin in request.app[ORIGINS] or origin == f"{request.scheme}://{request.host}"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No page, API or stream answers anyone who has not signed in."""
    path = request.path
    if request.method not in _SAFE_METHODS and not same_origin(request):
        return problem(403, "the request comes from another site's page")
    who = request.app[SIGN_IN].who(request.cookies.get(COOKIE, ""))
    if who is not None:
        request[WHO] = who
    elif path not in OPEN_PATHS and not path.startswith(OPEN_ASSETS):
        wants_page = "text/html" in request.headers.get("Accept", "")
        if request.method in _SAFE_METHODS and wants_page and not path.startswith("/api/"):
            raise web.HTTPSeeOther(_sign_in_address(request))
        return problem(401, "sign in first")
    return await handler(request)


def _sign_in_address(request: web.Request) -> str:
    """With the way back, so that a link to a view also works for somebody who is not signed in."""
    if request.path == "/" or request.path.startswith("//"):  # two slashes name another host
        return "/sign-in"
    return f"/sign-in?{urlencode({'next': request.path_qs})}"


async def sign_in(request: web.Request) -> web.Response:
    body = await body_of(request, SignIn)
    address = request.remote or "unknown"
    log = structlog.get_logger("sign-in")
    device = request.cookies.get(DEVICE_COOKIE, "")[:DEVICE_MOST]
    try:
        account = await request.app[SIGN_IN].password(body.login, body.password, address, device)
    except TooManyTriesError as error:
        log.warning("too_many_tries", address=address)
        return problem(429, str(error), headers={"Retry-After": str(int(error.wait_s) + 1)})
    if account is None:
        log.warning("sign_in_failed", address=address)
        return problem(401, "login or password is wrong")
    return await let_in(request, account, "password")


async def let_in(request: web.Request, account: Account, how: str) -> web.Response:
    """Begin a session for somebody who has proved to be that person."""
    sessions, people = request.app[SESSIONS], request.app[PEOPLE]
    address = request.remote or "unknown"
    try:
        await request.app[AUDIT].write(
            actor_id=account.person,
            actor_name=people.name_of(account.person),
            action="sign in",
            target=account.person,
            detail={"address": address, "how": how},
        )
        browser = request.headers.get("User-Agent", "")
        token = await sessions.begin(account.person, how, address, browser)
        if WHO in request and (old := request[WHO].session) is not None:
            await sessions.end([old])
    except (AuditError, PeopleError) as error:
        structlog.get_logger("sign-in").error("not_let_in", why=str(error))
        return problem(503, "nobody can sign in while the database cannot be written")
    who = request.app[SIGN_IN].who(token)
    if who is None:  # they were taken off the roster meanwhile
        return problem(401, "login or password is wrong")
    response = answer(_me(who))
    _set(request, response, COOKIE, token, SESSION_S)
    device = request.app[SIGN_IN].tries.device_cookie(account.login)
    _set(request, response, DEVICE_COOKIE, device, DEVICE_S)
    return response


def _set(request: web.Request, response: web.Response, name: str, value: str, age_s: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=age_s,
        httponly=True,
        samesite="Strict",
        secure=request.app[SECURE_COOKIE] or request.scheme == "https",
    )


async def sign_out(request: web.Request) -> web.Response:
    if WHO in request and (key := request[WHO].session) is not None:
        try:
            await request.app[SESSIONS].end([key])
        except PeopleError as error:
            structlog.get_logger("sign-in").error("sign_out_not_written", why=str(error))
            return problem(503, "you are signed out, but it could not be written down; try again")
    response = web.Response(status=204)
    response.del_cookie(COOKIE, samesite="Strict", httponly=True)
    return response


async def who(request: web.Request) -> web.Response:
    if WHO not in request:  # the route is open, as its others are
        raise Refused(401, "sign in first")
    return answer(_me(request[WHO]))


def _me(who: Who) -> Me:
    return Me(who.id, who.name, list(who.rights.permissions))
