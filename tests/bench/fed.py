"""The whole daemon without a PBX: what AMI would have brought is put in where the link hands it on.

So a measure decides what happens and how fast, and everything behind that place is as it runs at a
site: the queue, the reducer, the hub, the ledgers on disk, the stream.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from panoramisk.message import Message

from monitord.ami.actions import NotSentError
from monitord.ami.link import LinkSettings, Sink, Step
from monitord.ami.protocol import Received
from monitord.app import Running, running
from monitord.domain import events as ev
from monitord.domain.words import LinkState
from tests.bench.texts import Texts
from tests.kit.daemon import Site

BEHIND_MOST = 20_000
"""Rows that may wait to be written before no more is put in: a bench is faster than any PBX."""


class Feed:
    """As :class:`monitord.ami.link.Link`, of which nothing can be asked."""

    round_trip_ms: int | None = None

    def __init__(self, settings: LinkSettings, sink: Sink) -> None:
        self.pbx = settings.pbx
        self._sink = sink
        self.live = asyncio.Event()
        self.heard = 0

    def now(self) -> ev.At:
        return ev.At(time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000)

    async def run(self) -> None:
        for event in (
            ev.LinkChanged(LinkState.SYNCING),
            ev.BootSeen("2026-11-22T08:00:00", "22.10.1"),
            ev.ResyncBegun(),
            ev.ResyncEnded(),
            ev.LinkChanged(LinkState.LIVE),
        ):
            self.offer(event)
        self.live.set()
        await asyncio.Event().wait()

    def put(self, texts: Texts) -> None:
        """What came at one moment."""
        now = self.now()
        self.heard = now.wall
        for name, text in texts:
            self._sink(Received(now.mono, now.wall, name, text))

    async def ask(self, name: str, fields: dict[str, str], *, deadline: float) -> list[Message]:
        raise NotSentError("there is no PBX")

    async def tell_all(self) -> None:
        raise NotSentError("there is no PBX")

    async def confirm(self, uniqueid: str) -> None:
        """Nothing here is asked for."""

    def drop(self, why: str) -> bool:
        return False

    def offer(self, event: ev.Event) -> None:
        now = self.now()
        self._sink(Step(now.mono, now.wall, event))


class Fed:
    """A daemon with one PBX that is fed."""

    def __init__(self, daemon: Running) -> None:
        self.daemon = daemon
        (self.attachment,) = daemon.attachments.values()
        assert isinstance(self.attachment.link, Feed)
        self.feed = self.attachment.link

    async def put(self, texts: Texts) -> None:
        """And wait until it is applied, and the recorder not far behind."""
        self.feed.put(texts)
        await self.attachment.idle.wait()
        recorder = self.daemon.recorder
        while len(recorder._waiting) + recorder._writing > BEHIND_MOST:
            await asyncio.sleep(0.01)  # it tells only when all is written

    async def put_all(self, many: Iterable[Texts]) -> None:
        for texts in many:
            await self.put(texts)

    async def settled(self) -> None:
        """All is applied, and on disk."""
        await self.attachment.idle.wait()
        self.daemon.hub.flush()
        await self.daemon.recorder.settled()


@asynccontextmanager
async def fed(folder: Path, site: Site | None = None) -> AsyncIterator[Fed]:
    site = site or Site(ami_port=1, secret="a secret only for benches")
    async with running(site.load(folder), make_link=Feed) as daemon:
        here = Fed(daemon)
        await here.feed.live.wait()
        await here.settled()
        assert here.attachment.failed == here.attachment.malformed == 0
        yield here
        assert here.attachment.failed == here.attachment.malformed == 0
