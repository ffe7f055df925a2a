"""A time zone in the query string."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from monitord.api.problems import Refused, text


def zone_of(request: web.Request) -> tzinfo:
    """That of ``zone``, UTC where it is not given.

    Raises:
        Refused: there is no such zone.
    """
    name = text(request, "zone", 64)
    try:
        return UTC if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(400, "is no time zone, such as Europe/Berlin", "zone") from None
