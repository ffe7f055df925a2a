"""Fetches a recording from the site's own web server, in the pieces that a player asks for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

CONNECT_S, READ_S = 5.0, 15.0
"""To be connected; and between two pieces of what comes."""

BYTES_MOST = 2 << 30
CHUNK = 64 * 1024
ASKED = ("Range", "If-Range")
TOLD = ("Content-Length", "Content-Range", "ETag", "Last-Modified")
GONE = (404, 410)
ONE_RANGE = re.compile(r"bytes=([0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})")


class GoneError(Exception):
    """The server has no such file."""


class UnreachableError(Exception):
    """It does not answer, or not with a recording."""


class Remote:
    """One session for all of it, made when it is needed first."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def ask(self, address: str, headers: Mapping[str, str]) -> AsyncIterator[ClientResponse]:
        """An answer of status 200, 206 or 416. No redirect is followed: it could lead anywhere.

        Raises:
            GoneError: there is no such file.
            UnreachableError: anything else, before the first byte.
        """
        if self._session is None:
            timeout = ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
            self._session = ClientSession(
                timeout=timeout, auto_decompress=False, cookie_jar=DummyCookieJar()
            )
        asked = {name: headers[name] for name in ASKED if name in headers}
        if not ONE_RANGE.fullmatch(asked.get("Range", "")):
            asked.clear()  # an answer in several parts is no sound
        asked["Accept-Encoding"] = "identity"
        try:
            url = URL(address, encoded=True)
            answer = await self._session.get(url, headers=asked, allow_redirects=False)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError(type(error).__name__) from None
        try:
            if answer.status in GONE:
                raise GoneError
            if answer.status not in (200, 206, 416):
                raise UnreachableError(f"status {answer.status}")
            if (answer.content_length or 0) > BYTES_MOST:
                raise UnreachableError("too long")
            yield answer
        finally:
            answer.close()
