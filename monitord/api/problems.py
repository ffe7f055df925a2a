"""Errors of the HTTP API: one shape, with the field that is to blame and the rule it broke."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from aiohttp import web

from monitord.api.wire import ProblemDetail, encode
from monitord.blame import blame

T = TypeVar("T")

BODY_MOST = 64 * 1024
"""Bytes of a request's body."""

BODY_S = 10.0
"""In which it must have come."""

_NAMES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    412: "changed_meanwhile",
    413: "too_large",
    415: "unsupported_media_type",
    428: "version_required",
    429: "too_many_requests",
    503: "unavailable",
}


def problem(
    status: int, message: str, field: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    body = encode(ProblemDetail(_NAMES.get(status, "error"), message, field))
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def answer(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode(body), content_type="application/json")


class Refused(Exception):  # it is an answer, not an error of ours
    """Ends a handler with a problem."""

    def __init__(
        self,
        status: int,
        message: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.response = problem(status, message, field, headers)


async def body_of(request: web.Request, cls: type[T]) -> T:
    """The request's JSON body as a typed struct.

    Raises:
        Refused: not JSON, too large, or a field breaks its rule.
    """
    if request.content_type != "application/json":
        # A form of another site can send anything but this type, so it also stops forged
        # requests (OWASP, CSRF).
        raise Refused(415, "the body must be application/json")
    try:
        async with asyncio.timeout(BODY_S):
            raw = await request.read()
    except TimeoutError:
        raise Refused(408, f"the body did not come within {BODY_S:g} s") from None
    except web.RequestPayloadError:
        raise Refused(400, "the body is not encoded as its headers say") from None
    try:
        return msgspec.json.decode(raw, type=cls)
    except msgspec.ValidationError as error:
        key, rule = blame(str(error))
        raise Refused(400, rule, key or None) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {error}") from None


def whole(request: web.Request, name: str, low: int, high: int) -> int | None:
    """A whole number of the query string, None where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 17):
        raise Refused(400, "must be a whole number", name)
    value = int(text)
    if not low <= value <= high:
        raise Refused(400, f"must be from {low} to {high}", name)
    return value


def text(request: web.Request, name: str, longest: int = 300) -> str | None:
    """A text of the query string, None where it is not given."""
    value = request.query.get(name)
    if value is None:
        return None
    if not value or len(value) > longest:
        raise Refused(400, f"must be 1 to {longest} characters long", name)
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise Refused(400, "control characters are not allowed", name)
    return value


def one_of(request: web.Request, name: str, choices: Iterable[str]) -> str | None:
    """A word of a closed list in the query string, None where it is not given."""
    value = request.query.get(name)
    if value is not None and value not in (known := list(choices)):
        raise Refused(400, f"must be one of: {', '.join(known)}", name)
    return value


def only(request: web.Request, *names: str) -> None:
    """Refuse a parameter that would silently do nothing, and one given twice."""
    for name in request.query:
        if name not in names:
            there_are = f"there are: {', '.join(names)}" if names else "there are none"
            raise Refused(400, f"there is no such parameter; {there_are}", name[:100])
        if len(request.query.getall(name)) > 1:
            raise Refused(400, "may be given only once", name)
