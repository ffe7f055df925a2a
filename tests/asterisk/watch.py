"""A daemon that watches the scene, and what tests ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.ami import trace
from monitord.ami.link import DEFAULT_TIMING, Item, Timing
from monitord.ami.replay import replay
from monitord.app import Running
from tests.kit.client import DEADLINE, Client, Stream
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.proof import whole
from tests.kit.stores import SqliteStore
from tests.kit.traces import KEEP, Tap, without_wrap_up
from tests.lab.scene import Scene


@dataclass
class Watch:
    """A daemon on the scene's PBX, and two people who are signed in: Ina may see, Sue may
    disconnect as well."""

    daemon: Running
    folder: Path
    ina: Client
    sue: Client
    stream: Stream
    items: list[Item]
    """What came from the PBX, as a trace would keep it."""

    async def supervision(self, **fields: Any) -> Any:
        """The first supervision that has these values, once there is one."""

        def found(stream: Stream) -> Any:
            shown = stream.of("supervision")
            fits = [s for s in shown if all(s[k] == v for k, v in fields.items())]
            return fits[0] if fits else None

        shown = await self.stream.until(found, f"a supervision with {fields}")
        if KEEP and shown["state"] == "active":
            # The scene is at rest here, so a trace can also be begun here.
            await self.daemon.attachments["lab"].mark()
        return shown

    async def link(self, state: str) -> Any:
        """The PBX as it is shown, once its link is so."""
        return await self.stream.until(
            lambda s: next((p for p in s.of("pbx") if p["link"] == state), None), f"link {state}"
        )

    async def call(self, **values: str) -> Any:
        """The first live call whose labels have these values."""

        def found(stream: Stream) -> Any:
            shown = stream.of("call")
            fits = [
                c for c in shown if all((c[k] or {}).get("value") == v for k, v in values.items())
            ]
            return fits[0] if fits else None

        return await self.stream.until(found, f"a call with {values}")

    async def until(self, condition: Callable[[], Any]) -> None:
        """For what no frame tells."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.01)

    async def nothing_left(self) -> None:
        """No supervision and no call is shown, none is left in the state, all is on disk."""
        await self.stream.until(
            lambda s: not s.of("supervision") and not s.of("call"), "no supervision and no call"
        )
        shard = self.daemon.hub.shards["lab"]
        # A supervisor's own last channel is no call, so nothing on the stream tells its end.
        await self.until(lambda: not shard.channels)
        assert not shard.channels and not shard.calls and not shard.supervisions
        assert not shard.bridges and not shard.by_spyer and not shard.by_linkedid
        attachment = self.daemon.attachments["lab"]
        assert attachment.failed == 0 and attachment.malformed == 0
        await self.daemon.recorder.settled()

    async def rows(self) -> list[Any]:
        page = await self.ina.get("/api/v1/supervisions")
        assert page["next"] is None
        return page["rows"]  # type: ignore[no-any-return]

    async def segments(self, supervision: str) -> list[Any]:
        detail = await self.ina.get(f"/api/v1/supervisions/{supervision}")
        return detail["segments"]  # type: ignore[no-any-return]

    async def calls(self) -> list[Any]:
        return (await self.ina.get("/api/v1/calls"))["rows"]  # type: ignore[no-any-return]

    async def handed_on(self) -> list[tuple[str, str, bool]]:
        """From whom to whom the only call that changed hands went, and whether it was seen."""
        found = []
        for row in await self.calls():
            detail = await self.ina.get(f"/api/v1/calls/{row['id']}")
            agents = [*(part["agent"]["id"] for part in detail["parts"]), row["agent"]["id"]]
            exact = [part["exact"] for part in detail["parts"]]
            found += list(zip(agents, agents[1:], exact, strict=False))
        return found

    @property
    def database(self) -> Path:
        return self.folder / "data" / "monitord.sqlite3"

    def audit(self) -> list[dict[str, Any]]:
        return read_audit(self.database)


def site_of(scene: Scene, port: int | None = None, **more: Any) -> Site:
    """The scene's PBX, reached directly or through a relay's ``port``."""
    server = scene.server
    return Site(ami_port=port or server.ports.ami, secret=server.secrets["monitord"], **more)


@asynccontextmanager
async def attached(
    site: Site, folder: Path, timing: Timing = DEFAULT_TIMING
) -> AsyncIterator[Watch]:
    """A daemon that is live on its PBX. When it has stopped, its recorded trace must lead to the
    very rows that it left in the ledger."""
    tap = Tap()
    database = folder / "data" / "monitord.sqlite3"
    rows = read_ledger(database) if database.exists() else {}
    async with (
        daemon(site, folder, tap.take, timing) as started,
        Client(started.url) as ina,
        Client(started.url) as sue,
    ):
        assert await ina.sign_in("ina") == 200
        assert await sue.sign_in("sue") == 200
        async with ina.stream() as stream:
            watch = Watch(started, folder, ina, sue, stream, tap.items)
            await watch.link("live")
            yield watch
        header = trace.Header(pbx="lab", site=started.hub.shards["lab"].site)
    again = folder / "again.jsonl"
    again.write_bytes(tap.written(header, ()))
    replayed = replay(*trace.read(again), settle=False)
    for name, written in replayed.ledger().items():
        by_id = {row["id"]: row for row in [*rows.get(name, ()), *written]}
        rows[name] = sorted(by_id.values(), key=lambda row: (row["started"], row["id"]))
    assert without_wrap_up(rows) == without_wrap_up(read_ledger(database))
    await whole(SqliteStore(database))
    if KEEP:
        tap.keep(header)


@asynccontextmanager
async def watching(
    scene: Scene, folder: Path, timing: Timing = DEFAULT_TIMING, **more: Any
) -> AsyncIterator[Watch]:
    async with attached(site_of(scene, **more), folder, timing) as watch:
        yield watch
