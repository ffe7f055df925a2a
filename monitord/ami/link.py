"""Staying attached to one PBX: connect, log in, read its state, ping, and begin again.

Nothing here interprets what calls do. Everything that is received, and each step of the link's own
life, goes to one sink in the order in which it happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from panoramisk.message import Message

from monitord.ami.protocol import (
    AmiError,
    Counters,
    DeadlineError,
    LinkLostError,
    Protocol,
    Received,
)
from monitord.ami.translate import WANTED
from monitord.domain import events as ev
from monitord.domain.words import LinkState

PING_EVERY_S = 5.0
"""Also makes Asterisk flush events that a lost wake-up held back (ami-facts 2, Queue)."""

PING_DEADLINE_S = 8.0
"""With PING_EVERY_S: a dead connection is known as lost in 13 s, below the 15 s promised."""

CONNECT_DEADLINE_S = 10.0
ANSWER_DEADLINE_S = 10.0
LIST_DEADLINE_S = 30.0
BOOT_HINT_S = 30.0

RETRY_FIRST_S, RETRY_MOST_S = 1.0, 30.0
REFUSED_FIRST_S, REFUSED_MOST_S = 10.0, 60.0
"""A wrong password is not tried more often: the site's fail2ban would lock us out."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    pbx: str
    host: str
    port: int
    username: str
    secret: str

    def __repr__(self) -> str:
        return f"LinkSettings({self.pbx!r}, {self.host}:{self.port}, user {self.username!r})"


@dataclass(frozen=True, slots=True)
class Step:
    """A step in the link's own life, between the messages."""

    mono: int
    wall: int
    event: ev.Event


Item = Received | Step
Sink = Callable[[Item], None]
"""Must only queue: it runs inside the read callback."""


class LoginRefusedError(AmiError):
    """The PBX does not know the user or the secret, or does not accept this address."""


