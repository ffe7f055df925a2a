"""One AMI client: login, its rights, its bounded output."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from monitord.simulator.framing import Framer, Request
from monitord.simulator.messages import Event, encode
from monitord.simulator.settings import CLASSES

if TYPE_CHECKING:
    from monitord.simulator.actions import Actions
    from monitord.simulator.settings import Settings

log = structlog.get_logger(__name__)

TRUE = frozenset({"yes", "true", "y", "t", "1", "on"})
FALSE = frozenset({"no", "false", "n", "f", "0", "off"})


def event_mask(text: str) -> frozenset[str] | None:
    """The classes an event mask lets through; None when it says nothing (strings_to_mask).

    An unknown word switches all events off, as in Asterisk.
    """
    text = text.strip()
    if not text:
        return None
    if text.lower() in FALSE:
        return frozenset()
    if text.lower() in TRUE or "all" in text.split(","):
        return frozenset(CLASSES)
    return frozenset(text.split(",")) & frozenset(CLASSES)


class Session(asyncio.Protocol):
    def __init__(
        self,
        settings: Settings,
        actions: Actions,
        closed: Callable[[Session], None],
        booted: Callable[[], bool],
    ) -> None:
        self.settings = settings
        self.user = settings.user
        self.authenticated = False
        self.mask = frozenset(CLASSES)
        self.written = 0
        self._actions = actions
        self._closed = closed
        self._booted = booted
        self._framer = Framer()
        self._challenge = ""
        self._transport: asyncio.Transport | None = None
        self._auth_timer: asyncio.TimerHandle | None = None
        self._login_timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._cut = False
        self._progress = -1
        self._progress_at = 0.0

    # -- asyncio.Protocol -------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport is needed")
        self._transport = transport
        transport.set_write_buffer_limits(high=self.settings.max_output)
        loop = asyncio.get_running_loop()
        self._auth_timer = loop.call_later(self.settings.auth_timeout, self._auth_timed_out)
        self.send(f"Asterisk Call Manager/{self.settings.ami_version}\r\n".encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        for timer in (self._auth_timer, self._login_timer):
            if timer is not None:
                timer.cancel()
        self._closed(self)

    def data_received(self, data: bytes) -> None:
        for request in self._framer.feed(data):
            if self._closing:
                return
            if self._login_timer is not None:
                continue  # Asterisk sleeps here, and then closes
            self._run(request)

    # -- output -----------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """All that goes to the client passes here: the place for faults to come."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(data) > self.settings.max_output:
            self.cut("it left too much unread")
            return
        transport.write(data)
        self.written += len(data)

    @property
    def backlog(self) -> int:
        """Bytes the client has yet to take."""
        if self._transport is None or self._closing:
            return 0
        return self._transport.get_write_buffer_size()

    def check_progress(self, now: float) -> None:
        """Cut a client that has read nothing for `write_timeout`, as Asterisk does."""
        if self._transport is None:
            return
        waiting = self._transport.get_write_buffer_size()
        taken = self.written - waiting
        if waiting == 0 or taken != self._progress:
            self._progress, self._progress_at = taken, now
        elif now - self._progress_at >= self.settings.write_timeout:
            self.cut("it did not read in time")

    def cut(self, why: str) -> None:
        if self._transport is not None and not self._cut:
            log.warning("client cut", why=why)
            self._cut = self._closing = True
            self._transport.abort()

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def respond(
        self, request: Request, response: str, message: str = "", listing: str = ""
    ) -> None:
        headers = [("Response", response), *self.action_id(request)]
        if listing:
            headers.append(("EventList", listing))
        if message:
            headers.append(("Message", message))
        self.send(encode(headers))

    def error(self, request: Request, message: str) -> None:
        self.respond(request, "Error", message)

    @staticmethod
    def action_id(request: Request) -> list[tuple[str, str]]:
        action_id = request.get("ActionID")
        return [("ActionID", action_id)] if action_id else []

    def deliver(self, event: Event) -> None:
        if not self.authenticated or event.event_class not in self.mask:
            return
        if event.event_class in self.user.read or "all" in self.user.read:
            self.send(event.encode(self.settings.timestamps, self.settings.system_name))

    # -- input ------------------------------------------------------------------

    def _run(self, request: Request) -> None:
        if request.error:
            self.error(request, request.error)
            return
        action = request.action
        if not action:
            self.error(request, "Missing action in request")
        elif action.lower() == "login":
            self._login(request)
        elif action.lower() == "challenge":
            self._give_challenge(request)
        elif action.lower() == "logoff":
            self.respond(request, "Goodbye", "Thanks for all the fish.")
            self.close()
        elif not self.authenticated:
            self.error(request, "Permission denied")
        elif action.lower() == "events":
            self._events(request)
        else:
            self._actions.run(self, request)

    def _give_challenge(self, request: Request) -> None:
        if request.get("AuthType").lower() != "md5":
            self.error(request, "Must specify AuthType")
            return
        if not self._challenge:
            # Real randomness on purpose: a seeded run must not have guessable logins.
            self._challenge = str(random.SystemRandom().randrange(10**8, 10**9))
        self.send(
            encode(
                (
                    ("Response", "Success"),
                    *self.action_id(request),
                    ("Challenge", self._challenge),
                )
            )
        )

    def _login(self, request: Request) -> None:
        if self.authenticated:
            self.respond(request, "Success", "Already authenticated")
            return
        if not self._secret_fits(request):

            def refuse() -> None:
                self.error(request, "Authentication failed")
                self.close()

            loop = asyncio.get_running_loop()
            self._login_timer = loop.call_later(self.settings.failed_login_delay, refuse)
            return
        self.authenticated = True
        if self._auth_timer is not None:
            self._auth_timer.cancel()
        mask = event_mask(request.get("Events"))
        if mask is not None:
            self.mask = mask
        self.respond(request, "Success", "Authentication accepted")
        if self._booted():
            self.say_booted()

    def say_booted(self) -> None:
        if not self.authenticated:
            return  # it is told at login
        if "system" in self.mask and ("system" in self.user.read or "all" in self.user.read):
            # The copy at login has neither Timestamp nor SystemName.
            self.send(self._actions.fully_booted())

    def _secret_fits(self, request: Request) -> bool:
        if request.get("Username") != self.user.name:
            return False
        if request.get("AuthType").lower() == "md5":
            if not self._challenge:
                return False
            digest = hashlib.md5(  # noqa: S324 - AMI's own scheme
                (self._challenge + self.user.secret).encode()
            ).hexdigest()
            return request.get("Key") == digest
        return request.get("Secret") == self.user.secret

    def _events(self, request: Request) -> None:
        mask = event_mask(request.get("EventMask"))
        if mask is None:
            self.error(request, "Invalid event mask")
            return
        self.mask = mask
        state = "On" if mask else "Off"
        self.send(encode((("Response", "Success"), *self.action_id(request), ("Events", state))))

    def _auth_timed_out(self) -> None:
        if not self.authenticated:
            self.close()
