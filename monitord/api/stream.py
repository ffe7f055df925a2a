"""The websocket stream: one bounded queue per client, one encoding per audience.

A client that cannot keep up is cut with a reason and comes back to where it was; nobody waits for
it. The first frame is a delta from nothing, so a client has one code path.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from monitord import __version__
from monitord.api import wire
from monitord.domain.reducer import differences
from monitord.domain.views import Entity
from monitord.live.hub import Frame, Hub
from monitord.people.audience import Audience

HEARTBEAT_S = 5.0
QUEUE_MOST = 2000
"""Frames that may wait for one client."""

QUEUE_BYTES_MOST = 2 << 20
MISSED_MOST = 500
MISSED_BYTES_MOST = 512 << 10
"""What a client that comes back may have missed; beyond that everything anew is cheaper."""

SEND_S = 5.0
"""A single write that takes longer means that the client does not read."""

MESSAGE_MOST = 4096
"""Bytes of a message from a client."""

MESSAGES_MOST, MESSAGES_S = 50, 10.0
"""Messages that a client may send in that many seconds."""

FIRST_MESSAGE_S = 10.0
_OVER = "this session is over; sign in again"
CLIENTS_MOST = 5000

_CLOSE_CODES: dict[str, int] = {
    "shutdown": WSCloseCode.GOING_AWAY,
    "too_slow": WSCloseCode.TRY_AGAIN_LATER,
    "signed_out": WSCloseCode.POLICY_VIOLATION,
    "bad_message": WSCloseCode.POLICY_VIOLATION,
}

_decode = msgspec.json.Decoder(wire.ClientMessage).decode


def encode_frame(frame: Frame, epoch: str, audience: Audience, after: int) -> bytes | None:
    """Once per frame and audience, whoever gets it; None where the audience sees nothing of it.
    ``after``: the place of the last frame before it of which it saw something.

    What comes into sight by a change (a call gets an agent of the own team) is added, what goes out
    of it is removed. A page cannot tell that from a beginning and an end.
    """
    key = (audience, after)
    if key in frame.encoded:
        return frame.encoded[key]
    delta = wire.Delta(epoch=epoch, seq=frame.seq, after=after, at=frame.at)
    add: list[Entity] = []
    patches: list[wire.Patch] = []
    remove: list[wire.Ref] = []
    for change in frame.changes:
        old, new = audience.view(change.old), audience.view(change.new)
        kind = cast(wire.Kind, change.kind)
        if new is None:
            if old is not None:
                remove.append(wire.Ref(kind, change.id))
        elif old is None:
            add.append(new)
        elif old != new:
            patches.append(wire.Patch(kind, change.id, differences(old, new)))
    encoded = None
    if add or patches or remove:
        delta = msgspec.structs.replace(delta, add=add, change=patches, remove=remove)
        encoded = wire.encode(delta)
    frame.encoded[key] = encoded
    return encoded


def epoch_of(hub: Hub, audience: Audience) -> str:
    """Who comes back with other rights has to start over, so it is another epoch."""
    reaches = (audience.agents, audience.calls, audience.supervisions, audience.notices)
    people = [r.people for r in reaches]
    parts = [None if p is None else sorted(p) for p in people]
    key = hub.epoch.encode()  # so that it cannot be guessed whom somebody sees
    text = msgspec.json.encode([parts, audience.numbers, audience.alerts])
    return f"{hub.epoch}-{hashlib.blake2b(text, key=key, digest_size=6).hexdigest()}"


def snapshot(hub: Hub, epoch: str, audience: Audience) -> bytes:
    """Everything that the audience sees, as a delta from nothing."""
    seen = [view for entity in hub.picture() if (view := audience.view(entity)) is not None]
    at = time.time_ns() // 1_000_000
    return wire.encode(wire.Delta(epoch=epoch, seq=hub.seq, at=at, reset=True, add=seen))


@dataclass(slots=True)
class Group:
    """All clients that see the same."""

    audience: Audience
    epoch: str
    last: int
    """Place of the last frame of which it saw something, or where it began."""
    clients: set[Client] = field(default_factory=set)
    snapshot: tuple[int, bytes] | None = None
    """The last one with its ``seq``: a crowd that comes back at once gets the same."""


class Client:
    """One connection's way out."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None]) -> None:
        """``abort`` ends the connection without waiting for what is still to be sent."""
        self._socket = socket
        self._abort = abort
        self._queue: asyncio.Queue[bytes | wire.Bye] = asyncio.Queue()
        self._bytes = 0
        self.group: Group | None = None
        """Of those who see the same; None before it has subscribed."""
        self.over = False

    def push(self, data: bytes) -> None:
        """Queue a frame, or give the client up where too much waits already."""
        if self.over:
            return
        if self._queue.qsize() >= QUEUE_MOST or self._bytes > QUEUE_BYTES_MOST:
            self.end("too_slow", "this page did not keep up with the changes")
            return
        # After the check: a snapshot of a large site alone may be over the bound.
        self._bytes += len(data)
        self._queue.put_nowait(data)

    def end(self, code: Any, why: str) -> None:
        """Say why, then close. What waits is thrown away: the client starts over anyway."""
        if self.over:
            return
        self.over = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(wire.Bye(code, why))

    async def pump(self) -> None:
        """Send what waits until the end."""
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, wire.Bye):
                    await self._send(wire.encode(item))
                    async with asyncio.timeout(SEND_S):
                        await self._socket.close(code=_CLOSE_CODES[item.code])
                    return
                await self._send(item)
                self._bytes -= len(item)
        except (TimeoutError, ConnectionError):
            pass  # it does not read, or is gone
        finally:
            self.over = True
            self._abort()

    async def _send(self, data: bytes) -> None:
        async with asyncio.timeout(SEND_S):
            # As text, because that is what browsers and people can read.
            await self._socket.send_frame(data, WSMsgType.TEXT)