class Link:
    """One PBX's connection for the life of the daemon. ``run`` ends only when cancelled."""

    def __init__(
        self,
        settings: LinkSettings,
        sink: Sink,
        *,
        wanted: frozenset[bytes] | None = WANTED,
        rng: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self._sink = sink
        self._wanted = wanted
        self._random = rng or random.Random()  # noqa: S311  # jitter is no secret
        self._protocol: Protocol | None = None
        self._booted = asyncio.Event()
        self.live = asyncio.Event()
        self.attempts = 0
        self.round_trip_ms: int | None = None
        """Of the last ping; half of it is what a message needs from there to here."""
        self.counters = Counters()
        self._log = structlog.get_logger("ami").bind(pbx=settings.pbx)

    # --- what others use -----------------------------------------------------------------

    async def ask(
        self, name: str, fields: dict[str, str], *, deadline: float = ANSWER_DEADLINE_S
    ) -> list[Message]:
        """One action on the present connection. Errors as :meth:`Protocol.ask`."""
        protocol = self._protocol
        if protocol is None or not self.live.is_set():
            raise LinkLostError("the PBX is not reachable now")
        return await protocol.ask(name, fields, deadline=deadline)

    async def run(self) -> None:
        wait, refused_wait = RETRY_FIRST_S, REFUSED_FIRST_S
        while True:
            began = time.monotonic()
            self.attempts += 1
            try:
                why = await self._attend()
            except LoginRefusedError as error:
                pause = self._jitter(refused_wait)
                refused_wait = min(refused_wait * 2, REFUSED_MOST_S)
                self._step(
                    ev.LinkChanged(
                        LinkState.AUTH_FAILED,
                        f"The PBX refused the login of user “{self.settings.username}”. "
                        "Check the secret, and permit/deny in manager.conf.",
                    )
                )
                self._log.error("login_refused", answer=str(error), retry_in_s=round(pause, 1))
            except (OSError, AmiError) as error:
                why = str(error) or type(error).__name__
                pause = self._retry(why, wait)
                wait = min(wait * 2, RETRY_MOST_S)
            else:
                refused_wait = REFUSED_FIRST_S
                if time.monotonic() - began > RETRY_MOST_S:
                    wait = RETRY_FIRST_S
                pause = self._retry(why, wait)
                wait = min(wait * 2, RETRY_MOST_S)
            await asyncio.sleep(pause)

    def _retry(self, why: str, wait: float) -> float:
        pause = self._jitter(wait)
        self._step(ev.LinkChanged(LinkState.LOST, f"{why}. Trying again by itself."))
        self._log.warning("link_lost", why=why, retry_in_s=round(pause, 1))
        return pause

    def _jitter(self, wait: float) -> float:
        return wait * self._random.uniform(0.75, 1.25)

    # --- one connection ------------------------------------------------------------------

    async def _attend(self) -> str:
        """From connecting to the loss of the connection; gives the reason of the loss."""
        settings = self.settings
        self._booted.clear()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_DEADLINE_S):
            transport, protocol = await loop.create_connection(
                lambda: Protocol(self._received, self._wanted), settings.host, settings.port
            )
        sock = transport.get_extra_info("socket")
        if sock is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000)
        self._protocol, self.counters = protocol, protocol.counters
        jobs: list[asyncio.Task[None]] = []
        try:
            await self._log_in(protocol)
            jobs.append(asyncio.create_task(self._keep_alive(protocol)))
            settle = asyncio.create_task(self._become_live(protocol))
            jobs.append(settle)
            # Whatever ends first: a resync that fails also begins again from the connection.
            protocol.lost.add_done_callback(lambda _: settle.cancel())
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(settle)
            return await protocol.lost
        finally:
            self.live.clear()
            self.round_trip_ms = None
            self._protocol = None
            for job in jobs:
                job.cancel()
                with contextlib.suppress(asyncio.CancelledError, AmiError):
                    await job
            protocol.close()

    async def _log_in(self, protocol: Protocol) -> None:
        """By challenge, so that the secret itself never travels."""
        challenge = await protocol.ask("Challenge", {"AuthType": "MD5"}, deadline=ANSWER_DEADLINE_S)
        text = challenge[0].challenge
        if not challenge[0].success or not text:
            raise LoginRefusedError(challenge[0].message or "no challenge given")
        # The algorithm is Asterisk's (manager.c:2372); there is no other.
        key = hashlib.md5((text + self.settings.secret).encode()).hexdigest()  # noqa: S324
        answer = await protocol.ask(
            "Login",
            {"AuthType": "MD5", "Username": self.settings.username, "Key": key, "Events": "on"},
            deadline=ANSWER_DEADLINE_S,
        )
        if not answer[0].success:
            raise LoginRefusedError(answer[0].message)

    async def _become_live(self, protocol: Protocol) -> None:
        """Wait for FullyBooted, whatever it takes, then read all state."""
        if not self._booted.is_set():
            self._step(ev.LinkChanged(LinkState.NOT_BOOTED, "Waiting until the PBX has started."))
        try:
            await asyncio.wait_for(self._booted.wait(), BOOT_HINT_S)
        except TimeoutError:
            hint = (
                "Waiting until the PBX says FullyBooted. If it runs already, "
                "the AMI user lacks the read class “system”."
            )
            self._step(ev.LinkChanged(LinkState.NOT_BOOTED, hint))
            self._log.warning("not_booted", hint=hint)
            await self._booted.wait()
        await self._resync(protocol)
        self.live.set()
        self._step(ev.LinkChanged(LinkState.LIVE))
        self._log.info("live")

    async def _resync(self, protocol: Protocol) -> None:
        self._step(ev.LinkChanged(LinkState.SYNCING, "Reading what runs on the PBX now."))
        status = (await protocol.ask("CoreStatus", deadline=ANSWER_DEADLINE_S))[0]
        self._check(status, "CoreStatus")
        settings = (await protocol.ask("CoreSettings", deadline=ANSWER_DEADLINE_S))[0]
        boot = f"{status.corestartupdate}T{status.corestartuptime}"
        self._step(ev.BootSeen(boot, settings.asteriskversion))
        self._step(ev.ResyncBegun())
        for name in ("CoreShowChannels", "Status", "QueueStatus", "DeviceStateList"):
            # In this order: a channel that Status does not confirm is a ghost of the list before.
            answer = await protocol.ask(name, deadline=LIST_DEADLINE_S, streamed=True)
            if name != "QueueStatus":  # a PBX without app_queue has none
                self._check(answer[0], name)
        self._step(ev.ResyncEnded())

    def _check(self, answer: Message, name: str) -> None:
        if not answer.success:
            raise AmiError(f"{name} was refused: {answer.message or 'no reason given'}")

    async def _keep_alive(self, protocol: Protocol) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            sent = time.monotonic()
            try:
                await protocol.ask("Ping", deadline=PING_DEADLINE_S)
            except DeadlineError:
                protocol.drop(f"no answer to a ping within {PING_DEADLINE_S:g} s")
                return
            except LinkLostError:
                return
            self.round_trip_ms = round((time.monotonic() - sent) * 1000)

    async def confirm(self, uniqueid: str) -> None:
        """Ask Status for one channel and pass the answer on as an event."""
        try:
            answer = await self.ask("Status", {"Channel": uniqueid})
        except AmiError as error:
            self._log.warning("status_unanswered", why=str(error))
            return
        if not answer[0].success:
            self._step(ev.ChannelUnknown(uniqueid))
            return
        for item in answer[1:]:
            if item.event == "Status" and item.uniqueid == uniqueid:
                self._step(ev.ChannelConfirmed(uniqueid, item.application, item.data))

    # --- in ------------------------------------------------------------------------------

    def _received(self, message: Received) -> None:
        if message.name == "FullyBooted":
            self._booted.set()
        elif message.name not in ("Shutdown", "Reload"):
            # After Shutdown comes the end of the connection; after Reload nothing is lost.
            self._sink(message)

    def _step(self, event: ev.Event) -> None:
        self._sink(Step(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000, event))

    def drop(self, why: str) -> None:
        """Give up the present connection; a new one reads all state again."""
        if self._protocol is not None:
            self._protocol.drop(why)

    def offer(self, event: ev.Event) -> None:
        """Put an event of our own in line with what the PBX sends."""
        self._step(event)
