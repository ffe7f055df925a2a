"""The wire between the simulator and the daemon, with all that can happen to what it carries.

What goes to the PBX arrives as it was sent. What comes from it passes three stages: each message
may be lost, damaged or doubled; messages about different channels may overtake one another; and
the bytes come late and in any pieces.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import Callable
from itertools import groupby

from tests.faults.plan import Plan

_NAMED = re.compile(rb"(?m)^\w*[Uu]niqueid: ([^\r\n]+)")
_TIMESTAMP = re.compile(rb"(?m)^Timestamp: ([^\r\n]+)")
_NAME = re.compile(rb"^Event: ([^\r\n]+)")
_OF_A_FAMILY = (
    (b"queue", re.compile(rb"Queue|Agent")),
    (b"device", re.compile(rb"DeviceStateChange$")),
    (b"conference", re.compile(rb"Confbridge")),
    (b"manager", re.compile(rb"OriginateResponse$|UserEvent$|FullyBooted$")),
)
"""Each goes its own way through Asterisk, so that between two of them there is no order
(ami-facts 0.12)."""


LONG = 500
"""Bytes."""

_BANNER = b"Asterisk Call Manager/"
_BOOT = b"\r\nCoreStartupTime: "
"""Who is told of another boot has to believe it."""


class End(asyncio.Transport):
    """One side's hold of a wire."""

    def __init__(self, wire: Wire, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.wire, self.protocol = wire, protocol
        self.shut = False

    def write(self, data: bytes) -> None:
        self.wire.carry(self, bytes(data))

    def is_closing(self) -> bool:
        return self.shut

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def close(self) -> None:
        """What was written goes out first."""
        if not self.shut:
            self.shut = True
            self.wire.finish()

    def abort(self) -> None:
        self.shut = True
        self.wire.cut()


class Wire:
    """One connection. ``chance`` decides everything that happens on it."""

    def __init__(
        self,
        plan: Plan,
        near: asyncio.Protocol,
        far: asyncio.Protocol,
        chance: random.Random,
        wild: Callable[[], bool],
        heard: Callable[[bytes], None],
        asked: Callable[[bytes], None],
    ) -> None:
        """``near`` is the daemon's protocol. ``wild``: whether the chaos still goes on. ``heard``
        and ``asked`` are told what arrives at the daemon and at the PBX."""
        self.plan = plan
        self.near, self.far = End(self, near), End(self, far)
        self.over = False
        self.black = False
        """It swallows everything, and nobody is told."""
        self.left: int | None = None
        """Bytes that still arrive, where it is about to be torn."""
        self._chance, self._wild = chance, wild
        self._heard, self._asked = heard, asked
        self._held: list[bytes] = []
        self._bytes = bytearray()
        self._arrives = 0.0
        self._coming: deque[tuple[float, bytes]] = deque()
        self._waits = False
        self._loop = asyncio.get_running_loop()
        near.connection_made(self.near)
        far.connection_made(self.far)

    @property
    def busy(self) -> bool:
        """Something is on its way to the daemon."""
        return not self.over and bool(self._held or self._bytes or self._coming)

    def carry(self, end: End, data: bytes) -> None:
        if self.over or self.black:
            return
        if end is self.near:
            self._loop.call_soon(self._to_far, data)
            return
        if data.startswith(_BANNER):
            self._send(data)  # no message yet
            return
        for message in self._damaged(data) if self._wild() else [data]:
            if not self._held:
                window = self.plan.reorder if self._wild() else 0.0
                self._loop.call_later(window, self._release)
            self._held.append(message)

    # --- what happens to messages --------------------------------------------------------

    def _damaged(self, message: bytes) -> list[bytes]:
        chance, plan = self._chance, self.plan
        if _BOOT in message:
            return [message]
        if chance.random() < plan.drops:
            return []
        if chance.random() < plan.garbles:
            place = chance.randrange(len(message))
            message = message[:place] + chance.randbytes(1) + message[place + 1 :]
        if chance.random() < plan.doubles:
            return [message] * chance.randint(2, 3)
        return [message]

    def _release(self) -> None:
        held, self._held = self._held, []
        if self.over:
            return
        if len(held) > 1 and self._wild() and self.plan.order != "kept":
            held = self._shuffled(held)
        self._send(b"".join(held))

    def _shuffled(self, held: list[bytes]) -> list[bytes]:
        families = self.plan.order == "families"
        if self.plan.reorder:
            return shuffled(held, self._chance, families=families)
        moments = [list(same) for _, same in groupby(held, _moment_of)]
        return [m for one in moments for m in shuffled(one, self._chance, families=families)]

    def _send(self, data: bytes) -> None:
        if not self._bytes:
            self._loop.call_soon(self._deliver)
        self._bytes += data

    # --- what happens to bytes -----------------------------------------------------------

    def _deliver(self) -> None:
        data, self._bytes = bytes(self._bytes), bytearray()
        for piece in self._pieces(data):
            late = self._chance.uniform(0, self.plan.delay) if self._wild() else 0.0
            self._arrives = max(self._arrives, self._loop.time() + late)
            self._coming.append((self._arrives, piece))
        if not self._waits:
            self._arrive()

    def _arrive(self) -> None:
        """One after the other: two timers of the same moment have no order."""
        self._waits = False
        while self._coming:
            due, piece = self._coming[0]
            if due > self._loop.time():
                self._waits = True
                self._loop.call_at(due, self._arrive)
                return
            self._coming.popleft()
            self._to_near(piece)

    def _pieces(self, data: bytes) -> list[bytes]:
        most = self.plan.piece if self._wild() else 0
        if not most:
            return [data]
        if len(data) > LONG and self._chance.random() > 0.1:
            most = max(most, LONG)  # long answers in tiny pieces cost the time of other runs
        pieces, start = [], 0
        while start < len(data):
            end = start + self._chance.randint(1, most)
            pieces.append(data[start:end])
            start = end
        return pieces

    def _to_near(self, data: bytes) -> None:
        if self.over or self.black:
            return
        if self.left is not None:
            data, self.left = data[: self.left], self.left - len(data[: self.left])
        if data:
            self._heard(data)
            self.near.protocol.data_received(data)
        if self.left == 0:
            self.cut()

    def _to_far(self, data: bytes) -> None:
        if not self.over and not self.black:
            self._asked(data)
            self.far.protocol.data_received(data)

    # --- its end -------------------------------------------------------------------------

    def finish(self) -> None:
        late = max(self._arrives - self._loop.time(), 0.0)
        self._loop.call_later(late + self.plan.reorder + 0.001, self.cut)

    def cut(self) -> None:
        """Whatever is on its way is gone."""
        if self.over:
            return
        self.over = True
        for end in (self.near, self.far):
            end.shut = True
            self._loop.call_soon(end.protocol.connection_lost, None)


def _moment_of(message: bytes) -> bytes:
    found = _TIMESTAMP.search(message)
    return found[1] if found is not None else b""


def channels_of(message: bytes) -> frozenset[bytes]:
    """What the message keeps its place with: the channels that it names, and for whatever answers
    an action the other answers."""
    named = frozenset(_NAMED.findall(message))
    return named | {b"answer"} if b"\r\nActionID: " in message else named


def family_of(message: bytes) -> bytes:
    name = _NAME.match(message)
    if name is not None and b"\r\nActionID: " not in message:
        for family, names in _OF_A_FAMILY:
            if names.match(name[1]):
                return family
    return b"channel"


def shuffled(messages: list[bytes], chance: random.Random, *, families: bool) -> list[bytes]:
    """Another order that Asterisk could have sent them in: that of each channel is kept, and with
    ``families`` that of each kind of event as well."""
    marks = [channels_of(m) | ({family_of(m)} if families else frozenset()) for m in messages]
    order: list[int] = []
    left = list(range(len(messages)))
    while left:
        # Any that nothing before it must precede.
        seen: set[bytes] = set()
        free = []
        for place in left:
            if not marks[place] & seen:
                free.append(place)
            seen |= marks[place]
        taken = chance.choice(free)
        left.remove(taken)
        order.append(taken)
    return [messages[n] for n in order]
