"""Where a request really comes from: the client's address and whether it came by https.

Directly, or by a proxy that the settings name (``server.proxies``). What a proxy adds about the
client counts only from these; from everybody else such headers are a claim and are not looked at.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HOPS_MOST = 20
"""Addresses of X-Forwarded-For that are looked at."""

HSTS = "max-age=31536000"
"""Not for subdomains: they are not ours to promise for."""


class Edge(Struct, frozen=True):
    """How the page is reached, as the settings say."""

    origins: frozenset[str]
    """Further addresses of the page, letter by letter as browsers send them."""
    secure_cookie: bool
    proxies: tuple[Network, ...]


class Came(Struct, frozen=True):
    """How one request came."""

    address: str
    https: bool


EDGE = web.AppKey("edge", Edge)
_CAME = web.RequestKey("came", Came)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks such as ``127.0.0.1`` and ``10.0.0.0/8``.

    Raises:
        ValueError: one is neither.
    """
    return tuple(ipaddress.ip_network(text) for text in texts)


def came(request: web.Request) -> Came:
    found = request.get(_CAME)
    if found is None:
        found = request[_CAME] = _came(request, request.app[EDGE].proxies)
    return found


def _came(request: web.Request, proxies: tuple[Network, ...]) -> Came:
    direct = Came(request.remote or "unknown", request.scheme == "https")
    if not _within(_address(direct.address), proxies):
        return direct
    client = _client(",".join(request.headers.getall("X-Forwarded-For", [])), proxies)
    # The last one is what the proxy next to us has set itself.
    proto = ",".join(request.headers.getall("X-Forwarded-Proto", [])).rpartition(",")[2]
    https = proto.strip().lower() == "https" if proto else direct.https
    return Came(str(client) if client is not None else direct.address, https)


def _client(forwarded: str, proxies: tuple[Network, ...]) -> Address | None:
    """From the right, since each proxy adds there whom it was asked by: the first one that is no
    proxy of ours. What stands left of it anybody may have written."""
    client = None
    for text in reversed(forwarded.split(",")[-HOPS_MOST:]):
        hop = _address(text.strip())
        if hop is None:
            break
        client = hop
        if not _within(hop, proxies):
            break
    return client


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    # As a socket that listens on both families tells an IPv4 client.
    return getattr(found, "ipv4_mapped", None) or found


def _within(address: Address | None, proxies: tuple[Network, ...]) -> bool:
    return address is not None and any(address in network for network in proxies)


def is_secure(request: web.Request) -> bool:
    """Whether the browser has come by https, so that its cookies may be bound to that."""
    return request.app[EDGE].secure_cookie or came(request).https


def own_origin(request: web.Request) -> str:
    """The page's address as this request's browser has it."""
    return f"{'https' if came(request).https else 'http'}://{request.host}"


def same_origin(request: web.Request) -> bool:
    """Whether a browser says that one of our own pages is asking. A request without Origin comes
    from no browser's script and passes here; the stream demands one."""
    origin = request.headers.get("Origin")
    if origin is None:
        # A browser that says nothing else still says this of another site's form.
        return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    origins = request.app[EDGE].origins
    if origin in origins:
        return True
    # Any name can be made to point here (DNS rebinding), so where the settings say by which names
    # the page is reached, no other one counts; an address cannot be made to.
    return origin == own_origin(request) and (not origins or _is_literal(request.host))


def _is_literal(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name == "localhost" or _address(name.strip("[]")) is not None
