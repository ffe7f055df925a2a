"""AMI's wire: bytes to messages and actions to bytes, on top of panoramisk's protocol.

panoramisk 1.4 decodes each TCP chunk by itself, dispatches by patterns, sends unanswered actions
again after a reconnect and checks nothing that it sends (docs/decisions, "panoramisk behind
guards"). Framing, dispatch, sending and closing are therefore ours; its Action and Message are
what an action and its answer are made of.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

from monitord.ami.actions import DeadlineError, Kind, LinkLostError, NotSentError, check_action
from monitord.ami.headers import MalformedError, headers_of

MAX_MESSAGE = 1 << 20
"""Bytes of one message from Asterisk. More is no AMI, and the link is dropped."""

MAX_BANNER = 200

CHUNK = 256 << 10
"""Bytes that are read at once."""

_BANNER = b"Asterisk Call Manager/"
_END = b"\r\n\r\n"
_EVENT = b"Event: "
_RESPONSE = b"Response: "
_ACTION_ID = b"\r\nActionID: "


class Received(Struct, frozen=True, gc=False):
    """One message as it came, with the time it was cut from the stream."""

    mono: int
    wall: int
    name: str
    """The event's name."""
    text: str
    """Its headers, ``Key: value`` joined by CRLF."""
    reply: bool = False
    """It is an item of a list that we asked for."""


@dataclass(slots=True)
class Counters:
    """What went in, for health and for the tests."""

    messages: int = 0
    unwanted: int = 0
    malformed: int = 0
    strays: int = 0
    """Answers to nothing that is still waited for, such as those after a deadline."""


Wanted = Mapping[bytes, Callable[[bytes], bool] | None]
"""Names of the events that are taken, each with what tells from a message whether it is of use, or
None where all are. It sees the whole message, must be quick and must not raise."""

Sink = Callable[[Received], None]
"""Must only queue: it runs inside the read callback."""


@dataclass(slots=True)
class _Pending:
    kind: Kind
    future: asyncio.Future[list[Message]]
    streamed: bool
    """Items of the list go to the sink, in their place between the events."""
    answers: list[Message] = field(default_factory=list)


