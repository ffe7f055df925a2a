"""The disk is full: nothing crashes, nobody is cut off unrecorded, and it recovers by itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.store import recorder as recorders
from tests.kit.centre import Centre, centre, until
from tests.kit.disk import Disk, small_disk
from tests.kit.ledger import read_ledger
from tests.kit.postgres import Server
from tests.kit.stores import PostgresStore, SqliteStore, Store

MEGABYTES = {"sqlite": 4, "postgresql": 24}


@pytest.fixture(params=MEGABYTES)
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    # Not below pytest's folder, into which the server's user may not look.
    with tempfile.TemporaryDirectory(prefix="monitord-disk-") as folder:
        Path(folder).chmod(0o755)
        with small_disk(Path(folder) / "disk", MEGABYTES[request.param]) as disk:
            yield disk


@pytest.fixture
def filled(disk: Disk, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A database on that disk."""
    if "sqlite" in request.node.callspec.id:
        yield SqliteStore.in_folder(disk.folder / "data")
        return
    server: Server = request.getfixturevalue("postgres_server")
    place = disk.folder / "tablespace"
    place.mkdir()
    owner = server.data.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    server.admin.run(f"CREATE TABLESPACE full_disk OWNER monitord LOCATION '{place}'")
    name = server.new_database("TABLESPACE full_disk TEMPLATE template0")
    yield PostgresStore(server, name)
    server.drop(name)
    server.admin.run("DROP TABLESPACE full_disk")


async def one_to_end(here: Centre) -> str:
    """A supervision that runs and is no take-over, which asks once more before it ends a call."""
    shard = here.daemon.hub.shards["lab"]
    while not (found := [s for s in here.running() if not shard.supervisions[s].took_over]):
        await here.advance(10)
    return found[0]


@pytest.mark.fault("disk full")
async def test_full_and_free_again(
    disk: Disk, filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "RETRY_S", 0.05)
    async with centre(tmp_path, store=filled) as here, here.ina.stream() as page:
        await page.until(lambda s: s.of("supervision"))
        await here.daemon.recorder.settled()
        seen: set[str] = set()
        disk.fill()
        while not here.daemon.recorder.failing:
            await here.advance(30)
            disk.fill()
        assert "full" in here.daemon.recorder.failing or "space" in here.daemon.recorder.failing
        # The live view goes on, and history can be read.
        for _ in range(5):
            await here.advance(20)
            await page.until(lambda s: s.seq >= here.daemon.hub.seq)
            seen |= page.entities["call"].keys() | page.entities["supervision"].keys()
        async with here.ina.http.get("/api/v1/supervisions") as response:
            assert response.status in (200, 503)  # to be read is itself in the audit log
        # PostgreSQL has room in the pages that it has: until the audit log takes no row either.
        for _ in range(100):
            if await here.ina.sign_in("ina") == 503:
                break
        # No act without its row.
        wanted = await one_to_end(here)
        status, body = await here.meanwhile(here.sue.disconnect(wanted))
        assert status == 503 and "audit log" in body["message"], body
        assert here.hangups() == 0
        disk.free()
        await until(lambda: not here.daemon.recorder.failing, "it recovers by itself")
        await here.daemon.recorder.settled()
        rows = read_ledger(filled)
        kept = {row["id"] for name in ("calls", "supervisions") for row in rows[name]}
        assert seen <= kept and here.daemon.recorder.dropped == 0
        status, body = await here.meanwhile(here.sue.disconnect(await one_to_end(here)))
        assert (status, body["outcome"]) == (200, "confirmed")
        assert all(not task.done() for task in here.daemon.tasks)
