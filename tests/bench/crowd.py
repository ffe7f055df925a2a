"""A process with many clients of the stream, as light as can be: frames are cut and counted, not
read, but for the probes in them."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import resource
import select
import socket
import time
from typing import Any

from tests.bench.worker import serve
from tests.kit.client import Client

_PROBE = re.compile(rb"probe-(\d+)\.")
SUBSCRIBE = b'{"type":"subscribe"}'
STALLED_TAKES = 4096
"""Bytes of the kernel's buffer for a client that does not read; it makes some more of it."""


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with nothing."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


class Page(asyncio.Protocol):
    """One client."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd, self._request = crowd, request
        self._buffer = bytearray()
        self._upgraded = False
        self.lost = False
        self.forget()

    def forget(self) -> None:
        self.frames = self.bytes = self.others = self.longest = 0
        self.level_at = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.crowd.changed.set()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self.bytes += len(data)
        buffer = self._buffer
        buffer += data
        if not self._upgraded:
            head, found, rest = bytes(buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head[:20]:
                raise RuntimeError(head.decode())
            self._upgraded = True
            buffer[:] = rest
            self.transport.write(masked(1, SUBSCRIBE))
        at, size = 0, len(buffer)
        while size - at >= 2:
            length, head = buffer[at + 1], 2
            if length > 125:
                head = 4 if length == 126 else 10
                if size - at < head:
                    break
                length = int.from_bytes(buffer[at + 2 : at + head])
            if size - at < head + length:
                break
            start, at = at + head, at + head + length
            self._take(buffer[start - head] & 15, bytes(buffer[start:at]), now)
        del buffer[:at]

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == 9:
            self.transport.write(masked(10, payload))
            return
        self.frames += 1
        if not payload.startswith(b'{"type":"delta"'):
            self.others += 1
            if not self.level_at and not self.crowd.word and payload.startswith(b'{"type":"pong"'):
                self.level_at = now
                self.crowd.changed.set()
        self.longest = max(self.longest, len(payload))
        crowd = self.crowd
        if crowd.probing:
            for found in _PROBE.findall(payload):
                crowd.seen.append((int(found), now))
        if crowd.word and crowd.word in payload:
            self.level_at = now
            crowd.changed.set()


class Crowd:
    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.stalled: list[tuple[socket.socket, float]] = []
        self.seen: list[tuple[int, float]] = []
        self.probing = False
        self.word = b""
        self.changed = asyncio.Event()
        self._cookies: dict[str, str] = {}

    async def _cookie(self, url: str, login: str) -> str:
        if login not in self._cookies:
            async with Client(url) as client:
                status = await client.sign_in(login)
                if status != 200:
                    raise RuntimeError(f"{login} could not sign in: {status}")
                self._cookies[login] = client.cookie
        return self._cookies[login]

    def _request(self, url: str, cookie: str) -> bytes:
        host = url.partition("://")[2]
        key = base64.b64encode(os.urandom(16)).decode()
        return (
            f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {url}\r\nCookie: {cookie}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n"
        ).encode()

    async def open(self, url: str, logins: list[str]) -> int:
        """A client for each, as often as it is named; ready when all have the first picture."""
        host, port = url.partition("://")[2].split(":")
        loop = asyncio.get_running_loop()
        fresh = []
        for login in logins:
            request = self._request(url, await self._cookie(url, login))
            _, page = await loop.create_connection(
                lambda request=request: Page(self, request),  # type: ignore[misc]
                host,
                int(port),
            )
            fresh.append(page)
        self.pages += fresh
        await self._level(fresh)
        return len(self.pages)

    async def connect(self, port: int, count: int) -> int:
        """Bare connections, to something that is no websocket server but sends its frames."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, page = await loop.create_connection(lambda: Page(self, b""), "127.0.0.1", port)
            page._upgraded = True
            self.pages.append(page)
        return len(self.pages)

    async def _level(self, pages: list[Page]) -> None:
        async with asyncio.timeout(90):
            while not all(p.level_at for p in pages):
                if any(p.lost for p in pages):
                    raise RuntimeError("a client was cut")
                self.changed.clear()
                await self.changed.wait()

    async def begin(self, word: str = "", probing: bool = False) -> None:
        """Count anew; note who has seen the word, and when which probe came."""
        self.word, self.probing = word.encode(), probing
        self.seen.clear()
        for page in self.pages:
            page.forget()

    async def all_saw(self) -> float:
        """When the last of them has seen the word that ``begin`` was given."""
        await self._level(self.pages)
        return max(p.level_at for p in self.pages)

    async def arrived(self, probe: int, times: int) -> None:
        """When so many of them have seen that probe."""
        async with asyncio.timeout(60):
            while sum(n == probe for n, _ in self.seen[-1000:]) < times:
                await asyncio.sleep(0.01)

    async def told(self) -> dict[str, Any]:
        return {
            "frames": [p.frames for p in self.pages],
            "bytes": [p.bytes for p in self.pages],
            "others": [p.others for p in self.pages],
            "lost": sum(p.lost for p in self.pages),
            "longest": max((p.longest for p in self.pages), default=0),
            "seen": self.seen,
        }

    async def stall(self, url: str, login: str) -> None:
        """A client that asks for everything and reads nothing."""
        host, port = url.partition("://")[2].split(":")
        request = self._request(url, await self._cookie(url, login))
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_TAKES)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, (host, int(port)))
        await loop.sock_sendall(sock, request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += await loop.sock_recv(sock, 1)
        await loop.sock_sendall(sock, masked(1, SUBSCRIBE))
        self.stalled.append((sock, time.monotonic()))

    async def cut(self, seconds: float) -> float | None:
        """Seconds from when the stalled client stopped reading to its cut; None where it is still
        connected after so many."""
        ((sock, began),) = self.stalled
        watch = select.poll()
        watch.register(sock, 0)  # its end only
        while time.monotonic() < began + seconds:
            if watch.poll(0):
                return time.monotonic() - began
            await asyncio.sleep(0.01)
        return None


async def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd()
    names = ("open", "connect", "begin", "all_saw", "arrived", "told", "stall", "cut")
    await serve({name: getattr(crowd, name) for name in names})


if __name__ == "__main__":
    asyncio.run(main())
