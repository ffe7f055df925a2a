"""A route with what it needs: none gets into the application without saying who may use it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from aiohttp import web

from monitord.api.keys import WHO, needs, needs_session
from monitord.api.problems import Refused
from monitord.people.permissions import Permission
from monitord.people.tokens import NEVER

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

Need = Permission | Literal["open", "session", "person", "page"]
"""``open``: also who has not signed in. ``session``: whoever has, or a program with their token.
``person``: they themselves only. ``page``: whoever has signed in, but for the sign-in page and its
assets (see ``api.session``)."""

Schema = Mapping[str, Any]

_PERMISSIONS = frozenset(get_args(Permission))


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a query string."""

    name: str
    schema: Schema
    says: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    """As the router takes it: ``/api/v1/things/{id:[0-9]+}``."""
    needs: Need | tuple[Permission, ...]
    handler: Handler
    says: str = ""
    """What it does, in a line."""
    query: tuple[Parameter, ...] = ()
    body: type[Any] | None = None
    """Struct of the JSON body."""
    gives: type[Any] | None = None
    """Struct of the JSON answer; None: an answer without a body, or what ``content`` says."""
    content: Mapping[str, Schema] = field(default_factory=dict)
    """Schema by media type, where the answer is no struct."""
    status: int = 200
    """Of the answer where all went well."""
    head: bool = True
    """A GET that HEAD may be asked of as well."""
    for_ever: bool = False
    """What cannot be undone is done by people themselves, not by a program with their token."""

    def __post_init__(self) -> None:
        """A misspelt need must not open the route to everybody who has signed in."""
        needs = self.needs if isinstance(self.needs, tuple) else (self.needs,)
        unknown = set(needs) - _PERMISSIONS - {"open", "session", "person", "page"}
        if unknown or not needs:
            raise ValueError(f"{self.method} {self.path}: there is no permission {unknown}")

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """All that are needed."""
        return self.needs if isinstance(self.needs, tuple) else _permission(self.needs)

    @property
    def by_token(self) -> bool:
        """Whether a program with somebody's API token may use it as well."""
        return self.needs != "person" and not self.for_ever and NEVER.isdisjoint(self.permissions)

    @property
    def address(self) -> str:
        """The path without the patterns of its variables: ``/api/v1/things/{id}``."""
        return _VARIABLE.sub(r"{\1}", self.path)

    @property
    def variables(self) -> dict[str, str]:
        """Pattern by name, of the path's variables."""
        return {name: pattern or "[^{}/]+" for name, pattern in _VARIABLE.findall(self.path)}


_VARIABLE = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")


def _permission(need: Any) -> tuple[Permission, ...]:
    return (need,) if need in _PERMISSIONS else ()


def add(app: web.Application, table: Iterable[Route]) -> None:
    """The only way in which routes get into the application."""
    for route in table:
        handler = _guarded(route)
        if route.method == "GET":
            app.router.add_get(route.path, handler, allow_head=route.head)
        else:
            app.router.add_route(route.method, route.path, handler)


def _guarded(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if route.needs not in ("open", "page") and WHO not in request:
            raise Refused(401, "sign in first")
        for permission in route.permissions:
            needs(request, permission)
        if not route.by_token:
            needs_session(request)
        return await route.handler(request)

    return handle
