"""One connection to one PBX: log in as the daemon does, ask what may be asked, and watch."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from monitord.ami.actions import AmiError, DeadlineError, LinkLostError, NotSentError
from monitord.ami.link import Item, Link, LinkSettings, LoginRefusedError, Timing, words
from monitord.ami.protocol import Protocol, Received
from monitord.check.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a check waits for what."""

    timing: Timing = field(default=Timing(connect=5.0, answer=5.0, list=10.0))
    boot_s: float = 3.0
    """FullyBooted follows a login at once; it only takes longer while the PBX starts."""
    picture_s: float = 2.0
    """From one picture of what runs to the next."""
    pictured: Callable[[], None] = field(default=lambda: None)
    """Called after each picture."""


DEFAULT_PACE = Pace()

SETTLE_S = 0.5
"""Events of what the last picture shows may come a little after it."""

_PICTURE = ("Status", "QueueStatus", "DeviceStateList")
_FACTS = ("CoreStatus", "CoreSettings", "CoreShowChannels")
_CLASSES = re.compile(r"\(Priv: ([^()]*)\)\s*$")


class Found(msgspec.Struct):
    """All that one PBX has said."""

    evidence: Evidence
    unreachable: str = ""
    refused_login: str = ""
    booted: bool = False
    lost: str = ""
    """The connection ended before the check did."""
    answers: dict[str, str] = msgspec.field(default_factory=dict)
    """Action to why it was not done; empty where it was."""
    commands: dict[str, frozenset[str]] | None = None
    """Action that the user may send to the classes of which one is enough."""
    asterisk: str = ""
    ami: str = ""
    system_name: str = ""
    started: str = ""
    watched_s: float = 0.0


class Probe(Link):
    """Uses a link's way in, and nothing of its life: no resync, no second attempt."""

    def __init__(
        self, settings: LinkSettings, evidence: Evidence, pace: Pace = DEFAULT_PACE
    ) -> None:
        # All events, because those that should not come are of interest too.
        super().__init__(settings, self._seen, wanted=None, timing=pace.timing)
        self._pace = pace
        self._found = Found(evidence)
        self._news = asyncio.Event()
        evidence.ask = self._news.set
        self._enough = False

    def enough(self) -> None:
        """Watch no longer; what was seen until now is reported."""
        self._enough = True
        self._news.set()

    def _seen(self, item: Item) -> None:
        self._found.evidence.take(item)

    def _received(self, message: Received) -> None:
        """All of it counts, from the login on: no state is made of it."""
        if message.name == "FullyBooted":
            self._booted.set()
        self._seen(message)

    async def look(self, watch_s: float) -> Found:
        found = self._found
        try:
            protocol = await self._connect()
        except (OSError, AmiError) as error:
            found.unreachable = words(error)
            return found
        try:
            await self._talk(protocol, watch_s)
        except LoginRefusedError as error:
            found.refused_login = str(error)
        except DeadlineError as error:
            found.lost = str(error)
        except (LinkLostError, NotSentError) as error:
            found.lost = protocol.lost.result() if protocol.lost.done() else str(error)
        finally:
            protocol.close()
        return found

    async def _talk(self, protocol: Protocol, watch_s: float) -> None:
        await self._log_in(protocol)
        try:
            async with asyncio.timeout(self._pace.boot_s):
                await self._booted.wait()
        except TimeoutError:
            pass
        self._found.booted = self._booted.is_set()
        await self._ask_rights(protocol)
        await self._watch(protocol, watch_s)

    async def _ask_rights(self, protocol: Protocol) -> None:
        found = self._found
        listed = (await protocol.ask("ListCommands", deadline=self._pace.timing.answer))[0]
        if listed.success:
            found.commands = {}
            for name, text in listed.items():
                if classes := _CLASSES.search(text):
                    found.commands[name] = frozenset(classes[1].split(",")) - {"all", "<none>"}
        for name in _FACTS:
            answer = (await protocol.ask(name, deadline=self._pace.timing.list))[0]
            found.answers[name] = "" if answer.success else answer.message or "no reason given"
            if name == "CoreSettings" and answer.success:
                found.asterisk, found.ami = answer.asteriskversion, answer.amiversion
                found.system_name = answer.systemname
            elif name == "CoreStatus" and answer.success:
                found.started = f"{answer.corestartupdate} {answer.corestartuptime}"

    async def _watch(self, protocol: Protocol, watch_s: float) -> None:
        began = time.monotonic()
        await self._take_picture(protocol)
        while not self._enough and (left := began + watch_s - time.monotonic()) > 0:
            await self._wait(protocol, min(left, self._pace.picture_s), or_enough=True)
            await self._take_picture(protocol)
        if watch_s:
            await self._wait(protocol, SETTLE_S)
        # Its answer comes behind all events that were held back.
        await protocol.ask("Ping", deadline=self._pace.timing.answer)
        self._found.watched_s = time.monotonic() - began

    async def _wait(self, protocol: Protocol, seconds: float, *, or_enough: bool = False) -> None:
        """Meanwhile ask for the type of each supervision that begins, as the daemon does."""
        until = time.monotonic() + seconds
        while not (or_enough and self._enough) and (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                return
            self._news.clear()
            if protocol.closed:
                raise LinkLostError("the connection ended")
            await self._ask_spyers(protocol)

    async def _ask_spyers(self, protocol: Protocol) -> None:
        evidence = self._found.evidence
        while evidence.to_ask:
            fields = {"Channel": evidence.to_ask.pop()}
            await protocol.ask("Status", fields, deadline=self._pace.timing.answer, streamed=True)

    async def _take_picture(self, protocol: Protocol) -> None:
        evidence = self._found.evidence
        before = evidence.begin()
        for name in _PICTURE:
            answer = await protocol.ask(name, deadline=self._pace.timing.list, streamed=True)
            reason = "" if answer[0].success else answer[0].message or "no reason given"
            self._found.answers[name] = reason
        evidence.end(before)
        self._pace.pictured()
