"""The daemon attached to the simulated call centre, in this process; the test moves its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from monitord.app import Running
from monitord.simulator import Settings, Simulator, User
from monitord.simulator.messages import Event
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.proof import whole
from tests.kit.stores import SqliteStore, Store

T = TypeVar("T")

SECRET = "a secret only for tests"


async def until(condition: Callable[[], Any], what: str = "") -> Any:
    """The condition's first true value."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not (value := condition()):
                await asyncio.sleep(0.005)
            return value
    except TimeoutError:
        raise AssertionError(f"never came true: {what or condition}") from None


@dataclass
class Centre:
    sim: Simulator
    daemon: Running
    folder: Path
    store: Store
    ina: Client
    """May see."""
    sue: Client
    """May disconnect as well."""
    events: list[Event]
    """All that the PBX told since the daemon is attached."""

    async def advance(self, seconds: float) -> None:
        """Let it happen, and wait until the daemon has applied all of it."""
        await self.sim.advance(seconds)
        await self.caught_up()

    async def caught_up(self) -> None:
        """An answer comes behind all events that were sent before it."""
        attachment = self.daemon.attachments["lab"]
        await attachment.link.ask("Ping", {}, deadline=DEADLINE)
        await until(lambda: not attachment._items, "all items applied")
        self.daemon.hub.flush()

    async def meanwhile(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of something that the PBX has its part in: its clock goes on."""
        task = asyncio.create_task(work)
        async with asyncio.timeout(DEADLINE):
            while not task.done():
                await self.sim.advance(0.05)
                await asyncio.sleep(0.005)
        return await task

    def running(self) -> list[str]:
        """Ids of the supervisions that run and hear something."""
        shard = self.daemon.hub.shards["lab"]
        return [s.id for s in shard.supervisions.values() if s.view and s.state == "active"]

    def hangups(self) -> int:
        """How many hang-ups the PBX was asked for by AMI."""
        return sum(event.name == "SoftHangupRequest" for event in self.events)


@asynccontextmanager
async def centre(
    folder: Path,
    *,
    server: str = "",
    extra: str = "",
    store: Store | None = None,
    people: str | None = None,
    **settings: Any,
) -> AsyncIterator[Centre]:
    store = store or SqliteStore.in_folder(folder / "data")
    user = User(secret=SECRET)
    given = {"port": 0, "speed": 0, "seed": 7, "silent_share": 0.0, **settings}
    async with Simulator(Settings(user=user, **given)) as sim:
        site = Site(ami_port=sim.port, secret=SECRET, server=server, extra=extra, store=store)
        if people is not None:
            site.people = people
        async with daemon(site, folder) as started:
            await asyncio.wait_for(started.attachments["lab"].link.live.wait(), DEADLINE)
            async with Client(started.url) as ina, Client(started.url) as sue:
                assert await ina.sign_in("ina") == 200
                assert await sue.sign_in("sue") == 200
                events: list[Event] = []
                sim.centre.pbx.sinks.append(events.append)
                here = Centre(sim, started, folder, store, ina, sue, events)
                await here.caught_up()
                yield here
        # Whatever a test did: what the ledger says is what the audit log saw it say.
        await whole(store)
