"""The simulated day through the daemon's own link, attachment, hub and recorder, over TCP and into
SQLite, as fast as both can. Only the time is the simulator's: each event is applied at the moment
that its Timestamp says, so that the ledger's times can be compared with the truth to the
millisecond."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from monitord.ami.attachment import Attachment
from monitord.ami.link import Item, Timing
from monitord.ami.protocol import Received
from monitord.domain import events as ev
from monitord.domain.events import At
from monitord.domain.words import LinkState
from monitord.live.hub import Hub
from monitord.simulator import Settings, Simulator, User
from monitord.simulator.messages import Event
from monitord.store.engine import open_store
from monitord.store.memory import remembered
from monitord.store.recorder import Recorder
from tests.kit.centre import SECRET, until
from tests.kit.client import DEADLINE
from tests.kit.daemon import Site
from tests.kit.truth import instant

PBX = "lab"
STEPS_AT_ONCE = 100
_TIMESTAMP = re.compile(r"(?m)^Timestamp: (\d+\.\d{6})\r?$")

READ = frozenset({"system", "call", "agent", "dialplan", "user", "dtmf"})

# A connection that is lost comes back at once in real time, whatever the simulated time is.
# Reconciles run all the while and must end nothing.
TIMING = Timing(
    retry_first=0.02, retry_most=0.05, refused_first=0.02, boot_hint=DEADLINE, reconcile_every=0.5
)


@dataclass
class Day:
    sim: Simulator
    hub: Hub
    attachment: Attachment = field(init=False)
    now: int = 0
    """The simulated time up to which all is applied, ms."""
    attached_at: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """From the last that was heard to the end of the next resync."""
    _lost_at: int | None = None
    cut: bool = False
    """The connection was cut just now; simulated time waits until that is noticed."""
    _spied: bool = False

    # -- time ---------------------------------------------------------------------------

    def tap(self, item: Item) -> None:
        found = _TIMESTAMP.search(item.text) if isinstance(item, Received) else None
        if found is not None:
            self.now = max(self.now, instant(float(found[1])))

    def apply(self, pbx: str, event: ev.Event, at: At) -> Sequence[str]:
        if isinstance(event, ev.Tick):
            return ()  # of the real time
        if isinstance(event, ev.LinkChanged):
            if event.link is LinkState.LOST:
                self._lost_at = self.now if self._lost_at is None else self._lost_at
                event = msgspec.structs.replace(event, heard=self._lost_at)
            elif event.link is LinkState.SYNCING:
                self.now = instant(self.sim.clock.wall)
        elif isinstance(event, ev.ResyncEnded):
            if self._lost_at is not None:
                self.gaps.append((self._lost_at, self.now))
                self._lost_at = None
            self.attached_at = self.attached_at or self.now
        return self.hub.apply(pbx, event, At(self.now, self.now))

    def watch(self, event: Event) -> None:
        self._spied = self._spied or event.name == "ChanSpyStart"

    # -- what a test does ---------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Let it happen, and wait until all of it is applied. Simulated time stands still while
        the daemon asks for a type and while it connects anew."""
        end = self.sim.clock.now + seconds
        steps = 0
        while True:
            if self.sim.clock.next_due() == self.sim.faults.next_at:
                await self.caught_up()  # so that each run loses the same
            if not self.sim.clock.step(end):
                break
            steps += 1
            if self.sim.faults.away or self.cut:
                await until(self._lost, "the loss is noticed")
                self.cut = False
            elif self._spied or steps % STEPS_AT_ONCE == 0 or self._lost_at is not None:
                await self.caught_up()
        await self.caught_up()

    def _lost(self) -> bool:
        return not self.attachment.link.live.is_set()

    async def caught_up(self) -> None:
        self._spied = False
        link = self.attachment.link
        if self.sim.faults.away or self.sim.faults.booting:
            return
        await asyncio.wait_for(link.live.wait(), DEADLINE)
        await link.ask("Ping", {}, deadline=DEADLINE)
        attachment = self.attachment
        await until(lambda: not attachment._items and not attachment._asking, "all applied")


@asynccontextmanager
async def day(folder: Path, *, keypad: bool = True, **settings: Any) -> AsyncIterator[Day]:
    """The truth stands in `truth.jsonl` of the folder; the ledger is complete when it is left."""
    given = {"port": 0, "speed": 0, "wall": 1_795_320_000.0, **settings}
    user = User(secret=SECRET, read=READ)
    async with Simulator(Settings(user, truth=str(folder / "truth.jsonl"), **given)) as sim:
        site = Site(ami_port=sim.port, secret=SECRET, keypad=keypad)
        site.people += "".join(
            f'[[people]]\nid = "{one.endpoint}"\n'
            f'name = "{one.name}"\nendpoints = ["{one.device}"]\n'
            for one in sim.centre.floor.supervisors[2:]  # the first two are on it
        )
        loaded = site.load(folder)
        assert loaded.folder is not None
        loaded.folder.mkdir(parents=True, exist_ok=True)
        engine = await open_store(loaded.store_url)
        recorder = Recorder(engine)
        hub = Hub([(PBX, PBX)], loaded.site, recorder.take)
        here = Day(sim, hub)
        here.now = instant(sim.clock.wall)
        hub.apply(PBX, await remembered(engine, PBX), At(here.now, here.now))
        here.attachment = Attachment(
            loaded.links[0],
            here.apply,
            hub.flush,
            tap=here.tap,
            is_spyer=partial(hub.is_spyer, PBX),
            timing=TIMING,
        )
        sim.centre.pbx.sinks.append(here.watch)
        tasks = [
            asyncio.create_task(recorder.run()),
            asyncio.create_task(here.attachment.run()),
        ]
        try:
            await asyncio.wait_for(here.attachment.link.live.wait(), DEADLINE)
            await here.caught_up()
            yield here
            while sim.faults.away or sim.faults.booting:
                await here.advance(1)
            assert here.attachment.failed == here.attachment.malformed == 0
            # What is due within a minute: wrap-ups, and who has left a spy for nowhere.
            hub.apply(PBX, ev.Tick(), At(here.now + 60_000, here.now + 60_000))
        finally:
            for task in reversed(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert not await recorder.drain()
            await engine.dispose()
