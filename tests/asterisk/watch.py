"""A daemon that watches the scene, and what tests ask of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.ami import trace
from monitord.ami.replay import replay
from monitord.app import Running
from tests.kit.client import DEADLINE, Client, Stream
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.traces import KEEP, Tap, test_name, without_wrap_up
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

    async def supervision(self, **fields: Any) -> Any:
        """The first supervision that has these values, once there is one."""

        def found(stream: Stream) -> Any:
            shown = stream.of("supervision")
            fits = [s for s in shown if all(s[k] == v for k, v in fields.items())]
            return fits[0] if fits else None

        return await self.stream.until(found, f"a supervision with {fields}")

    async def call(self, **values: str) -> Any:
        """The first live call whose labels have these values."""

        def found(stream: Stream) -> Any:
            shown = stream.of("call")
            fits = [
                c for c in shown if all((c[k] or {}).get("value") == v for k, v in values.items())
            ]
            return fits[0] if fits else None

        return await self.stream.until(found, f"a call with {values}")

    async def nothing_left(self) -> None:
        """No supervision and no call is shown, none is left in the state, all is on disk."""
        await self.stream.until(
            lambda s: not s.of("supervision") and not s.of("call"), "no supervision and no call"
        )
        shard = self.daemon.hub.shards["lab"]
        # A supervisor's own last channel is no call, so nothing on the stream tells its end.
        end = time.monotonic() + DEADLINE
        while shard.channels and time.monotonic() < end:
            await asyncio.sleep(0.01)
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

    @property
    def database(self) -> Path:
        return self.folder / "data" / "monitord.sqlite3"

    def audit(self) -> list[dict[str, Any]]:
        return read_audit(self.database)


@asynccontextmanager
async def watching(scene: Scene, folder: Path, node: str, family: str) -> AsyncIterator[Watch]:
    """For one test. At its end the recorded trace must lead to the very rows of the ledger."""
    server = scene.server
    site = Site(ami_port=server.ports.ami, secret=server.secrets["monitord"])
    tap = Tap()
    async with (
        daemon(site, folder, tap.take) as started,
        Client(started.url) as ina,
        Client(started.url) as sue,
    ):
        assert await ina.sign_in("ina") == 200
        assert await sue.sign_in("sue") == 200
        async with ina.stream() as stream:
            await stream.until(
                lambda s: any(p["link"] == "live" for p in s.of("pbx")), "the PBX live"
            )
            watch = Watch(started, folder, ina, sue, stream)
            yield watch
        header = trace.Header(pbx="lab", site=started.hub.shards["lab"].site)
        await started.recorder.settled()
        ledger = read_ledger(watch.database)
    # Only for a test that succeeded: a failure has left the block above by its exception.
    again = folder / "again.jsonl"
    again.write_bytes(tap.written(header, ()))
    replayed = replay(*trace.read(again), settle=False)
    assert without_wrap_up(replayed.ledger()) == without_wrap_up(ledger)
    if KEEP:
        tap.keep(header, family, test_name(node))
