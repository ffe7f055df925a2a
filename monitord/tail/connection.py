"""Signing in, and following the stream: from one connection to the next without a hole."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from monitord.api import wire
from monitord.tail.picture import Delta

FRAME_MOST = 64 << 20
"""Bytes of one frame; the first one has the whole picture of a site."""

BODY_MOST = 64 << 10
ANSWER_S = 10.0
PING_S = 5.0
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 15.0
SAMPLES = 12
"""Round trips that the clock's offset is taken from, the fastest of them, which is least wrong."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")

_decode = msgspec.json.Decoder(wire.Hello | Delta | wire.Pong | wire.Bye).decode


class RefusedError(Exception):
    """It cannot go on, and trying again would not help. The text says what to do."""


class LostError(Exception):
    """The connection is gone; another try may bring it back."""


class Listener(Protocol):
    def delta(self, delta: Delta) -> bool:
        """False where something before it is missing."""

    def place(self) -> tuple[str, int] | None:
        """Epoch and seq up to which everything was taken."""

    def connection(self, *, live: bool, why: str) -> None: ...
    def measured(self, lags: list[wire.Lag], offset_ms: float, trip_ms: float | None) -> None: ...


def origin_of(url: str) -> str:
    """The address as a browser would say it.

    Raises:
        RefusedError: naming the rule.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedError(f"--url: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise RefusedError("--url: must begin with http:// or https:// and a host")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise RefusedError("--url: must be the address alone, such as http://127.0.0.1:8080")
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, usual) else "")


def is_open_text(origin: str) -> bool:
    """Whether a password would travel unencrypted over a network."""
    parts = urlsplit(origin)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


class Connection:
    """``run`` ends only when cancelled or refused."""

    def __init__(
        self,
        origin: str,
        login: str,
        password: str,
        to: Listener,
        *,
        random_: Callable[[], float] = random.random,
    ) -> None:
        self._origin = origin
        self._login = login
        self._password = password
        self._to = to
        self._random = random_
        self._cookie: str | None = None
        self._live = False
        """This connection has brought us up to date."""
        self._ever = False
        self._pings: dict[int, float] = {}
        self._samples: list[tuple[float, float]] = []
        """Round trip and offset in ms of the last pings."""

    async def run(self) -> None:
        """Follow the stream.

        Raises:
            RefusedError: signing in or the stream was refused, or nothing could be reached at all.
        """
        wait = RETRY_FIRST_S
        try:
            while True:
                why = ""
                try:
                    if self._cookie is None:
                        await self._sign_in()
                    await self._attend()
                except LostError as error:
                    why = str(error)
                if not self._ever:
                    raise RefusedError(why)
                if self._live:
                    wait = RETRY_FIRST_S
                self._live = False
                self._to.connection(live=False, why=why)
                await asyncio.sleep(max(RETRY_FIRST_S, wait * (0.5 + self._random() / 2)))
                wait = min(wait * 2, RETRY_MOST_S)
        finally:
            await self._sign_out()

    # --- the session ---------------------------------------------------------------------

    def _http(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers={"Origin": self._origin},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        )

    async def _sign_in(self) -> None:
        body = wire.SignIn(self._login, self._password)
        try:
            async with (
                self._http() as http,
                http.post(
                    f"{self._origin}/api/v1/session",
                    data=wire.encode(body),
                    headers={"Content-Type": "application/json"},
                    allow_redirects=False,
                ) as response,
            ):
                raw = b""
                while len(raw) < BODY_MOST and (chunk := await response.content.readany()):
                    raw += chunk
                if response.status == 200 and response.cookies:
                    self._cookie = "; ".join(
                        f"{c.key}={c.value}" for c in response.cookies.values()
                    )
                    return
                why = _problem(raw)
                if (response.status == 429 and self._ever) or response.status >= 500:
                    raise LostError(why or f"signing in was answered with {response.status}")
                if response.status in (400, 401, 403, 429):
                    raise RefusedError(f"not signed in: {why or response.status}")
                raise RefusedError(f"{self._origin} does not answer as monitord does")
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            raise LostError(f"{self._origin} cannot be reached: {_words(error)}") from None

    async def _sign_out(self) -> None:
        """So that no session is left behind that nobody uses. If it does not work, it runs out."""
        if self._cookie is None:
            return
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                asyncio.timeout(2),
                self._http() as http,
                http.delete(f"{self._origin}/api/v1/session", headers={"Cookie": self._cookie}),
            ):
                pass

    # --- one connection ------------------------------------------------------------------

    async def _attend(self) -> None:
        """Until the connection is lost.

        Raises:
            LostError: always, if not RefusedError.
        """
        assert self._cookie is not None
        try:
            async with connect(
                self._origin.replace("http", "ws", 1) + "/api/v1/stream",
                origin=self._origin,  # type: ignore[arg-type]  # a NewType of str
                additional_headers={"Cookie": self._cookie},
                max_size=FRAME_MOST,
                open_timeout=ANSWER_S,
                close_timeout=1,
                compression=None,
                proxy=None,
            ) as socket:
                await self._follow(socket)
        except InvalidStatus as error:
            status, why = error.response.status_code, _problem(bytes(error.response.body or b""))
            if status == 401:
                self._cookie = None  # the daemon was started anew, which ends every session
                raise LostError("the session is over") from None
            if status in (400, 403, 404):
                raise RefusedError(f"the stream was refused: {why or status}") from None
            raise LostError(why or f"the stream was answered with {status}") from None
        except ConnectionClosed:
            raise LostError("the connection ended") from None
        except (WebSocketException, TimeoutError, OSError) as error:
            raise LostError(f"{self._origin} cannot be reached: {_words(error)}") from None

    async def _follow(self, socket: ClientConnection) -> None:
        place = self._to.place()
        subscribe = wire.Subscribe(*place) if place is not None else wire.Subscribe()
        await socket.send(wire.encode(subscribe).decode())
        self._pings.clear()
        pinging = asyncio.create_task(self._ping(socket))
        silence_s = 2 * ANSWER_S
        try:
            while True:
                try:
                    async with asyncio.timeout(silence_s):
                        raw = await socket.recv()
                except TimeoutError:
                    raise LostError(f"nothing was heard for {silence_s:g} s") from None
                try:
                    frame = _decode(raw)
                    if isinstance(frame, wire.Hello):
                        silence_s = min(max(2 * frame.heartbeat_ms / 1000, 1), 600)
                    self._take(frame)
                except (msgspec.MsgspecError, RecursionError):
                    raise RefusedError(
                        "the daemon sent what this program does not understand; is it newer?"
                    ) from None
        finally:
            pinging.cancel()

    async def _ping(self, socket: ClientConnection) -> None:
        n = 0
        with contextlib.suppress(ConnectionClosed):
            while True:
                n += 1
                self._pings[n] = _ms()
                await socket.send(wire.encode(wire.Ping(n)).decode())
                await asyncio.sleep(PING_S)

    def _take(self, frame: wire.Hello | Delta | wire.Pong | wire.Bye) -> None:
        if isinstance(frame, wire.Hello):
            if frame.protocol > wire.PROTOCOL:
                raise RefusedError(
                    f"the daemon is newer ({frame.version}) and speaks protocol {frame.protocol}; "
                    "install that version here as well"
                )
        elif isinstance(frame, Delta):
            if not self._to.delta(frame):
                raise LostError("something was missing between two messages")
            if frame.reset:
                self._is_live()
        elif isinstance(frame, wire.Pong):
            # It comes behind all that was missed, also where that was nothing.
            self._is_live()
            self._measure(frame)
        else:
            if frame.code == "signed_out":
                self._cookie = None
            raise LostError(frame.why)

    def _is_live(self) -> None:
        if not self._live:
            self._live = self._ever = True
            self._to.connection(live=True, why="")

    def _measure(self, pong: wire.Pong) -> None:
        sent = self._pings.pop(pong.n, None) if pong.n is not None else None
        now = _ms()
        if sent is not None:
            trip = max(0.0, now - sent)
            self._samples = [*self._samples, (trip, pong.at - (sent + trip / 2))][-SAMPLES:]
        if self._samples:
            self._to.measured(pong.lags, min(self._samples)[1], self._samples[-1][0])
        else:
            self._to.measured(pong.lags, pong.at - now, None)


def _ms() -> float:
    return time.time() * 1000


def _problem(raw: bytes) -> str:
    try:
        found = msgspec.json.decode(raw, type=wire.ProblemDetail)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return f"{found.message} ({found.field})" if found.field else found.message


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {ANSWER_S:g} s"
    error = getattr(error, "os_error", error)  # as aiohttp wraps them
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
