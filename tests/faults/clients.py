"""Clients of the live stream, who come and go, each with what its audience may see (I6)."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMessage, WSMsgType

from monitord.api.stream import Streams, epoch_of
from monitord.domain.views import Entity
from monitord.live.hub import Hub
from monitord.people.audience import Audience
from monitord.people.roster import EVERYBODY, NOBODY, Reach

Key = tuple[str, str]

_decode = msgspec.json.decode


def _reach(*people: str) -> Reach:
    return Reach(frozenset(people))


def audiences(people: list[str], supervisors: list[str]) -> list[Audience]:
    """Of somebody who sees all, of a team's leader, of a supervisor, and of an agent."""
    half, mine = _reach(*people[::2]), _reach(supervisors[0])
    return [
        Audience(EVERYBODY, EVERYBODY, EVERYBODY, numbers=True, alerts=True),
        Audience(half, half, half, numbers=False),
        Audience(EVERYBODY, half, mine, numbers=True),
        Audience(_reach(people[0]), NOBODY, _reach(people[0]), numbers=False),
    ]


class Line:
    """A client's end of the wire: takes frames apart, and understands compressed ones."""

    def __init__(self, take: Callable[[bytes], None], gone: Callable[[], None]) -> None:
        self._take, self._gone = take, gone
        self._inflate = zlib.decompressobj(wbits=-15)
        self._waiting: list[bytes] = []
        self._reads = True
        self._closed = False

    def read(self, *, on: bool) -> None:
        """Whether the client takes what is sent to it."""
        self._reads = on
        while on and self._waiting:
            self._got(self._waiting.pop(0))

    def write(self, frame: bytes) -> None:
        if self._closed:
            return
        if self._reads:
            self._got(frame)
        else:
            self._waiting.append(frame)

    def _got(self, frame: bytes) -> None:
        size = frame[1]
        at = {126: 4, 127: 10}.get(size, 2)
        length = int.from_bytes(frame[2:at]) if at > 2 else size
        payload = frame[at:]
        assert len(payload) == length and frame[0] in (0x81, 0xC1), "no whole text message"
        if frame[0] == 0xC1:
            payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
        self._take(payload)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self._waiting))

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self._closed

    def abort(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._gone()


class Socket:
    """A client's websocket, without the network."""

    compress = 15

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self.headers = {"Sec-WebSocket-Extensions": "permessage-deflate"}
        self.line: Any = Line(take, self.go)
        self._said: asyncio.Queue[WSMessage] = asyncio.Queue()

    def say(self, message: dict[str, Any]) -> None:
        self._said.put_nowait(WSMessage(WSMsgType.TEXT, msgspec.json.encode(message).decode(), ""))

    def go(self) -> None:
        self._said.put_nowait(WSMessage(WSMsgType.CLOSED, None, None))

    async def receive(self) -> WSMessage:
        return await self._said.get()

    def __aiter__(self) -> Socket:
        return self

    async def __anext__(self) -> WSMessage:
        message = await self.receive()
        if message.type is WSMsgType.CLOSED:
            raise StopAsyncIteration
        return message

    async def close(self, *, code: int) -> None:
        self.go()


class Viewer:
    """Somebody with a page, which is what its frames have made of it."""

    def __init__(
        self,
        hub: Hub,
        streams: Streams,
        seen_by: list[Audience],
        chance: random.Random,
        wild: Callable[[], bool],
        took: Callable[[bytes], None],
    ) -> None:
        """``seen_by``: the audiences that it may come to belong to, the first one at first."""
        self.page: dict[Key, dict[str, Any]] = {}
        self.seen_by, self.audience = seen_by, seen_by[0]
        self._hub, self._streams = hub, streams
        self._chance, self._wild, self._took = chance, wild, took
        self._shown_as = seen_by[0]
        self._epoch, self._seq = "", -1
        self._built: dict[Key, tuple[Entity, dict[str, Any]]] = {}
        self.checked = 0
        self.resets = 0

    async def run(self) -> None:
        """Until cancelled: there for a while, away for a while."""
        chance = self._chance
        while True:
            socket = Socket(self._take)
            told: list[Callable[[], None]] = []

            def on_change(
                listener: Callable[[], None], told: list[Callable[[], None]] = told
            ) -> Callable[[], None]:
                told.append(listener)
                return told.clear

            served = asyncio.create_task(
                self._streams.serve(socket, socket.line, lambda: self.audience, on_change)  # type: ignore[arg-type]
            )
            place = {"epoch": self._epoch, "seq": self._seq} if self._seq >= 0 else {}
            socket.say({"type": "subscribe", **place})
            await self._stay(socket, told, served)
            socket.go()
            await served
            await asyncio.sleep(chance.choice((0, 0.2, 3, 10)))

    async def _stay(
        self, socket: Socket, told: list[Callable[[], None]], served: asyncio.Task[None]
    ) -> None:
        chance = self._chance
        for _ in range(chance.randint(1, 4)):
            await asyncio.wait([served], timeout=chance.uniform(1, 60))
            while not self._wild() and not served.done():
                await asyncio.wait([served], timeout=60)  # in the end all are there
            if served.done():
                return
            socket.say({"type": "ping", "n": 1})
            if len(self.seen_by) > 1 and chance.random() < 0.2:
                self.audience = chance.choice(self.seen_by)
                for listener in list(told):
                    listener()
            if chance.random() < 0.1:
                socket.line.read(on=False)  # until it is cut
                await asyncio.wait([served], timeout=chance.uniform(1, 12))
                socket.line.read(on=True)

    # --- what the page does ----------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        self._took(data)
        frame = _decode(data)
        if frame["type"] != "delta":
            return
        changed: set[Key] = set()
        if frame.get("reset"):
            self.resets += 1
            # What it may see can have changed while this was on its way.
            self._shown_as = next(
                a for a in self.seen_by if epoch_of(self._hub, a) == frame["epoch"]
            )
            changed |= self.page.keys()
            self.page.clear()
        else:
            assert frame["epoch"] == self._epoch, "another epoch without a reset"
            assert frame.get("after", 0) <= self._seq < frame["seq"], "a frame was left out"
        self._epoch, self._seq = frame["epoch"], frame["seq"]
        for entity in frame.get("add", ()):
            key = entity["kind"], entity["id"]
            self.page[key] = entity
            changed.add(key)
        for patch in frame.get("change", ()):
            key = patch["kind"], patch["id"]
            self.page[key].update(patch["set"])
            changed.add(key)
        for ref in frame.get("remove", ()):
            key = ref["kind"], ref["id"]
            del self.page[key]
            changed.add(key)
        if self._seq == self._hub.seq:
            self.check(changed)

    # --- what it should be -----------------------------------------------------------------

    def check(self, only: set[Key] | None = None) -> None:
        """Its page is what it may see of the state. ``only`` what a frame has changed, since what
        none has changed was right before; None for all."""
        now = {self._key(e): e for e in self._hub.picture() if self._shown_as.sees(e)}
        assert now.keys() == self.page.keys(), "not the same is shown"
        for key in now if only is None else only & now.keys():
            assert self.page[key] == self._made(key, now[key]), f"{key} is shown otherwise"
        self.checked += 1

    def check_all(self) -> None:
        assert self._shown_as is self.audience, "it does not see what it may"
        self.check()

    @staticmethod
    def _key(entity: Entity) -> Key:
        return type(entity).__struct_config__.tag, entity.id  # type: ignore[return-value]

    def _made(self, key: Key, entity: Entity) -> dict[str, Any]:
        known = self._built.get(key)
        if known is None or known[0] is not entity:
            made: dict[str, Any] = msgspec.to_builtins(entity)
            known = self._built[key] = (entity, made)
        if key[0] in ("call", "supervision"):
            masked: dict[str, Any] = msgspec.to_builtins(self._shown_as.view(entity))
            return masked
        return known[1]
