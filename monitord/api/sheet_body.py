"""A CSV file as the body of a request."""

from __future__ import annotations

import asyncio

from aiohttp import web

from monitord.api.problems import BODY_S, Refused

_BODY_S = 6 * BODY_S
"""A large file by a slow line takes longer than any other body."""


async def sheet_of(request: web.Request, most: int) -> bytes:
    """Larger than other bodies may be, so read here with a bound of its own, in bytes.

    Raises:
        Refused: it is none, is larger, or does not come in time.
    """
    if request.content_type != "text/csv":
        # Also what keeps another site's form from sending one, as with JSON.
        raise Refused(415, "the body must be text/csv")
    data = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for part in request.content.iter_any():
                data += part
                if len(data) > most:
                    raise Refused(413, f"the file is larger than {most >> 20} MB")
    except TimeoutError:
        raise Refused(408, f"the file did not come within {_BODY_S:g} s") from None
    except web.RequestPayloadError:
        raise Refused(400, "the body is not encoded as its headers say") from None
    return bytes(data)
