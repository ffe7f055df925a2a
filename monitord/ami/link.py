"""Staying attached to one PBX: connect, log in, read its state, ping, and begin again.

Nothing here interprets what calls do. Everything that is received, and each step of the link's own
life, goes to one sink in the order in which it happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import re
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

import structlog
from msgspec import Struct
from panoramisk.message import Message

from monitord.ami.actions import (
    NO_SUCH_CHANNEL,
    AmiError,
    DeadlineError,
    LinkLostError,
    NotSentError,
)
from monitord.ami.protocol import Counters, Protocol, Received, Wanted
from monitord.ami.translate import WANTED
from monitord.domain import events as ev
from monitord.domain.words import LinkState

UNACKNOWLEDGED_MS = 15_000
"""After that long the kernel itself gives up a connection whose bytes nobody takes."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what is waited for, in seconds."""

    ping_every: float = 5.0
    """Also makes Asterisk flush events that a lost wake-up held back (ami-facts 2, Queue)."""
    ping_deadline: float = 8.0
    """With ``ping_every``: a dead connection is known as lost in 13 s, below the 15 s promised."""
    connect: float = 10.0
    answer: float = 10.0
    list: float = 30.0
    boot_hint: float = 30.0
    """After that long without FullyBooted, say what else may be the cause."""
    boot_most: float = 300.0
    """After that much longer connect anew: a PBX that has booted says so at each login, so one that
    was not legible comes again."""
    retry_first: float = 1.0
    retry_most: float = 30.0
    refused_first: float = 10.0
    refused_most: float = 60.0
    """A wrong password is not tried more often: the site's fail2ban would lock us out."""
    reconcile_every: float = 30.0
    jitter: float = 0.25
    """Share by which a wait is longer or shorter, so that daemons do not come back together."""


DEFAULT_TIMING = Timing()

UNTOLD_S = 1
"""Asterisk tells a channel's age in whole seconds: one that is younger than the connection by more
than that began while we listened."""

_AGE = re.compile(r"(?m)^Seconds: (\d{1,9})\r?$")
_ABOUT_CALLS = "\r\nPrivilege: call,"

_ALL = ("QueueStatus", "Status", "DeviceStateList")
"""Actions whose answers together are all state. The queues come first, as they tell who is an
agent: a call that ends between the two answers was taken for one of its agent with nobody."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    pbx: str
    host: str
    port: int
    username: str
    secret: str

    def __repr__(self) -> str:
        return f"LinkSettings({self.pbx!r}, {self.host}:{self.port}, user {self.username!r})"


class Step(Struct, frozen=True, gc=False):
    """A step in the link's own life, between the messages."""

    mono: int
    wall: int
    event: ev.Event


Item = Received | Step
Sink = Callable[[Item], None]
"""Must only queue: it runs inside the read callback."""


class AnyLink(Interface):
    """What brings a PBX's items: the link to a real one, or a trace in its place."""

    live: asyncio.Event
    round_trip_ms: int | None

    @property
    def heard(self) -> int: ...
    def now(self) -> ev.At:
        """The time by which deadlines are judged that no item announces."""

    async def run(self) -> None: ...
    async def ask(self, name: str, fields: dict[str, str], *, deadline: float) -> list[Message]: ...
    async def tell_all(self) -> None: ...
    async def confirm(self, uniqueid: str) -> None: ...
    def drop(self, why: str) -> bool: ...
    def offer(self, event: ev.Event) -> None: ...


class LoginRefusedError(AmiError):
    """The PBX does not know the user or the secret, or does not accept this address."""


