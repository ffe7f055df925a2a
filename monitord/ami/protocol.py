"""AMI's wire: bytes to messages and actions to bytes, on top of panoramisk's protocol.

panoramisk 1.4 decodes each TCP chunk by itself, dispatches by patterns, sends unanswered actions
again after a reconnect and checks nothing that it sends (docs/decisions, "panoramisk behind
guards"). Framing, dispatch, sending and closing are therefore ours; its Action and Message are
what an action and its answer are made of.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

MAX_MESSAGE = 1 << 20
"""Bytes of one message from Asterisk. More without its end is no AMI, and the link is dropped."""

MAX_VALUE = 900
"""Bytes of one value to Asterisk, whose line buffer holds 1024 (manager.h:298)."""

MAX_HEADERS = 100
"""Headers of one action; Asterisk refuses more than 128."""

_SAFE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_UNSAFE_VALUE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_BANNER = b"Asterisk Call Manager/"
_END = b"\r\n\r\n"
_EVENT = b"Event: "


class AmiError(Exception):
    """An action was refused, or could not be sent or answered. The text is for a person."""


class LinkLostError(AmiError):
    """The connection ended before the answer came; whether the action was done is unknown."""


class DeadlineError(AmiError):
    """No answer in time; whether the action was done is unknown."""


@dataclass(slots=True, frozen=True)
class Received:
    """One message as it came, with the time it was cut from the stream."""

    mono: int
    wall: int
    name: str
    """The event's name, ``Response`` for an answer."""
    text: str
    """Its headers, ``Key: value`` joined by CRLF."""
    reply: bool = False
    """It belongs to the answer of an action of ours."""


@dataclass(slots=True)
class Counters:
    """What went in, for health and for the tests."""

    messages: int = 0
    unwanted: int = 0
    malformed: int = 0


Sink = Callable[[Received], None]
"""Must only queue: it runs inside the read callback."""


@dataclass(slots=True)
class _Pending:
    action: Action
    future: asyncio.Future[list[Message]]
    answers: list[Message] = field(default_factory=list)
    streamed: bool = False
    """Items of the list go to the sink, in their place between the events."""


def check_action(name: str, fields: Mapping[str, str]) -> None:
    """Refuse what could become another header or another action on Asterisk's side.

    Raises:
        AmiError: naming the field and the rule. Asterisk takes a bare LF for a line's end
            (manager.c:7188) and panoramisk would send it.
    """
    if len(fields) + 2 > MAX_HEADERS:
        raise AmiError(f"an action may have at most {MAX_HEADERS} headers")
    for key, value in {"Action": name, **fields}.items():
        if not _SAFE_KEY.fullmatch(key):
            raise AmiError(f"{key!r} is no header name")
        if not isinstance(value, str) or _UNSAFE_VALUE.search(value):
            raise AmiError(f"{key}: control characters are not allowed")
        if len(value.encode("utf-8", "surrogateescape")) > MAX_VALUE:
            raise AmiError(f"{key}: longer than {MAX_VALUE} bytes")


class Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """One connection. Never reconnects, resends or interprets; :mod:`monitord.ami.link` does."""

    transport: asyncio.Transport
    closed: bool
    version: str | None

    def __init__(self, sink: Sink, wanted: frozenset[bytes] | None) -> None:
        """``wanted``: names of the events that the sink takes, None for all."""
        self._sink = sink
        self._wanted = wanted
        self._buffer = bytearray()
        self._searched = 0
        self._banner_seen = False
        self._pending: dict[str, _Pending] = {}
        self._ids = itertools.count(1)
        self.counters = Counters()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Set to the reason when the connection is over."""
        self.last_received = time.monotonic()

    # --- in ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self.last_received = time.monotonic()
        buffer = self._buffer
        buffer += data
        if not self._banner_seen and not self._take_banner():
            return
        mono, wall = time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000
        start = 0
        # The end mark may lie across two chunks, so the search begins a little before the new.
        search = max(0, self._searched - len(_END))
        while (end := buffer.find(_END, max(start, search))) >= 0:
            if end > start:
                self._take_message(bytes(buffer[start:end]), mono, wall)
                if self.closed:
                    return
            start = end + len(_END)
        if start:
            del buffer[:start]
        self._searched = len(buffer)
        if len(buffer) > MAX_MESSAGE:
            self._drop(f"a message without an end, over {MAX_MESSAGE} bytes")

    def _take_banner(self) -> bool:
        """Asterisk's first line has no empty line behind it; a proxy may send none."""
        buffer = self._buffer
        if not _BANNER.startswith(bytes(buffer[: len(_BANNER)])):
            self._banner_seen = True
            return True
        end = buffer.find(b"\r\n")
        if end < 0:
            if len(buffer) > 200:
                self._drop("a banner without an end")
            return False
        self.version = buffer[len(_BANNER) : end].decode("ascii", "replace").strip()
        del buffer[: end + 2]
        self._banner_seen = True
        return True

    def _take_message(self, raw: bytes, mono: int, wall: int) -> None:
        self.counters.messages += 1
        raw = raw.lstrip(b"\r\n")
        if raw.startswith(_EVENT):
            stop = raw.find(b"\r\n")
            name = raw[len(_EVENT) : stop if stop >= 0 else len(raw)]
            reply = self._pending and b"\r\nActionID: " in raw
            wanted = self._wanted is None or name in self._wanted
            if not reply and not wanted:
                self.counters.unwanted += 1
                return
            message = Received(mono, wall, name.decode("ascii", "replace"), _text(raw))
            if reply and self._take_list_item(message):
                return
            if wanted:
                self._sink(message)
            else:
                self.counters.unwanted += 1
        elif raw.startswith(b"Response: "):
            self._take_response(Received(mono, wall, "Response", _text(raw), reply=True))
        else:
            self.counters.malformed += 1

    def _take_response(self, received: Received) -> None:
        message = Message.from_line(received.text)
        pending = self._pending.get(message.action_id or "") if message is not None else None
        if message is None or pending is None:
            self.counters.malformed += 1
            return
        pending.answers.append(message)
        is_list = "EventList" in message or "will follow" in message.message.lower()
        if not (message.success and is_list):
            self._complete(pending)

    def _take_list_item(self, received: Received) -> bool:
        message = Message.from_line(received.text)
        pending = self._pending.get(message.action_id or "") if message is not None else None
        if message is None or pending is None or not pending.answers:
            return False
        item = Received(received.mono, received.wall, received.name, received.text, reply=True)
        if message.eventlist == "Complete" or received.name.endswith("Complete"):
            pending.answers.append(message)
            self._complete(pending)
        elif pending.streamed:
            self._sink(item)
        else:
            pending.answers.append(message)
        return True

    def _complete(self, pending: _Pending) -> None:
        self._pending.pop(pending.action.id, None)
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
            DeadlineError: no answer in time. The action is forgotten, never sent again.
            LinkLostError: the connection ended first.
            AmiError: the fields are not fit to be sent.
        """
        fields = dict(fields or {})
        check_action(name, fields)
        if self.closed or self.transport.is_closing():
            raise LinkLostError("not connected")
        # Short: Asterisk copies it into 256 bytes and cuts the line's end off a longer one.
        action = Action({"Action": name, **fields, "ActionID": f"m{next(self._ids)}"})
        # panoramisk's own future is never waited for; an unanswered one must not warn.
        action.future.cancel()
        future: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._pending[action.id] = _Pending(action, future, streamed=streamed)
        self.transport.write(str(action).encode("utf-8", "surrogateescape"))
        try:
            return await asyncio.wait_for(future, deadline)
        except TimeoutError:
            raise DeadlineError(f"no answer to {name} within {deadline:g} s") from None
        finally:
            self._pending.pop(action.id, None)

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

    def _drop(self, why: str) -> None:
        self.counters.malformed += 1
        self._end(why)

    def _end(self, why: str) -> None:
        """Whatever was not answered is forgotten: nothing is ever sent again, because after a
        restart of Asterisk the same name is another channel (ami-facts 0.8)."""
        if not self.closed:
            self.closed = True
            self.transport.abort()
        for pending in list(self._pending.values()):
            if not pending.future.done():
                pending.future.set_exception(LinkLostError(why))
        self._pending.clear()
        if not self.lost.done():
            self.lost.set_result(why)


def _text(raw: bytes) -> str:
    """Names and numbers come from the telephone network in any encoding; none may cost a
    message."""
    return raw.decode("utf-8", "replace")
