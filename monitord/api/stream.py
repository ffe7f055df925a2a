"""The websocket stream: one bounded way out per client, one encoding per audience.

A client that cannot keep up is cut with a reason and comes back to where it was; nobody waits for
it. The first frame is a delta from nothing, so a client has one code path.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from aiohttp import WSMsgType, web

from monitord import __version__
from monitord.api import wire
from monitord.api.frames import encode_frame, people_of, snapshot
from monitord.api.sending import SQUEEZED_FROM, Client, Picture, Squeezer, framed
from monitord.live.hub import Frame, Hub
from monitord.people.audience import Audience

HEARTBEAT_S = 5.0
MISSED_MOST = 500
MISSED_BYTES_MOST = 512 << 10
"""What a client that comes back may have missed; beyond that everything anew is cheaper."""

MESSAGE_MOST = 4096
"""Bytes of a message from a client."""

MESSAGES_MOST, MESSAGES_S = 50, 10.0
"""Messages that a client may send in that many seconds."""

FIRST_MESSAGE_S = 10.0
_OVER = "this session is over; sign in again"
CLIENTS_MOST = 5000

_decode = msgspec.json.Decoder(wire.ClientMessage).decode


def epoch_of(hub: Hub, audience: Audience) -> str:
    """Who comes back with other rights has to start over, so it is another epoch."""
    reaches = (
        *(audience.agents, audience.calls, audience.supervisions, audience.notices),
        *(audience.flags, audience.own_flags),
    )
    people = [r.people for r in reaches]
    parts = [None if p is None else sorted(p) for p in people]
    key = hub.epoch.encode()  # so that it cannot be guessed whom somebody sees
    text = msgspec.json.encode([parts, audience.numbers, audience.alerts])
    return f"{hub.epoch}-{hashlib.blake2b(text, key=key, digest_size=6).hexdigest()}"


@dataclass(slots=True, eq=False)
class Group:
    """All clients that see the same."""

    audience: Audience
    epoch: str
    last: int
    """Place of the last frame of which it saw something, or where it began."""
    clients: set[Client] = field(default_factory=set)
    picture: Picture | None = None
    """The last one that somebody got."""
    squeezer: Squeezer | None = None
    """Since the last one joined."""

    def send(self, message: bytes) -> None:
        """The same to all: made once, and compressed once for those who understand that."""
        plain = short = b""
        for client in list(self.clients):
            if client.squeezes and len(message) >= SQUEEZED_FROM:
                if not short:
                    self.squeezer = self.squeezer or Squeezer()
                    short = self.squeezer.framed(message)
                client.write(short)
            else:
                plain = plain or framed(message)
                client.write(plain)


class Streams:
    """All connected clients."""

    def __init__(self, hub: Hub, lags: Callable[[], list[wire.Lag]]) -> None:
        self._hub = hub
        self._lags = lags
        self._clients: set[Client] = set()
        self._groups: dict[Audience, Group] = {}
        self._wide: set[Group] = set()
        """Those that see something of everybody."""
        self._of: dict[str | None, set[Group]] = {}
        """Of all others by whom they see."""
        self._stop = hub.listen(self._send)

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
        transport: asyncio.Transport | None,
        audience: Callable[[], Audience | None],
        on_change: Callable[[Callable[[], None]], Callable[[], None]],
    ) -> None:
        """One connection, from its first message to its end.

        ``audience`` tells what its person may see at this moment; None where the session is over,
        which also happens by time. ``on_change`` is told what to call when that may have become
        different.
        """
        client = Client(socket, transport)
        self._clients.add(client)
        forget = on_change(lambda: self._judge(client, audience()))
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
            client.leave()
            # A last word such as “signed out” may still be on its way.
            with contextlib.suppress(asyncio.CancelledError):
                if client.ending is not None:
                    await asyncio.shield(client.ending)
            client.abort()

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
        if missed is None:
            self._show(client, group)
        for data in missed or ():
            client.push(data)
        client.push(self._pong(None))

    def _join(self, client: Client, audience: Audience) -> Group:
        self._hub.flush()
        group = self._groups.get(audience)
        if group is None:
            group = self._groups[audience] = Group(
                audience, epoch_of(self._hub, audience), self._hub.seq
            )
            for groups in self._where(audience, make=True):
                groups.add(group)
        group.clients.add(client)
        group.squeezer = None  # the new one knows nothing of what was said before
        client.group = group
        return group

    def _leave(self, client: Client) -> None:
        group, client.group = client.group, None
        if group is not None:
            group.clients.discard(client)
            if not group.clients:
                self._groups.pop(group.audience, None)
                for groups in self._where(group.audience):
                    groups.discard(group)
                self._of = {person: groups for person, groups in self._of.items() if groups}

    def _where(self, audience: Audience, *, make: bool = False) -> list[set[Group]]:
        """The sets in which a group with this audience stands."""
        if audience.people is None:
            return [self._wide]
        if make:
            return [self._of.setdefault(person, set()) for person in audience.people]
        return [self._of.get(person, set()) for person in audience.people]

    def _judge(self, client: Client, audience: Audience | None) -> None:
        """Rights may have changed: show what is allowed now, at once and from the beginning."""
        if audience is None:
            client.end("signed_out", _OVER)
        elif client.group is not None and client.group.audience != audience:
            self._leave(client)
            self._show(client, self._join(client, audience))

    def _send(self, frame: Frame) -> None:
        for group, places in self._concerned(frame):
            data = encode_frame(frame, group.epoch, group.audience, group.last, places)
            if data is not None:
                group.last = frame.seq
                group.send(data)

    def _concerned(self, frame: Frame) -> Iterator[tuple[Group, Iterable[int]]]:
        """Groups that may see something of the frame, each with the places of those changes. With
        a team for each supervisor most changes are no business of most groups."""
        some: dict[Group, list[int]] = {}
        for place, change in enumerate(frame.changes):
            old, new = people_of(change.old), people_of(change.new)
            if old is None or new is None:
                for group in self._groups.values():
                    some.setdefault(group, []).append(place)
                continue
            for person in {*old, *new}:
                for group in self._of.get(person, ()):
                    places = some.setdefault(group, [])
                    if not places or places[-1] != place:
                        places.append(place)
        for group in list(self._wide):
            some[group] = list(range(len(frame.changes)))
        yield from some.items()

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

    def _show(self, client: Client, group: Group) -> None:
        """Everything that it may see."""
        self._hub.flush()
        if group.picture is None or group.picture.seq != self._hub.seq:
            message = snapshot(self._hub, group.epoch, group.audience)
            group.picture = Picture(self._hub.seq, message)
        client.write(group.picture.frame(client.squeezes))

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
