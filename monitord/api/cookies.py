"""The cookies: their names, and how they are bound to this very server.

Where the page is reached by https their names begin with ``__Host-``: browsers take such a cookie
only from this host itself, over TLS, for all of its paths. Neither another name of the site's
domain nor somebody on the way can then put one into a browser.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from monitord.api.edge import is_secure

SESSION = "monitord_session"
DEVICE, DEVICE_S, DEVICE_MOST = "monitord_device", 400 * 24 * 3600, 200
"""By which a browser is known again that has signed in before (see ``people.tries``)."""

PROVIDER, PROVIDER_S, PROVIDER_MOST = "monitord_provider", 600, 3500
"""What a sign-in at the provider began with, until it is back."""


def name_of(name: str, *, https: bool) -> str:
    """As browsers have it that came by https, or not."""
    return f"__Host-{name}" if https else name


def _name(request: web.Request, name: str) -> str:
    return name_of(name, https=is_secure(request))


def read(request: web.Request, name: str, longest: int = 200) -> str:
    """Empty where there is none, or none that could be ours."""
    value = request.cookies.get(_name(request, name), "")
    return value if len(value) <= longest else ""


def write(
    request: web.Request,
    response: web.StreamResponse,
    name: str,
    value: str,
    age_s: int,
    same_site: Literal["Strict", "Lax"] = "Strict",
) -> None:
    response.set_cookie(
        _name(request, name),
        value,
        max_age=age_s,
        path="/",
        httponly=True,
        samesite=same_site,
        secure=is_secure(request),
    )


def forget(
    request: web.Request,
    response: web.StreamResponse,
    name: str,
    same_site: Literal["Strict", "Lax"] = "Strict",
) -> None:
    response.del_cookie(
        _name(request, name),
        path="/",
        httponly=True,
        samesite=same_site,
        secure=is_secure(request),
    )