class Link:
    """One PBX's connection for the life of the daemon. ``run`` ends only when cancelled."""

    def __init__(
        self,
        settings: LinkSettings,
        sink: Sink,
        *,
        wanted: Wanted | None = WANTED,
        timing: Timing = DEFAULT_TIMING,
        rng: random.Random | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``pause`` waits between two connections."""
        self.settings = settings
        self._sink = sink
        self._wanted = wanted
        self._timing = timing
        self._random = rng or random.Random()  # noqa: S311  # jitter is no secret
        self._pause = pause
        self._protocol: Protocol | None = None
        self._booted = asyncio.Event()
        self._reading = False
        """All state is read or being read: what is asked of one channel adds to it."""
        self._heard = 0
        """What the last connection's ``heard`` was."""
        self._calls_told = False
        """An event about a call has come on this connection."""
        self._youngest = 0
        """Age in s of the youngest channel that the reconcile under way found."""
        self.live = asyncio.Event()
        self.round_trip_ms: int | None = None
        """Of the last ping; half of it is what a message needs from there to here."""
        self.counters = Counters()
        """Of all connections together."""
        self._log = structlog.get_logger("ami").bind(pbx=settings.pbx)

    @property
    def heard(self) -> int:
        """Wall time in ms at which the PBX last said something; 0 before it ever did."""
        return self._protocol.heard if self._protocol is not None else self._heard

    def now(self) -> ev.At:
        return ev.At(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)

    # --- what others use -----------------------------------------------------------------

    async def ask(self, name: str, fields: dict[str, str], *, deadline: float) -> list[Message]:
        """One action on the present connection, once its state is known. Errors as
        :meth:`Protocol.ask`."""
        protocol = self._protocol
        if protocol is None or not self.live.is_set():
            raise NotSentError("the PBX is not connected")
        return await protocol.ask(name, fields, deadline=deadline)

    async def tell_all(self) -> None:
        """Let the PBX tell all it has, as in a resync but judging nothing. What it says comes in
        its place among the events. Errors as :meth:`Protocol.ask`."""
        protocol = self._protocol
        if protocol is None or not self.live.is_set():
            raise NotSentError("the PBX is not connected")
        for name in ("CoreShowChannels", *_ALL):
            await protocol.ask(name, deadline=self._timing.list, streamed=True)

    async def confirm(self, uniqueid: str) -> None:
        """Ask Status of one channel. What it says comes in its place among the events."""
        protocol = self._protocol
        if protocol is None or not self._reading:
            return  # the resync to come asks of all
        try:
            answer = await protocol.ask(
                "Status", {"Channel": uniqueid}, deadline=self._timing.answer, streamed=True
            )
        except AmiError as error:
            self._log.warning("status_unanswered", why=str(error))
            return
        if answer[0].success:
            return
        if answer[0].message == NO_SUCH_CHANNEL:
            self._step(ev.ChannelUnknown(uniqueid))
        else:
            self._log.warning("status_refused", why=answer[0].message)

    def drop(self, why: str) -> bool:
        """Give up the present connection; a new one reads all state again. Whether there was
        one."""
        if self._protocol is None or self._protocol.closed:
            return False
        self._protocol.drop(why)
        return True

    def offer(self, event: ev.Event) -> None:
        """Put an event of our own in line with what the PBX sends."""
        self._step(event)

    # --- one connection after the other --------------------------------------------------

    async def run(self) -> None:
        timing = self._timing
        wait, refused_wait = timing.retry_first, timing.refused_first
        while True:
            began = time.monotonic()
            try:
                why = await self._attend()
            except LoginRefusedError as error:
                pause = self._jitter(refused_wait)
                refused_wait = min(refused_wait * 2, timing.refused_most)
                self._step(
                    ev.LinkChanged(
                        LinkState.AUTH_FAILED,
                        f"The PBX refused the login of user “{self.settings.username}” ({error}). "
                        "Check the secret, and permit/deny in manager.conf.",
                    )
                )
                self._log.error("login_refused", answer=str(error), retry_in_s=round(pause, 1))
            except (OSError, AmiError) as error:
                pause = self._retry(words(error), wait)
                wait = min(wait * 2, timing.retry_most)
            else:
                refused_wait = timing.refused_first
                if time.monotonic() - began > timing.retry_most:
                    wait = timing.retry_first
                pause = self._retry(why, wait)
                wait = min(wait * 2, timing.retry_most)
            await self._pause(pause)

    def _retry(self, why: str, wait: float) -> float:
        pause = self._jitter(wait)
        detail = f"{why}. Trying again by itself."
        self._step(ev.LinkChanged(LinkState.LOST, detail, self._heard))
        self._log.warning("link_lost", why=why, retry_in_s=round(pause, 1))
        return pause

    def _jitter(self, wait: float) -> float:
        return wait * self._random.uniform(1 - self._timing.jitter, 1 + self._timing.jitter)

    # --- one connection ------------------------------------------------------------------

    async def _attend(self) -> str:
        """From connecting to the loss of the connection; gives the reason of the loss."""
        self._booted.clear()
        self._calls_told = False
        began = time.monotonic()
        protocol = await self._connect()
        jobs: list[asyncio.Task[None]] = []
        try:
            self._protocol = protocol
            await self._log_in(protocol)
            settle = asyncio.create_task(self._become_live(protocol))
            jobs += [settle, asyncio.create_task(self._keep_alive(protocol))]
            ends: list[asyncio.Future[Any]] = [settle, protocol.lost]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not protocol.lost.done():
                settle.result()  # a resync that fails begins again from the connection
                jobs.append(asyncio.create_task(self._reconcile(protocol, began)))
            return await protocol.lost
        finally:
            self.live.clear()
            self._reading = False
            self.round_trip_ms = None
            self._protocol, self._heard = None, protocol.heard
            protocol.close()
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _connect(self) -> Protocol:
        settings, deadline = self.settings, self._timing.connect
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(deadline):
                transport, protocol = await loop.create_connection(
                    lambda: Protocol(self._received, self._wanted, self.counters),
                    settings.host,
                    settings.port,
                )
        except TimeoutError:
            raise AmiError(f"no connection to the PBX within {deadline:g} s") from None
        except ValueError:
            raise AmiError("the PBX's host is no host name") from None
        sock = transport.get_extra_info("socket")
        if sock is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            with contextlib.suppress(OSError):  # the other side may be gone already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        return protocol

    async def _log_in(self, protocol: Protocol) -> None:
        """By challenge, so that the secret itself never travels."""
        deadline = self._timing.answer
        challenge = (await protocol.ask("Challenge", {"AuthType": "MD5"}, deadline=deadline))[0]
        if not challenge.success or not challenge.challenge:
            raise LoginRefusedError(challenge.message or "no challenge given")
        # The algorithm is Asterisk's (manager.c:2372); there is no other.
        proof = (challenge.challenge + self.settings.secret).encode()
        key = hashlib.md5(proof, usedforsecurity=False).hexdigest()
        answer = await protocol.ask(
            "Login",
            {"AuthType": "MD5", "Username": self.settings.username, "Key": key, "Events": "on"},
            deadline=deadline,
        )
        if not answer[0].success:
            raise LoginRefusedError(answer[0].message or "no reason given")

    async def _become_live(self, protocol: Protocol) -> None:
        """Wait for FullyBooted, whatever it takes, then read all state."""
        if not self._booted.is_set():
            self._step(ev.LinkChanged(LinkState.NOT_BOOTED, "Waiting until the PBX has started."))
        try:
            async with asyncio.timeout(self._timing.boot_hint):
                await self._booted.wait()
        except TimeoutError:
            hint = (
                "Waiting until the PBX says FullyBooted. If it runs already, "
                "the AMI user lacks the read class “system”."
            )
            self._step(ev.LinkChanged(LinkState.NOT_BOOTED, hint))
            self._log.warning("not_booted", hint=hint)
            await self._booted_at_last()
        await self._resync(protocol)
        self.live.set()
        self._step(ev.LinkChanged(LinkState.LIVE))
        self._log.info("live")

    async def _booted_at_last(self) -> None:
        deadline = self._timing.boot_most
        try:
            async with asyncio.timeout(deadline):
                await self._booted.wait()
        except TimeoutError:
            raise AmiError(f"the PBX did not say FullyBooted in another {deadline:g} s") from None

    async def _resync(self, protocol: Protocol) -> None:
        self._step(ev.LinkChanged(LinkState.SYNCING, "Reading what runs on the PBX now."))
        status = await self._fact(protocol, "CoreStatus")
        settings = await self._fact(protocol, "CoreSettings")
        if not status.corestartupdate or not status.corestartuptime:
            raise AmiError("CoreStatus does not say when the PBX started")
        boot = f"{status.corestartupdate}T{status.corestartuptime}"
        self._step(ev.BootSeen(boot, settings.asteriskversion))
        self._step(ev.ResyncBegun())
        self._reading = True
        # Not CoreShowChannels: it also lists what has ended while a spy holds it, and Status is
        # the truth (ami-facts 0.4, 1.8).
        for name in _ALL:
            answer = await protocol.ask(name, deadline=self._timing.list, streamed=True)
            if name != "QueueStatus":  # a PBX without app_queue has none
                self._check(answer[0], name)
        self._step(ev.ResyncEnded())

    async def _reconcile(self, protocol: Protocol, began: float) -> None:
        """From time to time ask again which channels there are: a Hangup or a ChanSpyStop can be
        missing (ami-facts 0.3, 0.4). ``began``: when the connection did."""
        while True:
            await asyncio.sleep(self._timing.reconcile_every)
            self._step(ev.ReconcileBegun())
            self._youngest = 1 << 30
            try:
                answer = await protocol.ask("Status", deadline=self._timing.list, streamed=True)
            except DeadlineError as error:
                self._log.warning("reconcile_unanswered", why=str(error))
                continue
            except (LinkLostError, NotSentError):
                return
            if answer[0].success:
                self._step(ev.ReconcileEnded())
                self._judge_rights(time.monotonic() - began)

    def _judge_rights(self, age_s: float) -> None:
        """AMI never says which events it keeps from us. But a channel that is younger than the
        connection cannot have come about without one."""
        if not self._calls_told and self._youngest + UNTOLD_S < age_s:
            hint = (
                "The PBX has calls of which no event came. Check that the AMI user's “read” has "
                "“call”, and its event filter. Until then calls and supervisions are seen late."
            )
            self._step(ev.LinkChanged(LinkState.LIVE, hint))
            self._log.warning("no_events", hint=hint)

    async def _fact(self, protocol: Protocol, name: str) -> Message:
        answer = (await protocol.ask(name, deadline=self._timing.answer))[0]
        self._check(answer, name)
        return answer

    def _check(self, answer: Message, name: str) -> None:
        if not answer.success:
            raise AmiError(f"{name} was refused: {answer.message or 'no reason given'}")

    async def _keep_alive(self, protocol: Protocol) -> None:
        while True:
            await asyncio.sleep(self._timing.ping_every)
            sent = time.monotonic()
            try:
                await protocol.ask("Ping", deadline=self._timing.ping_deadline)
            except DeadlineError:
                if protocol.alive > sent:
                    continue  # its answer stands behind a long list, of which items still come
                protocol.drop(f"no answer to a ping within {self._timing.ping_deadline:g} s")
                return
            except (LinkLostError, NotSentError):
                return
            self.round_trip_ms = round((time.monotonic() - sent) * 1000)

    # --- in ------------------------------------------------------------------------------

    def _received(self, message: Received) -> None:
        if message.name == "FullyBooted":
            self._booted.set()
        elif message.name in ("Shutdown", "Reload"):
            # After Shutdown comes the end of the connection; after Reload nothing is lost.
            return
        elif self._reading:
            if message.reply:
                if message.name == "Status" and (age := _AGE.search(message.text)) is not None:
                    self._youngest = min(self._youngest, int(age[1]))
            elif not self._calls_told:
                self._calls_told = _ABOUT_CALLS in message.text
            self._sink(message)
        # What came before the boot is known may belong to another one than the state does, and
        # is part of the answers to come.

    def _step(self, event: ev.Event) -> None:
        at = self.now()
        self._sink(Step(at.mono, at.wall, event))


def words(error: Exception) -> str:
    """For a person, who wants to know what and not where in our code."""
    if isinstance(error, OSError) and error.strerror:
        # asyncio puts "Connect call failed (address)" in place of what the system calls it. A
        # name that is not found has a number below 0 and words of its own.
        number = error.errno or 0
        return os.strerror(number) if number > 0 else error.strerror
    return str(error) or type(error).__name__