class Streams:
    """All connected clients."""

    def __init__(self, hub: Hub, lags: Callable[[], list[wire.Lag]]) -> None:
        self._hub = hub
        self._lags = lags
        self._clients: set[Client] = set()
        self._groups: dict[Audience, Group] = {}
        self._stop = hub.listen(self._send)
        self._log = structlog.get_logger("stream")

    @property
    def count(self) -> int:
        return len(self._clients)

    def end_all(self) -> None:
        """The daemon stops."""
        for client in list(self._clients):
            client.end("shutdown", "monitord is stopping")

    async def serve(
        self,
        socket: web.WebSocketResponse,
        abort: Callable[[], None],
        audience: Callable[[], Audience | None],
        on_change: Callable[[Callable[[], None]], Callable[[], None]],
    ) -> None:
        """One connection, from its first message to its end.

        ``audience`` tells what its person may see at this moment; None where the session is over,
        which also happens by time. ``on_change`` is told what to call when that may have become
        different.
        """
        client = Client(socket, abort)
        self._clients.add(client)
        forget = on_change(lambda: self._judge(client, audience()))
        pump = asyncio.create_task(client.pump())
        beat = asyncio.create_task(self._beat(client, audience))
        try:
            subscribe = await self._first(socket)
            if isinstance(subscribe, wire.Subscribe):
                self._begin(client, subscribe, audience())
                await self._read(socket, client)
            elif subscribe is not None:
                client.end("bad_message", subscribe)
        finally:
            forget()
            self._leave(client)
            self._clients.discard(client)
            beat.cancel()
            # A last word such as “signed out” may still be on its way.
            with contextlib.suppress(TimeoutError, asyncio.CancelledError, ConnectionError):
                if client.over:
                    await asyncio.wait_for(asyncio.shield(pump), SEND_S)
            pump.cancel()

    async def _first(self, socket: web.WebSocketResponse) -> wire.Subscribe | str | None:
        """The first message, or what is wrong with it; None where the client is gone."""
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S):
                first = await socket.receive()
        except TimeoutError:
            return f"no “subscribe” came within {FIRST_MESSAGE_S:g} s"
        if first.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            return None
        message = _message(first.data) if first.type is WSMsgType.TEXT else None
        if isinstance(message, wire.Subscribe):
            return message
        return "the first message must be a valid “subscribe”"

    def _begin(self, client: Client, subscribe: wire.Subscribe, audience: Audience | None) -> None:
        """Snapshot and subscription in one step, so that nothing falls between them."""
        client.push(wire.encode(wire.Hello(wire.PROTOCOL, __version__, round(HEARTBEAT_S * 1000))))
        if audience is None:
            client.end("signed_out", _OVER)
            return
        group = self._join(client, audience)
        missed = self._missed(subscribe, group)
        for data in missed if missed is not None else [self._picture(group)]:
            client.push(data)
        client.push(self._pong(None))

    def _join(self, client: Client, audience: Audience) -> Group:
        self._hub.flush()
        group = self._groups.get(audience)
        if group is None:
            group = self._groups[audience] = Group(
                audience, epoch_of(self._hub, audience), self._hub.seq
            )
        group.clients.add(client)
        client.group = group
        return group

    def _leave(self, client: Client) -> None:
        group, client.group = client.group, None
        if group is not None:
            group.clients.discard(client)
            if not group.clients:
                self._groups.pop(group.audience, None)

    def _judge(self, client: Client, audience: Audience | None) -> None:
        """Rights may have changed: show what is allowed now, at once and from the beginning."""
        if audience is None:
            client.end("signed_out", _OVER)
        elif client.group is not None and client.group.audience != audience:
            self._leave(client)
            client.push(self._picture(self._join(client, audience)))

    def _send(self, frame: Frame) -> None:
        for group in list(self._groups.values()):
            data = encode_frame(frame, group.epoch, group.audience, group.last)
            if data is not None:
                group.last = frame.seq
                for client in list(group.clients):
                    client.push(data)

    def _missed(self, subscribe: wire.Subscribe, group: Group) -> list[bytes] | None:
        """What brings the client to the present place; None where it has to start over."""
        if subscribe.epoch != group.epoch:
            return None
        frames = self._hub.since(self._hub.epoch, subscribe.seq)
        if frames is None or len(frames) > MISSED_MOST:
            return None
        encoded, after = [], subscribe.seq or 0
        for frame in frames:
            data = encode_frame(frame, group.epoch, group.audience, after)
            if data is not None:
                encoded.append(data)
                after = frame.seq
        if after < self._hub.seq:  # nothing that it may see; yet it is at the present place
            at = time.time_ns() // 1_000_000
            encoded.append(wire.encode(wire.Delta(group.epoch, self._hub.seq, at, after)))
        return encoded if sum(map(len, encoded)) <= MISSED_BYTES_MOST else None

    def _picture(self, group: Group) -> bytes:
        self._hub.flush()
        if group.snapshot is None or group.snapshot[0] != self._hub.seq:
            group.snapshot = (self._hub.seq, snapshot(self._hub, group.epoch, group.audience))
        return group.snapshot[1]

    def _pong(self, n: int | None) -> bytes:
        return wire.encode(wire.Pong(n, time.time_ns() // 1_000_000, self._lags()))

    async def _beat(self, client: Client, audience: Callable[[], Audience | None]) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self._judge(client, audience())
            if client.over:
                return
            if client.group is not None:  # the first frame is the hello
                client.push(self._pong(None))

    async def _read(self, socket: web.WebSocketResponse, client: Client) -> None:
        times: list[float] = []
        async for message in socket:
            now = time.monotonic()
            times = [t for t in times if now - t < MESSAGES_S]
            times.append(now)
            parsed = _message(message.data) if message.type is WSMsgType.TEXT else None
            if len(times) > MESSAGES_MOST:
                client.end("bad_message", "too many messages")
            elif isinstance(parsed, wire.Ping):
                client.push(self._pong(parsed.n))
            else:
                client.end("bad_message", "only “ping” is expected after “subscribe”")


def _message(data: str) -> wire.ClientMessage | None:
    try:
        message: wire.ClientMessage = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return message
