"""The way out to one websocket client, and what many of them share of it.

A frame is made and compressed once for all who get it, then written to each one's transport at
once: no task, no queue and no copy for each client. What a client does not take stands in its
transport's buffer, which is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import zlib
from typing import Any

from aiohttp import WSCloseCode, web

from monitord.api import wire

WAITING_MOST = 2 << 20
"""Bytes that may wait for one client."""

STALL_S = 4.0
"""A client that takes nothing for so long, while something waits, does not read."""

CLOSE_S = 5.0
"""For a last word and the handshake of closing."""

KERNEL_MOST = 256 << 10
"""Bytes that the kernel holds for a client beside those; else it takes several MB in silence."""

SQUEEZED_FROM = 128
"""Bytes below which a frame is sent as it is."""

_LEVEL, _WINDOW_BITS, _MEMORY = 1, -13, 5
_TAIL = b"\x00\x00\xff\xff"
_TEXT, _SQUEEZED_TEXT = 0x81, 0xC1
"""First byte of a whole text message, as it is and compressed (RFC 6455, RFC 7692)."""

_CLOSE_CODES: dict[str, int] = {
    "shutdown": WSCloseCode.GOING_AWAY,
    "too_slow": WSCloseCode.TRY_AGAIN_LATER,
    "signed_out": WSCloseCode.POLICY_VIOLATION,
    "bad_message": WSCloseCode.POLICY_VIOLATION,
}


def framed(payload: bytes, first: int = _TEXT) -> bytes:
    """One unmasked message with its header (RFC 6455 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2) + payload
    return bytes((first, 127)) + size.to_bytes(8) + payload


class Squeezer:
    """Compresses a row of messages, each with what the earlier ones had in common with it.

    Whoever begins to listen needs a new one: it refers to nothing that was said before, so all who
    listened longer understand it as well. Between its messages others may be sent uncompressed,
    which leave no trace in a client's window.
    """

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY)

    def framed(self, payload: bytes) -> bytes:
        data = self._deflate.compress(payload) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return framed(data.removesuffix(_TAIL), _SQUEEZED_TEXT)


class Picture:
    """Everything that a group sees, at one place of the stream: made, and compressed, once for all
    who begin there, as a crowd does that comes back at once. It stands in a client's window, so a
    squeezer that is shared begins after it."""

    def __init__(self, seq: int, message: bytes) -> None:
        self.seq = seq
        self._message = message
        self._frames: dict[bool, bytes] = {}

    def frame(self, squeezed: bool) -> bytes:
        found = self._frames.get(squeezed)
        if found is None:
            found = Squeezer().framed(self._message) if squeezed else framed(self._message)
            self._frames[squeezed] = found
        return found


class Client:
    """One connection's way out."""

    def __init__(self, stream: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._stream = stream
        self._transport = transport
        extensions = stream.headers.get("Sec-WebSocket-Extensions", "")
        bits = stream.compress
        self.squeezes = bits >= -_WINDOW_BITS and "server_no_context_takeover" not in extensions
        """Whether it understands what a :class:`Squeezer` makes."""
        self.group: Any = None
        """Of those who see the same; None before it has subscribed."""
        self.over = transport is None or transport.is_closing()
        self.ending: asyncio.Task[None] | None = None
        self._written = 0
        self._watch: asyncio.TimerHandle | None = None
        self._socket: Any = None
        """Written to directly while nothing waits; with TLS only the transport can."""
        if transport is not None and (sock := transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_MOST)
            if transport.get_extra_info("sslcontext") is None:
                self._socket = sock

    def push(self, message: bytes) -> None:
        """A message to this one only."""
        self.write(framed(message))

    def write(self, frame: bytes) -> None:
        """Send a frame, or give the client up where too much waits already."""
        transport = self._transport
        if self.over or transport is None:
            return
        waiting = transport.get_write_buffer_size()
        if waiting > WAITING_MOST:
            self.end("too_slow", "this page did not keep up with the changes")
            return
        # After the check: a snapshot of a large site alone may be over the bound.
        self._written += len(frame)
        if not waiting and self._socket is not None and not transport.is_closing():
            try:
                sent = os.write(self._socket.fileno(), frame)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self.over = True
                transport.abort()
                return
            if sent == len(frame):
                return
            frame = frame[sent:]
        transport.write(frame)
        if self._watch is None and transport.get_write_buffer_size():
            self._look_again(transport)

    def _look_again(self, transport: asyncio.Transport) -> None:
        """Something waits: see later whether any of it was taken."""
        taken = self._written - transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(STALL_S, self._judge, transport, taken)

    def _judge(self, transport: asyncio.Transport, taken: int) -> None:
        self._watch = None
        waiting = transport.get_write_buffer_size()
        if self.over or not waiting:
            return
        if self._written - waiting > taken:
            self._look_again(transport)  # slow, but it reads
            return
        self.over = True
        self.abort()

    def end(self, code: Any, why: str) -> None:
        """Say why, then close."""
        if not self.over:
            self.over = True
            self.ending = asyncio.create_task(self._end(wire.Bye(code, why)))

    async def _end(self, bye: wire.Bye) -> None:
        try:
            if self._transport is not None:
                self._transport.write(framed(wire.encode(bye)))
            async with asyncio.timeout(CLOSE_S):
                await self._stream.close(code=_CLOSE_CODES[bye.code])
        except (TimeoutError, ConnectionError):
            pass  # it does not read, or is gone
        finally:
            self.abort()

    def abort(self) -> None:
        """End the connection without waiting for what is still to be sent."""
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        self.over = True
        if self._watch is not None:
            self._watch.cancel()