class Protocol(AMIProtocol, asyncio.BufferedProtocol):  # type: ignore[misc]  # no types there
    """One connection. Never reconnects, resends or interprets; :mod:`monitord.ami.link` does."""

    transport: asyncio.Transport
    closed: bool

    def __init__(self, sink: Sink, wanted: Wanted | None, counters: Counters) -> None:
        """``wanted``: what the sink takes of the events, None for all. Items of a list go by what
        was asked, whether wanted or not."""
        self._sink = sink
        self._all = wanted is None
        self._wanted = {
            name: (name.decode("ascii"), useful) for name, useful in (wanted or {}).items()
        }
        self._buffer = bytearray()
        self._searched = 0
        self._came = bytearray(CHUNK)
        self._banner_seen = False
        self._pending: dict[str, _Pending] = {}
        self._ids = itertools.count(1)
        self.counters = counters
        self.heard = 0
        """Wall time in ms at which something last came."""
        self.alive = 0.0
        """The same by the monotonic clock, in s."""
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Set to the reason when the connection is over."""

    # --- in ------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> bytearray:
        """One for all reads: a new one each time is memory that the kernel has to clear."""
        return self._came

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(memoryview(self._came)[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        if self.closed:
            return
        buffer = self._buffer
        buffer += data
        now, wall = time.monotonic_ns(), time.time_ns() // 1_000_000
        mono = now // 1_000_000
        self.heard, self.alive = wall, now / 1e9
        if not self._banner_seen and not self._take_banner():
            return
        # The end mark may lie across two chunks, so the search begins a little before the new.
        if buffer.find(_END, max(0, self._searched - len(_END))) >= 0:
            # From the left: where a line too many stands between two, the last mark to be seen
            # would depend on where the chunk ends.
            messages = bytes(buffer).split(_END)
            buffer[:] = messages.pop()
            self._take_messages(messages, mono, wall)
            if self.closed:
                return
        self._searched = len(buffer)
        if len(buffer) > MAX_MESSAGE:
            self._too_long()

    def _too_long(self) -> None:
        self.counters.malformed += 1
        self.drop(f"a message of over {MAX_MESSAGE} bytes")

    def _take_banner(self) -> bool:
        """Asterisk's first line has no empty line behind it; a proxy may send none."""
        buffer = self._buffer
        if not _BANNER.startswith(bytes(buffer[: len(_BANNER)])):
            self._banner_seen = True
            return True
        end = buffer.find(b"\r\n", 0, MAX_BANNER)
        if end < 0:
            if len(buffer) > MAX_BANNER:
                self.counters.malformed += 1
                self.drop("a banner without an end")
            return False
        del buffer[: end + 2]
        self._banner_seen = True
        return True

    def _take_messages(self, messages: list[bytes], mono: int, wall: int) -> None:
        """Never raises: an exception in the read callback would cost the connection.

        Half of what an Asterisk without a filter sends is of no use; it gets no further than the
        first lines here.
        """
        wanted = None if self._all else self._wanted
        taken = dropped = 0
        for raw in messages:
            if self.closed:
                break
            end = raw.find(b"\r\n")
            if len(raw) > MAX_MESSAGE:
                self._too_long()
            elif self._pending and self._take_item(raw, mono, wall):
                taken += 1
            elif wanted is None or self._pending or end < 0 or not raw.startswith(_EVENT):
                if raw:
                    self._take_message(raw, mono, wall)
            else:
                known = wanted.get(raw[len(_EVENT) : end])
                if known is None or (known[1] is not None and not known[1](raw)):
                    dropped += 1
                else:
                    taken += 1
                    self._sink(Received(mono, wall, known[0], _text(raw)))
        self.counters.messages += taken + dropped
        self.counters.unwanted += dropped

    def _take_item(self, raw: bytes, mono: int, wall: int) -> bool:
        """Whether it is an item of a list that goes to the sink: a large site has 20,000 of them.
        One that names two ids may be forged, and is judged below."""
        if raw.count(_ACTION_ID) != 1 or not raw.startswith(_EVENT):
            return False
        begin = raw.find(_ACTION_ID) + len(_ACTION_ID)
        end = raw.find(b"\r\n", begin)
        pending = self._pending.get(
            raw[begin : end if end >= 0 else None].decode("ascii", "replace")
        )
        if pending is None or not pending.streamed or not pending.answers:
            return False
        name = raw[len(_EVENT) : raw.find(b"\r\n")].decode("ascii", "replace")
        if name not in pending.kind.items:
            return False
        self._sink(Received(mono, wall, name, _text(raw), reply=True))
        return True

    def _take_message(self, raw: bytes, mono: int, wall: int) -> None:
        """Whatever it is."""
        counters = self.counters
        counters.messages += 1
        raw = raw.lstrip(b"\r\n")
        if raw.startswith(_RESPONSE):
            self._take_response(_text(raw))
            return
        if not raw.startswith(_EVENT):
            counters.malformed += 1
            return
        label = raw[len(_EVENT) :].partition(b"\r\n")[0]
        known = self._wanted.get(label)
        wanted = self._all or (known is not None and (known[1] is None or known[1](raw)))
        ours = bool(self._pending) and _ACTION_ID in raw
        if not wanted and not ours:
            counters.unwanted += 1
            return
        name = known[0] if known is not None else label.decode("ascii", "replace")
        message = Received(mono, wall, name, _text(raw))
        if ours and self._take_answer(message):
            return
        if wanted:
            self._sink(message)
        else:
            counters.unwanted += 1

    def _take_response(self, text: str) -> None:
        try:
            message = Message(headers_of(text))
        except MalformedError:
            self.counters.malformed += 1
            return
        action_id = message.action_id or ""
        pending = self._pending.get(action_id)
        if pending is None:
            self.counters.strays += 1
            return
        pending.answers.append(message)
        if not (message.success and pending.kind.end):
            self._complete(action_id)

    def _take_answer(self, received: Received) -> bool:
        """Whether the event belonged to a list of ours."""
        try:
            message = Message(headers_of(received.text))
        except MalformedError:
            return False  # whoever translates it says so once more, and counts it
        action_id = message.action_id or ""
        pending = self._pending.get(action_id)
        if pending is None or not pending.answers:
            return False
        if received.name == pending.kind.end:
            pending.answers.append(message)
            self._complete(action_id)
        elif received.name not in pending.kind.items:
            return False
        elif pending.streamed:
            self._sink(
                Received(received.mono, received.wall, received.name, received.text, reply=True)
            )
        else:
            pending.answers.append(message)
        return True

    def _complete(self, action_id: str) -> None:
        pending = self._pending.pop(action_id)
        if not pending.future.done():
            pending.future.set_result(pending.answers)

    # --- out -----------------------------------------------------------------------------

    async def ask(
        self,
        name: str,
        fields: Mapping[str, str] | None = None,
        *,
        deadline: float,
        streamed: bool = False,
    ) -> list[Message]:
        """Send one action and give all messages of its answer, the response first.

        ``deadline`` in seconds. ``streamed``: the items of a list go to the sink instead.

        Raises:
            NotSentError: it may not be sent, or there is no connection.
            DeadlineError: no answer in time. The action is forgotten, never sent again.
            LinkLostError: the connection ended first.
        """
        fields = dict(fields or {})
        kind = check_action(name, fields)
        if self.closed or self.transport.is_closing():
            raise NotSentError("the PBX is not connected")
        # Short: Asterisk copies it into 256 bytes and cuts the line's end off a longer one.
        action_id = f"m{next(self._ids)}"
        action = Action({"Action": name, **fields, "ActionID": action_id})
        # panoramisk's own future is never waited for; an unanswered one must not warn.
        action.future.cancel()
        future: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._pending[action_id] = _Pending(kind, future, streamed)
        self.transport.write(str(action).encode())
        try:
            # Not wait_for, which in Python 3.11 can lose a cancellation that comes with the answer.
            async with asyncio.timeout(deadline):
                return await future
        except TimeoutError:
            if future.done() and not future.cancelled():
                return future.result()  # it came; only our own loop was late
            raise DeadlineError(f"no answer to {name} within {deadline:g} s") from None
        finally:
            self._pending.pop(action_id, None)

    def send(self, data: object, as_list: bool = False) -> asyncio.Future[Message]:
        """panoramisk's way to send, which checks nothing."""
        raise NotImplementedError("use ask()")

    # --- end -----------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the other side closed the connection")

    def close(self) -> None:
        self._end("closed")

    def drop(self, why: str) -> None:
        """End a connection that is of no use any more."""
        self._end(why)

    def _end(self, why: str) -> None:
        """Whatever was not answered is forgotten: nothing is ever sent again, because after a
        restart of Asterisk the same name is another channel (ami-facts 0.8)."""
        if not self.closed:
            self.closed = True
            self.transport.abort()
        self._buffer.clear()
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(LinkLostError(why))
        self._pending.clear()
        if not self.lost.done():
            self.lost.set_result(why)


def _text(raw: bytes) -> str:
    """Names and numbers come from the telephone network in any encoding; none may cost a
    message. Asterisk itself never sends a NUL, and some databases refuse one."""
    text = raw.decode("utf-8", "replace")
    return text if "\0" not in text else text.replace("\0", "\ufffd")
