"""The websocket stream: one bounded queue per client, one encoding per audience.

A client that cannot keep up is cut with a reason and comes back to where it was; nobody waits for
it. The first frame is a delta from nothing, so a client has one code path.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from monitord import __version__
from monitord.api import wire
from monitord.live.hub import Frame, Hub

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
CLIENTS_MOST = 5000

_CLOSE_CODES: dict[str, int] = {
    "shutdown": WSCloseCode.GOING_AWAY,
    "too_slow": WSCloseCode.TRY_AGAIN_LATER,
    "signed_out": WSCloseCode.POLICY_VIOLATION,
    "bad_message": WSCloseCode.POLICY_VIOLATION,
}

_decode = msgspec.json.Decoder(wire.ClientMessage).decode


def encode_frame(frame: Frame, epoch: str) -> bytes:
    """Once per frame, whoever gets it."""
    encoded = frame.encoded.get("all")
    if encoded is None:
        encoded = wire.encode(
            wire.Delta(
                epoch=epoch,
                seq=frame.seq,
                at=frame.at,
                add=frame.added,
                change=[wire.Patch(cast(wire.Kind, k), i, s) for k, i, s in frame.changed],
                remove=[wire.Ref(cast(wire.Kind, k), i) for k, i in frame.removed],
            )
        )
        frame.encoded["all"] = encoded
    return encoded


def snapshot(hub: Hub) -> bytes:
    """Everything, as a delta from nothing."""
    entities = hub.picture()
    return wire.encode(
        wire.Delta(
            epoch=hub.epoch,
            seq=hub.seq,
            at=time.time_ns() // 1_000_000,
            reset=True,
            add=entities,
        )
    )


class Client:
    """One connection's way out."""

    def __init__(self, socket: web.WebSocketResponse, abort: Callable[[], None]) -> None:
        """``abort`` ends the connection without waiting for what is still to be sent."""
        self._socket = socket
        self._abort = abort
        self._queue: asyncio.Queue[bytes | wire.Bye] = asyncio.Queue()
        self._bytes = 0
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
        self._snapshot: tuple[int, bytes] | None = None
        """The last one with its ``seq``: a crowd that comes back at once gets the same."""
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
        on_end: Callable[[Callable[[], None]], Callable[[], None]],
        still_in: Callable[[], bool],
    ) -> None:
        """One connection, from its first message to its end.

        ``on_end`` is told what to call when the session behind it ends; ``still_in`` says whether
        that session is valid, which also runs out by time.
        """
        client = Client(socket, abort)
        self._clients.add(client)
        forget = on_end(lambda: client.end("signed_out", "this session was signed out"))
        pump = asyncio.create_task(client.pump())
        beat = asyncio.create_task(self._beat(client, still_in))
        stop: Callable[[], None] | None = None
        try:
            subscribe = await self._first(socket)
            if isinstance(subscribe, wire.Subscribe):
                stop = self._begin(client, subscribe)
                await self._read(socket, client)
            elif subscribe is not None:
                client.end("bad_message", subscribe)
        finally:
            if stop is not None:
                stop()
            forget()
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

    def _begin(self, client: Client, subscribe: wire.Subscribe) -> Callable[[], None]:
        """Snapshot and subscription in one step, so that nothing falls between them."""
        client.push(wire.encode(wire.Hello(wire.PROTOCOL, __version__, round(HEARTBEAT_S * 1000))))
        for data in self._missed(subscribe):
            client.push(data)
        client.push(self._pong(None))
        epoch = self._hub.epoch
        return self._hub.listen(lambda frame: client.push(encode_frame(frame, epoch)))

    def _missed(self, subscribe: wire.Subscribe) -> list[bytes]:
        """What brings the client to the present place."""
        frames = self._hub.since(subscribe.epoch, subscribe.seq)
        if frames is not None and len(frames) <= MISSED_MOST:
            encoded = [encode_frame(frame, self._hub.epoch) for frame in frames]
            if sum(map(len, encoded)) <= MISSED_BYTES_MOST:
                return encoded
        if self._snapshot is None or self._snapshot[0] != self._hub.seq:
            self._snapshot = (self._hub.seq, snapshot(self._hub))
        return [self._snapshot[1]]

    def _pong(self, n: int | None) -> bytes:
        return wire.encode(wire.Pong(n, time.time_ns() // 1_000_000, self._lags()))

    async def _beat(self, client: Client, still_in: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if not still_in():
                client.end("signed_out", "this session is over; sign in again")
                return
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
