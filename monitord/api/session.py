"""Signing in and out, and who is asked for it: everybody, for everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import structlog
from aiohttp import web

from monitord.api.keys import ACCOUNT, AUDIT, ORIGINS, SECURE_COOKIE, SIGN_IN, TOKEN
from monitord.api.problems import Refused, answer, body_of, problem
from monitord.api.wire import Me, SignIn
from monitord.audit.log import AuditError
from monitord.people.signin import SESSION_S, Account, TooManyTriesError

COOKIE = "monitord_session"

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
    token = request.cookies.get(COOKIE, "")
    account = request.app[SIGN_IN].account(token) if token else None
    if account is not None:
        request[ACCOUNT], request[TOKEN] = account, token
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
    try:
        result = await request.app[SIGN_IN].sign_in(body.login, body.password, address)
    except TooManyTriesError as error:
        log.warning("too_many_tries", address=address)
        return problem(429, str(error), headers={"Retry-After": str(int(error.wait_s) + 1)})
    if result is None:
        log.warning("sign_in_failed", address=address)
        return problem(401, "login or password is wrong")
    token, account = result
    try:
        await request.app[AUDIT].write(
            actor_id=account.id,
            actor_name=account.name,
            action="sign in",
            target=account.id,
            detail={"address": address},
        )
    except AuditError as error:
        request.app[SIGN_IN].sign_out(token)
        log.error("audit_failed", why=str(error))
        return problem(503, "nobody can sign in while the audit log cannot be written")
    response = answer(_me(account))
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_S,
        httponly=True,
        samesite="Strict",
        secure=request.app[SECURE_COOKIE] or request.scheme == "https",
    )
    return response


async def sign_out(request: web.Request) -> web.Response:
    token = request.get(TOKEN)
    if token is not None:
        request.app[SIGN_IN].sign_out(token)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, samesite="Strict", httponly=True)
    return response


async def who(request: web.Request) -> web.Response:
    account = request.get(ACCOUNT)
    if account is None:
        raise Refused(401, "sign in first")
    return answer(_me(account))


def _me(account: Account) -> Me:
    return Me(account.id, account.name, sorted(account.permissions))
