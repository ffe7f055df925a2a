"""Killed in the middle of an erasure: between the database and the keys, which no transaction
holds together."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.kit import privacy as kit
from tests.kit.client import DEADLINE
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit
from tests.kit.records import call, segment, supervision
from tests.kit.roster import editor, nobody
from tests.kit.stores import Store
from tests.test_cli import start


@pytest.mark.fault("daemon kill -9 mid-session")
async def test_what_was_begun_is_ended_by_the_next_start(tmp_path: Path, store: Store) -> None:
    site = Site(ami_port=nobody(), secret="x", store=store, people=kit.people())
    times: dict[str, Any] = {"ended": 3_000, "length_ms": 500, "pbx": "old"}
    hers = {"supervisor_id": kit.WHO, "supervisor_name": kit.NAME}
    owner = supervision(7, **times, **hers)
    async with (
        daemon(site, tmp_path) as first,
        editor(first.url) as max_,
        editor(first.url, "sue"),  # so that she has a key, whose leader is to be erased
    ):
        first.recorder.take([owner, segment(owner, 1), call(7, **times)])
        await first.recorder.settled()
        await max_.done("PATCH", f"/people/{kit.WHO}", {"active": False})

    process = await start(tmp_path, "run", "--config", str(site.write(tmp_path)))
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(DEADLINE):
        while b"the page at " not in said or not said.endswith(b"\n"):
            said += await process.stderr.read(4096)
    url = said.split(b"the page at ")[1].split()[0].decode()
    async with editor(url) as max_:
        # Nobody can write the keys, so it stands still where they are to be destroyed.
        with closing(sqlite3.connect(store.keys, isolation_level=None)) as keys:
            keys.execute("BEGIN IMMEDIATE")
            body = {"reason": "asked for it"}
            path = f"/privacy/people/{kit.WHO}/erase"
            asking = asyncio.create_task(kit.ask(max_.client, "POST", path, body))
            async with asyncio.timeout(DEADLINE):
                while not store.read("SELECT id FROM receipt"):
                    await asyncio.sleep(0.02)
            process.kill()
            await process.communicate()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            keys.execute("ROLLBACK")
    (begun,) = store.read("SELECT * FROM receipt")
    assert begun["done"] is None and begun["signature"] is None
    assert store.read(f"SELECT id FROM supervision WHERE supervisor_id = '{kit.WHO}'") == []
    fault = kit.proved(store).fault
    assert fault is not None, "her key is still there, and says what the ledger does not"
    assert kit.WHO.encode() in store.keys.read_bytes()

    async with daemon(site, tmp_path) as again, editor(again.url) as max_:
        (receipt,) = (await kit.ask(max_.client, "GET", "/privacy"))[1]["receipts"]
        assert receipt["id"] == begun["id"] and receipt["done"] is not None
        assert kit.proved(store).fault is None
        assert kit.found_in(kit.places(store, tmp_path), kit.HERS) == []
        assert kit.found_in({"keys": store.keys.read_bytes()}, kit.HERS) == []
    acts = [r["action"] for r in read_audit(store)]
    assert acts.count("erase") == acts.count("erase outcome") == 1
