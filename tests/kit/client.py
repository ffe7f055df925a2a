"""Clients of the daemon: HTTP as a browser would, the stream by the `websockets` library, which
is not the server's implementation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

from tests.kit.daemon import PASSWORD

DEADLINE = 15.0


class Client:
    """Somebody who is signed in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = aiohttp.ClientSession(
            url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": url}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.close()

    async def sign_in(self, login: str, password: str = PASSWORD) -> int:
        body = {"login": login, "password": password}
        async with self.http.post("/api/v1/session", json=body) as response:
            return response.status

    async def get(self, path: str, **params: str) -> Any:
        async with self.http.get(path, params=params) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def disconnect(
        self, supervision: str, *, drops_customer: bool = False
    ) -> tuple[int, Any]:
        path = f"/api/v1/supervisions/{supervision}/disconnect"
        body = {"drops_customer": True} if drops_customer else {}
        async with self.http.post(path, json=body) as response:
            return response.status, await response.json()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{c.key}={c.value}" for c in self.http.cookie_jar)

    @asynccontextmanager
    async def stream(self, **place: Any) -> AsyncIterator[Stream]:
        address = self.url.replace("http", "ws", 1) + "/api/v1/stream"
        headers = {"Cookie": self.cookie}
        async with connect(
            address, origin=self.url, additional_headers=headers, max_size=None
        ) as socket:
            await socket.send(json.dumps({"type": "subscribe", **place}))
            yield Stream(socket)


class Stream:
    """Keeps what the frames tell, by kind and id, as the page does."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Any] = []
        self.entities: dict[str, dict[str, Any]] = {
            kind: {}
            for kind in (
                *("pbx", "agent", "call", "supervision", "alert", "notice"),
                "flag",
            )
        }
        self.epoch, self.seq = "", -1
        self._pings = 0

    async def next(self) -> Any:
        async with asyncio.timeout(DEADLINE):
            text = await self.socket.recv()
        assert isinstance(text, str)
        frame = json.loads(text)
        self.frames.append(frame)
        if frame["type"] == "delta":
            self._apply(frame)
        return frame

    def _apply(self, frame: Any) -> None:
        if frame.get("reset"):
            for entities in self.entities.values():
                entities.clear()
        else:
            # What this client may see nothing of has its place in the stream as well.
            assert frame.get("after", 0) <= self.seq < frame["seq"], "a frame was left out"
        self.epoch, self.seq = frame["epoch"], frame["seq"]
        for entity in frame.get("add", ()):
            self.entities[entity["kind"]][entity["id"]] = entity
        for patch in frame.get("change", ()):
            self.entities[patch["kind"]][patch["id"]].update(patch["set"])
        for ref in frame.get("remove", ()):
            del self.entities[ref["kind"]][ref["id"]]

    def of(self, kind: str) -> list[Any]:
        return list(self.entities[kind].values())

    async def level(self) -> None:
        """Take all that the server has sent up to now."""
        self._pings += 1
        n = self._pings
        await self.socket.send(json.dumps({"type": "ping", "n": n}))
        await self.until(lambda s: any(f.get("n") == n for f in s.frames[-1:]), "the pong")

    async def until(self, condition: Callable[[Stream], Any], what: str = "") -> Any:
        """The condition's first true value; fails with what was seen after a deadline."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not (value := condition(self)):
                    await self.next()
                return value
        except TimeoutError:
            raise AssertionError(
                f"never seen: {what or condition}; last: {json.dumps(self.entities)[:3000]}"
            ) from None
