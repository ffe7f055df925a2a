"""The whole daemon on either database: killed and started again, and a server that goes away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from yarl import URL

from monitord.simulator import Settings, Simulator, User
from tests.kit.centre import SECRET, centre
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.proof import whole
from tests.kit.stores import PostgresStore, Store
from tests.test_cli import start


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_a_killed_daemon_is_followed_by_one_that_goes_on(
    tmp_path: Path, store: Store
) -> None:
    user = User(secret=SECRET)
    async with Simulator(Settings(user=user, port=0, speed=0, seed=7, silent_share=0.0)) as sim:
        site = Site(ami_port=sim.port, secret=SECRET, store=store)
        process = await start(tmp_path, "run", "--config", str(site.write(tmp_path)))
        assert process.stderr is not None
        said = b""
        async with asyncio.timeout(DEADLINE):
            while b"the page at " not in said or not said.endswith(b"\n"):
                said += await process.stderr.read(4096)
        url = said.split(b"the page at ")[1].split()[0].decode()
        async with Client(url) as ina:
            assert await ina.sign_in("ina") == 200
            async with ina.stream() as stream:
                await stream.until(lambda s: any(p["link"] == "live" for p in s.of("pbx")), "live")
                shown = {s["id"] for s in stream.of("supervision")}
                calls = {c["id"] for c in stream.of("call")}
                assert shown and calls

                def written() -> bool:
                    rows = read_ledger(store)
                    return shown <= {r["id"] for r in rows["supervisions"]} and calls <= {
                        r["id"] for r in rows["calls"]
                    }

                async with asyncio.timeout(DEADLINE):
                    while not written():
                        await asyncio.sleep(0.05)
                process.kill()
        await process.communicate()
        await whole(store)
        before = read_ledger(store)
        async with daemon(site, tmp_path) as again:
            await asyncio.wait_for(again.attachments["lab"].link.live.wait(), DEADLINE)
            await asyncio.wait_for(again.attachments["lab"].idle.wait(), DEADLINE)
            assert shown == set(again.hub.shards["lab"].supervisions)
            await again.recorder.settled()
            after = read_ledger(store)
    assert {r["id"] for r in after["supervisions"]} == {r["id"] for r in before["supervisions"]}
    assert {r["id"] for r in after["calls"]} == {r["id"] for r in before["calls"]}
    assert all(r["ended"] is None for r in after["supervisions"] if r["id"] in shown)
    (gap,) = after["gaps"]
    assert gap["why"] == "the daemon was not running" and gap["ended"] is not None


@pytest.mark.fault("network partition daemon–DB / daemon–PBX")
async def test_a_postgresql_server_that_is_restarted(
    tmp_path: Path, postgres: PostgresStore
) -> None:
    """History says that it cannot be read, nobody is let in or cut off unrecorded, the live view
    goes on, and all of it is in the ledger afterwards."""
    async with centre(tmp_path, store=postgres) as here:
        await here.daemon.recorder.settled()
        wanted = here.running()[0]
        postgres.server.kill()
        for path in ("/api/v1/supervisions", "/api/v1/calls", f"/api/v1/supervisions/{wanted}"):
            async with here.ina.http.get(path) as response:
                assert response.status == 503, path
        assert await here.ina.sign_in("ina") == 503
        status, body = await here.meanwhile(here.sue.disconnect(wanted))
        assert status == 503 and "audit log" in body["message"] and here.hangups() == 0
        while wanted in here.running():
            await here.advance(20)
        postgres.server.start()
        postgres.server.connect_again()
        await here.daemon.recorder.settled()
        detail = await here.ina.get(f"/api/v1/supervisions/{wanted}")
        assert detail["supervision"]["ended"] is not None
        assert await here.ina.sign_in("ina") == 200


async def test_history_over_http(tmp_path: Path, store: Store) -> None:
    """Each ledger, paged by threes, has just the rows of the database, newest first."""
    async with centre(tmp_path, store=store) as here:
        await here.advance(120)
        await here.daemon.recorder.settled()
        ledger = read_ledger(store)
        audit_row = read_audit(store)[0]
        assert audit_row["action"] == "sign in"
        for path, name in (("supervisions", "supervisions"), ("calls", "calls")):
            seen: list[str] = []
            more: dict[str, str] = {}
            while True:
                page = await here.ina.get(f"/api/v1/{path}", limit="3", **more)
                seen += [row["id"] for row in page["rows"]]
                if page["next"] is None:
                    break
                more = {"cursor": page["next"]}
            assert len(seen) > 3 and seen == [r["id"] for r in reversed(ledger[name])]
        row = ledger["supervisions"][0]
        detail = await here.ina.get(f"/api/v1/supervisions/{row['id']}")
        parts = [r for r in ledger["segments"] if r["supervision"] == row["id"]]
        assert [s["n"] for s in detail["segments"]] == sorted(p["n"] for p in parts)
        found = await here.ina.get("/api/v1/supervisions", supervisor=row["supervisor_id"])
        assert row["id"] in {r["id"] for r in found["rows"]}
        call = ledger["calls"][0]["call_id"]
        found = await here.ina.get("/api/v1/calls", call=call)
        assert [r["call_id"] for r in found["rows"]] == [call]
        for text in ("%00", "%ED%A0%80", "%F0%9F%98%80", "%FF"):
            url = f"/api/v1/supervisions/{text}"
            async with here.ina.http.get(URL(url, encoded=True)) as response:
                assert response.status in (400, 404), text
            body = {"login": "a\0b", "password": "x"}
            async with here.ina.http.post("/api/v1/session", json=body) as response:
                assert response.status in (400, 401, 429)
