"""Signing in at the site's own provider: the way there, and back."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import structlog
from aiohttp import web
from msgspec import Struct

from monitord.api import cookies, failures, wire
from monitord.api.edge import own_origin
from monitord.api.keys import AUDIT, PEOPLE
from monitord.api.problems import Refused, answer, only
from monitord.api.session import let_in, set_cookies
from monitord.audit.entry import Actor, Entry, of_person
from monitord.people.admission import Admission, NotAdmittedError, Vouched, admit, vouched
from monitord.people.provider import Provider, ProviderError, seal, unseal
from monitord.people.roster import Account, Everybody
from monitord.people.rules import RosterError
from monitord.people.store import PeopleError

CALLBACK = "/sign-in/callback"

_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,999}")
"""A path of ours: browsers take //host and /\\host for another host's."""

# The first page of this site after the provider's. A redirect would still count as coming from
# there, and the browser would not send the new session's cookie with it, which is SameSite=Strict.
_ON = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>monitord</title>
<meta http-equiv="refresh" content="0;url={next}"></head>
<body><p><a href="{next}">Go on to monitord</a></p></body>
</html>
"""


class Way(Struct, frozen=True):
    """How people come in by the provider."""

    provider: Provider
    admission: Admission
    text: str
    """Of the button."""
    key: bytes
    """Signs what the browser keeps meanwhile."""


WAY = web.AppKey("way", Way)


async def ways(request: web.Request) -> web.Response:
    only(request)
    way = request.app.get(WAY)
    return answer(wire.Ways(way.text if way is not None else None))


async def start(request: web.Request) -> web.StreamResponse:
    """Send the browser to the provider."""
    way = request.app.get(WAY)
    if way is None:
        raise web.HTTPNotFound
    next_ = request.query.get("next", "/")
    next_ = next_ if _PATH.fullmatch(next_) else "/"
    # Another site's page may not begin it: the person should know that they sign in.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return _back("", next_)
    redirect = own_origin(request) + CALLBACK
    try:
        address, begun = await way.provider.begin(redirect, next_, cookies.PROVIDER_S)
    except ProviderError as error:
        structlog.get_logger("sign-in").warning("provider_failed", why=str(error))
        return _back(error.code, next_)
    response = web.Response(status=303, headers={"Location": address})
    # Lax, since the browser comes back to us from another site.
    cookies.write(
        request,
        response,
        cookies.PROVIDER,
        seal(begun, way.key),
        cookies.PROVIDER_S,
        same_site="Lax",
    )
    return response


async def callback(request: web.Request) -> web.StreamResponse:
    """The browser is back from the provider."""
    way = request.app.get(WAY)
    if way is None:
        raise web.HTTPNotFound
    kept = cookies.read(request, cookies.PROVIDER, cookies.PROVIDER_MOST)
    begun = unseal(kept, way.key) if kept else None
    log = structlog.get_logger("sign-in")
    try:
        who = vouched(await way.provider.finish(begun, request.query), way.admission)
        assert begun is not None
        account = await _admitted(request, who, way.admission)
        fresh = await let_in(request, account, "provider")
        text = _ON.format(next=html.escape(begun.next))
        response = web.Response(text=text, content_type="text/html")
        set_cookies(request, response, fresh)
    except (ProviderError, NotAdmittedError) as error:
        log.warning("provider_sign_in_failed", why=str(error))
        response = _back(error.code, begun.next if begun is not None else "/")
        try:
            await failures.failed(request, "provider")
        except Refused:
            response = _back("failed", "/")
    except (PeopleError, Refused) as error:
        log.error("provider_sign_in_not_written", why=str(error))
        response = _back("failed", "/")
    # Once, whatever became of it.
    cookies.forget(request, response, cookies.PROVIDER, same_site="Lax")
    return response


async def _admitted(request: web.Request, who: Vouched, by: Admission) -> Account:
    people = request.app[PEOPLE]
    new, account = admit(people.everybody, who, by)
    if new != people.everybody:

        def edit(everybody: Everybody) -> Everybody:
            return admit(everybody, who, by)[0]

        detail = {"subject": who.subject, "roles": [g.role for g in who.roles]}
        entry = Entry(
            action="take over from provider",
            actor=Actor(account.person, who.name),
            personal=(of_person(account.person, target=account.person, **detail),),
        )
        try:
            await people.change(edit, request.app[AUDIT].alongside(entry))
        except RosterError as error:
            raise NotAdmittedError("unknown", str(error)) from None
    if by.roles and not who.roles:
        raise NotAdmittedError("no-role", "the provider gives them no role here")
    return account


def _back(code: str, next_: str) -> web.Response:
    query = {k: v for k, v in (("provider", code), ("next", next_)) if v and v != "/"}
    address = "/sign-in" + (f"?{urlencode(query)}" if query else "")
    return web.Response(status=303, headers={"Location": address})
