"""The OpenAPI document, made from the table of routes and the wire's structs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from monitord.api import cookies, wire
from monitord.api.problems import answer
from monitord.api.route import Route

DOCUMENT = web.AppKey("openapi", dict[str, Any])

_REF = "#/components/schemas/{name}"
_ROWS: dict[str, type[Any]] = {
    "supervisions": wire.SupervisionDetail,
    "calls": wire.CallRow,
    "agent-status": wire.StatusRow,
    "gaps": wire.Gap,
}

_ABOUT = """\
Instants are whole milliseconds UTC since 1970, lengths whole milliseconds. Every error has the one
shape of ProblemDetail. What somebody may not see is left out: a list has only the rows of people
in their reach, an id of anybody else is unknown (404), and a phone number is masked where they may
not see it whole. `x-needs` names the permissions of a route; docs/rights.md tells who has them."""

_COOKIES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookies.name_of(cookies.SESSION, https=True),
        "description": "of a browser that reaches the page by https",
    },
    "sessionByHttp": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookies.name_of(cookies.SESSION, https=False),
        "description": "of one that reaches it by http, such as on the server itself",
    },
}
_TOKENS = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "an API token, for programs (docs/sign-in.md); it begins with mtd_",
    }
}


async def show(request: web.Request) -> web.Response:
    return answer(request.app[DOCUMENT])


def export_of(ledger: str) -> dict[str, Any]:
    """Schemas of an export by its media type."""
    row, gap = ({"$ref": _REF.format(name=t.__name__)} for t in (_ROWS[ledger], wire.Gap))
    properties: dict[str, Any] = {
        "ledger": {"const": ledger},
        "asked": {"type": "integer"},
        "filters": {"type": "object", "additionalProperties": {"type": "string"}},
        "expected": {"type": "integer", "minimum": 0},
        "entries": {"type": "array", "items": row},
        "gaps": {"type": "array", "items": gap},
        "complete": {"const": True},
        "rows": {"type": "integer", "minimum": 0},
    }
    whole = {"type": "object", "properties": properties, "required": list(properties)}
    return {"application/json": whole, "text/csv": {"type": "string"}}


_FLAGS: dict[str, Any] = {
    "asked": {"type": "integer"},
    "filters": {"type": "object", "additionalProperties": {"type": "string"}},
    "expected": {"type": "integer", "minimum": 0},
    "entries": {"type": "array", "items": {"$ref": _REF.format(name="FlagShown")}},
    "complete": {"const": True},
    "rows": {"type": "integer", "minimum": 0},
}
FLAGS_EXPORT: dict[str, Any] = {
    "application/json": {"type": "object", "properties": _FLAGS, "required": list(_FLAGS)},
    "text/csv": {"type": "string"},
}


def document(table: Iterable[Route]) -> dict[str, Any]:
    """OpenAPI 3.1. Stable: the same table gives the same bytes."""
    routes = [route for route in table if route.path.startswith("/api/")]
    structs = {t for r in routes for t in (r.body, r.gives) if t is not None}
    structs |= {wire.ProblemDetail, *_ROWS.values()}
    others = [wire.ServerFrame, wire.ClientMessage]
    _, components = msgspec.json.schema_components(
        [*sorted(structs, key=lambda t: t.__name__), *others], ref_template=_REF
    )
    for component in components.values():
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.address, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "monitord", "version": "1", "description": _ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {**_COOKIES, **_TOKENS},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    given: dict[str, Any] = {"summary": route.says, "x-needs": list(route.permissions)}
    given["security"] = [{scheme: []} for scheme in _ways_in(route)]
    parameters = [
        _parameter("path", name, {"type": "string", "pattern": f"^{pattern}$"}, True)
        for name, pattern in route.variables.items()
    ]
    for p in route.query:
        parameters.append(_parameter("query", p.name, p.schema, p.required, p.says))
    if parameters:
        given["parameters"] = parameters
    if route.body is not None:
        body = {"schema": {"$ref": _REF.format(name=route.body.__name__)}}
        given["requestBody"] = {"required": True, "content": {"application/json": body}}
    content = dict(route.content)
    if route.gives is not None:
        content["application/json"] = {"$ref": _REF.format(name=route.gives.__name__)}
    good: dict[str, Any] = {"description": "as asked"}
    if content:
        good["content"] = {kind: {"schema": schema} for kind, schema in content.items()}
    problem = {"schema": {"$ref": _REF.format(name="ProblemDetail")}}
    bad = {"description": "why not", "content": {"application/json": problem}}
    given["responses"] = {str(route.status): good, "default": bad}
    return given


def _ways_in(route: Route) -> Iterable[str]:
    """Names of the security schemes, any of which will do; none where everybody may."""
    if route.needs == "open":
        return ()
    return (*_COOKIES, *_TOKENS) if route.by_token else _COOKIES


def _parameter(
    where: str, name: str, schema: Any, required: bool, says: str = ""
) -> dict[str, Any]:
    given: dict[str, Any] = {"name": name, "in": where, "schema": schema}
    if required:
        given["required"] = True
    if says:
        given["description"] = says
    return given
