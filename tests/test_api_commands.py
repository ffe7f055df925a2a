"""Disconnect User: permission, then the audit row, then the act, then its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitord.api import commands
from monitord.store import engine as engines
from tests.kit.centre import Centre, centre, until
from tests.kit.client import DEADLINE
from tests.kit.ledger import read_audit
from tests.kit.stores import Store


@pytest.fixture
async def here(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Centre]:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    monkeypatch.setattr(commands, "CONFIRM_S", 2.0)
    async with centre(tmp_path, store=store) as made:
        yield made


def audit(here: Centre) -> list[tuple[str, str, str]]:
    """Action, target and outcome of each disconnect."""
    rows = [r for r in read_audit(here.store) if r["action"].startswith("disconnect")]
    return [(r["action"], r["target"], r["detail"].get("outcome", "")) for r in rows]


async def test_confirmed(here: Centre) -> None:
    wanted = here.running()[0]
    status, body = await here.meanwhile(here.sue.disconnect(wanted))
    assert (status, body) == (200, {"outcome": "confirmed", "why": ""})
    assert here.hangups() == 1
    assert audit(here) == [
        ("disconnect", wanted, ""),
        ("disconnect outcome", wanted, "confirmed"),
    ]
    await here.daemon.recorder.settled()
    detail = await here.ina.get(f"/api/v1/supervisions/{wanted}")
    assert detail["supervision"]["end_reason"] == "disconnected"
    assert detail["supervision"]["ended_by"] == "Sue Supervisor"
    status, body = await here.meanwhile(here.sue.disconnect(wanted))
    assert status == 409 and body["field"] == "id"
    assert here.hangups() == 1


async def test_who_may_not(here: Centre) -> None:
    status, body = await here.ina.disconnect(here.running()[0])
    assert (status, body["error"]) == (403, "forbidden")
    assert here.hangups() == 0 and audit(here) == []


async def test_two_at_once_are_one(here: Centre) -> None:
    wanted = here.running()[0]
    asked = (here.sue.disconnect(wanted) for _ in range(5))
    answers = await here.meanwhile(asyncio.wait_for(asyncio.gather(*asked), DEADLINE))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]
    assert here.hangups() == 1
    assert len(audit(here)) == 2


async def test_nothing_is_sent_that_is_not_in_the_audit_log(here: Centre) -> None:
    wanted = here.running()[0]
    await here.daemon.recorder.settled()
    async with here.store.locked():
        status, body = await here.meanwhile(here.sue.disconnect(wanted))
        assert status == 503 and "audit log" in body["message"]
        assert here.hangups() == 0
        assert wanted in here.running()
        async with here.sue.http.get("/api/v1/supervisions") as response:
            assert response.status == 503, "nor is anything shown that is not in it"
        await here.sue.get("/api/v1/session")
    status, body = await here.meanwhile(here.sue.disconnect(wanted))
    assert body["outcome"] == "confirmed" and here.hangups() == 1


async def test_it_ended_while_the_row_was_written(here: Centre) -> None:
    """The same channel may be in another supervision by then, which nobody asked to end."""
    wanted = here.running()[0]
    await here.daemon.recorder.settled()
    async with here.store.locked():
        asked = asyncio.create_task(here.sue.disconnect(wanted))
        await until(lambda: wanted in here.daemon.web[commands.ACTS])
        while wanted in here.running():
            await here.advance(20)
    status, body = await asked
    if status == 503:  # the lock was held longer than the row waits
        assert here.hangups() == 0
    else:
        assert (body["outcome"], body["why"]) == ("confirmed", "It had ended by itself.")
    assert here.hangups() == 0


async def test_the_pbx_is_lost(here: Centre) -> None:
    wanted = here.running()[0]
    for session in list(here.sim.sessions):
        session.cut("the test pulls the plug")
    shard = here.daemon.hub.shards["lab"]
    await until(lambda: shard.link == "lost")
    status, body = await here.meanwhile(here.sue.disconnect(wanted))
    assert status == 409 and "cannot be reached" in body["message"]
    assert audit(here) == []


@pytest.fixture
async def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Centre]:
    monkeypatch.setattr(commands, "CONFIRM_S", 0.3)
    async with centre(tmp_path, silent_share=1.0) as made:
        yield made


def with_inbound(here: Centre) -> str:
    """A supervision of a silent leg."""
    stuck = {
        s.spyer.uniqueid
        for s in here.sim.centre.supervisions
        if s.spyer and s.spyee and s.spyee.silent
    }
    shard = here.daemon.hub.shards["lab"]
    return next(s.id for s in shard.supervisions.values() if s.spyer in stuck)


@pytest.mark.fault("Hangup accepted but stuck")
async def test_not_confirmed(silent: Centre) -> None:
    wanted = with_inbound(silent)
    status, body = await silent.meanwhile(silent.sue.disconnect(wanted))
    assert status == 200 and body["outcome"] == "not_confirmed"
    assert "no sound" in body["why"]
    await silent.caught_up()
    found = silent.daemon.hub.supervision(wanted)
    assert found is not None and not found[1].disconnect_pending
    assert audit(silent)[-1] == ("disconnect outcome", wanted, "not_confirmed")


async def test_a_stop_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent has its outcome in the log before the daemon is gone."""
    monkeypatch.setattr(commands, "CONFIRM_S", 0.5)
    async with centre(tmp_path, silent_share=1.0) as here:
        wanted = with_inbound(here)
        asked = asyncio.create_task(here.sue.disconnect(wanted))
        shard = here.daemon.hub.shards["lab"]
        await until(lambda: shard.supervisions[wanted].disconnect_pending)
    await asyncio.wait([asked])
    asked.exception()
    rows = read_audit(tmp_path / "data" / "monitord.sqlite3")
    assert rows[-1]["action"] == "disconnect outcome"
    assert rows[-1]["detail"]["outcome"] == "not_confirmed"
