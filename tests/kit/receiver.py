"""A real HTTP server that webhooks are sent to, which does what a test tells it to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

SECRET = "a secret of the receiver"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def taken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


def status(code: int, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return answer


@dataclass
class Receiver:
    port: int = 0
    answer: Answer = taken
    got: list[Any] = field(default_factory=list)
    """Bodies of all requests, those included that were not taken."""
    heads: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    hung: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.paths.append(request.path)
        assert_signed(request.headers["Monitord-Signature"], body)
        self.got.append(msgspec.json.decode(body))
        self.heads.append(dict(request.headers))
        return await self.answer(request)

    async def hang(self, _: web.Request) -> web.StreamResponse:
        self.hung.set()
        await asyncio.Event().wait()
        raise AssertionError

    def settings(self) -> str:
        return f'\n[[webhook]]\nurl = "{self.url}"\nsecret_file = "hook-key"\nevents = ["notice"]\n'


def assert_signed(head: str, body: bytes, secret: str = SECRET) -> None:
    """As a receiver has to check it."""
    parts = dict(part.split("=", 1) for part in head.split(","))
    signed = f"{int(parts['t'])}.".encode() + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, parts["v1"])


@asynccontextmanager
async def receiving(receiver: Receiver | None = None) -> AsyncIterator[Receiver]:
    """``receiver``: one that was there before, which comes back on its port."""
    receiver = receiver or Receiver()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", receiver.port, reuse_address=True)
        await site.start()
        receiver.port = runner.addresses[0][1]
        yield receiver
    finally:
        await runner.cleanup()
