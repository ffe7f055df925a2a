"""Listening for browsers: TLS, and bounds on those who connect and say nothing.

A connection of which no whole request head has come within ``HEAD_S`` is closed, so that slow ones
cannot take all places. After that aiohttp closes one on which nothing is asked for ``IDLE_S``.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
from pathlib import Path

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

HEAD_S = 15.0
"""In which the first request's line and headers must have come."""

IDLE_S = 75.0
"""Longer than nginx keeps one to us, or it would now and then ask on one that just closes."""

HANDSHAKE_S = 10.0

WAITING_MOST = 2000
"""Connections at a time of which no request has come yet; the oldest gives way."""

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: those with forward secrecy and authenticated encryption. 1.3 has no others."""


class TlsError(Exception):
    """Certificate or key cannot be used. The text names the setting, the file and why."""


class Tls:
    def __init__(self, certificate: Path, key: Path) -> None:
        """
        Raises:
            TlsError: with what is wrong.
        """
        self._certificate, self._key = certificate, key
        self.context = self._load()

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self._read_into(context)
        return context

    def _read_into(self, context: ssl.SSLContext) -> None:
        for name, path in (("tls_certificate", self._certificate), ("tls_key", self._key)):
            try:
                with path.open("rb") as file:
                    mode = os.fstat(file.fileno()).st_mode
            except OSError as error:
                raise TlsError(f"server.{name}: {path} cannot be read: {error.strerror}") from None
            if name == "tls_key" and mode & stat.S_IROTH:
                raise TlsError(f"server.tls_key: {path} can be read by everybody; chmod it to 600")
        try:
            # Without this an encrypted key would be asked for on the terminal.
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        except (ssl.SSLError, OSError, ValueError) as error:
            why = getattr(error, "reason", None) or error
            raise TlsError(
                f"server.tls_certificate, server.tls_key: {self._certificate} and {self._key} "
                f"cannot be used together: {why}"
            ) from None

    def reload(self) -> None:
        """Read both files again, for the connections that come from now on.

        Raises:
            TlsError: they cannot be used; the old ones stay in use.
        """
        self._load()  # as a try, since a context keeps what it has taken in halfway
        self._read_into(self.context)


class Site(web.BaseSite):
    """One address that is listened on."""

    def __init__(
        self, runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(runner, ssl_context=context)
        self._host, self._port = host, port
        self._waiting: dict[RequestHandler, asyncio.TimerHandle] = {}

    @property
    def name(self) -> str:
        return f"{'https' if self._ssl_context else 'http'}://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connection,
            self._host,
            self._port,
            ssl=self._ssl_context,
            ssl_handshake_timeout=HANDSHAKE_S if self._ssl_context else None,
            backlog=self._backlog,
        )

    def _connection(self) -> RequestHandler:
        server = self._runner.server
        assert server is not None
        while len(self._waiting) >= WAITING_MOST:
            self._give_up(next(iter(self._waiting)))
        handler = server()
        loop = asyncio.get_running_loop()
        # With TLS the handshake comes first, and has a deadline of its own.
        wait_s = HEAD_S + (HANDSHAKE_S if self._ssl_context else 0)
        self._waiting[handler] = loop.call_later(wait_s, self._give_up, handler)
        return handler

    def has_asked(self, handler: RequestHandler) -> None:
        """A whole head has come on it."""
        timer = self._waiting.pop(handler, None)
        if timer is not None:
            timer.cancel()

    def _give_up(self, handler: RequestHandler) -> None:
        self.has_asked(handler)
        handler.force_close()
