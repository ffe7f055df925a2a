"""API tokens: made, listed and revoked on the page, by people, never by a token."""

from __future__ import annotations

from aiohttp import web

from monitord.api import wire
from monitord.api.account import not_written
from monitord.api.keys import PEOPLE, TOKENS, WHO
from monitord.api.problems import Refused, answer, body_of, only
from monitord.audit.log import audited
from monitord.people.permissions import Permission
from monitord.people.signin import Who
from monitord.people.store import Alongside, PeopleError
from monitord.people.tokens import NEVER, Token, TooManyTokensError


async def tokens(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    return answer(_listed(request, who, request.app[TOKENS].of(who.id)))


async def all_tokens(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    return answer(_listed(request, who, request.app[TOKENS].of()))


async def make(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    body = await body_of(request, wire.NewToken)
    if not body.name.strip():
        raise Refused(400, "must be 1 to 100 characters long", "name")
    wanted = frozenset(body.permissions)
    for permission in body.permissions:
        if permission not in _grantable(who):
            raise Refused(400, f"you cannot give a token {permission}", "permissions")

    def alongside(token: Token) -> Alongside:
        detail = {
            "name": token.name,
            "permissions": sorted(token.permissions),
            "expires": token.expires,
        }
        return audited(who.id, who.name, "make token", token.id, detail)

    try:
        text, token = await request.app[TOKENS].make(
            who.id, body.name.strip(), wanted, body.days, alongside
        )
    except TooManyTokensError as error:
        raise Refused(409, str(error)) from None
    except PeopleError as error:
        raise not_written("token_not_made", error) from None
    return answer(wire.MadeToken(_shown(request, token), text), status=201)


async def revoke(request: web.Request) -> web.Response:
    who = request[WHO]
    only(request)
    held = request.app[TOKENS]
    found = held.get(request.match_info["id"])
    if found is None or (found.person != who.id and not who.rights.may("session.end")):
        raise Refused(404, "there is no such token", "id")
    detail = {"name": found.name, "person": found.person}
    try:
        await held.revoke(found.id, audited(who.id, who.name, "revoke token", found.id, detail))
    except PeopleError as error:
        raise not_written("token_end_not_written", error) from None
    return web.Response(status=204)


def _grantable(who: Who) -> list[Permission]:
    if not who.rights.may("token.make"):
        return []
    return [p for p in who.rights.permissions if p not in NEVER]


def _listed(request: web.Request, who: Who, found: list[Token]) -> wire.ApiTokens:
    return wire.ApiTokens([_shown(request, t) for t in found], _grantable(who))


def _shown(request: web.Request, token: Token) -> wire.ApiToken:
    return wire.ApiToken(
        id=token.id,
        person=wire.Someone(token.person, request.app[PEOPLE].name_of(token.person)),
        name=token.name,
        permissions=sorted(token.permissions),
        created=token.created,
        expires=token.expires,
        used=token.used,
    )
