"""One call over HTTP: what the ledgers tell of its time, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitord.domain.words import AgentStatus, EndReason, SpyType
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.stores import Store

CALL = call(
    1, started=10_000, answered=12_000, ended=70_000, end_reason=EndReason.CALL_ENDED, hold_ms=9_000
)
OTHER = call(2, started=10_000, ended=70_000)
HEARD = supervision(1, started=5_000, ended=80_000, call=CALL.id)
LATER = supervision(2, started=40_000, ended=60_000, supervisor_id="tom", call=CALL.id)
ON = {"call": CALL.id, "call_id": CALL.call_id}
ROWS: list[Any] = [
    *(CALL, alias(CALL.call_id, CALL), OTHER, LATER, HEARD),
    segment(HEARD, 1, started=5_000, ended=11_000, call=OTHER.id),
    segment(HEARD, 2, started=12_000, ended=30_000, **ON),
    segment(HEARD, 3, type=SpyType.COACH, started=30_000, ended=70_000, **ON),
    segment(LATER, 1, started=40_000, ended=60_000, **ON),
    status(1, started=1_000, ended=9_000),
    status(2, status=AgentStatus.RINGING, started=9_000, ended=12_000),
    status(3, status=AgentStatus.ON_HOLD, started=20_000, ended=29_000),
    status(4, started=71_000),
    status(5, started=20_000, ended=30_000, agent_endpoint="PJSIP/1099"),
    status(6, started=20_000, ended=30_000, pbx="elsewhere"),
    gap(15_000, ended=16_000),
    gap(80_000, ended=81_000),
]


@pytest.fixture
async def ina(tmp_path: Path, store: Store) -> AsyncIterator[Client]:
    async with daemon(Site(ami_port=1, secret="s", store=store), tmp_path) as started:
        started.recorder.take(ROWS)
        async with Client(started.url) as client:
            assert await client.sign_in("ina") == 200
            yield client


async def test_what_there_is_of_one_call(ina: Client) -> None:
    found = await ina.get(f"/api/v1/calls/{CALL.id}")
    assert found["call"]["call_id"] == CALL.call_id and found["call"]["hold_ms"] == 9_000
    # What was heard of another call, and what was before, after and elsewhere, is left out.
    assert [
        (one["supervisor"]["id"], [(s["n"], s["type"]) for s in one["segments"]])
        for one in found["supervisions"]
    ] == [("sue", [(2, "Monitor"), (3, "Coach")]), ("tom", [(1, "Monitor")])]
    assert [one["id"] for one in found["statuses"]] == ["s2", "s3"]
    assert [one["started"] for one in found["gaps"]] == [15_000]
    assert found["complete"] and found["flags"] == []


async def test_flags_of_it_and_of_no_other(ina: Client) -> None:
    flags = {}
    for n, one in enumerate((CALL, OTHER)):
        body = {"id": f"{n:020x}", "call": one.id, "polarity": "good", "comment": "Said her name."}
        async with ina.http.post("/api/v1/flags", json=body) as response:
            assert response.status == 201
            flags[one.id] = await response.json()
    found = await ina.get(f"/api/v1/calls/{CALL.id}")
    assert found["flags"] == [flags[CALL.id]]
    async with ina.http.post(f"/api/v1/flags/{0:020x}/take-off", json={}) as response:
        assert response.status == 200
    assert (await ina.get(f"/api/v1/calls/{CALL.id}"))["flags"] == []


async def test_looked_at_is_written_down_and_unknown_is_said(ina: Client, store: Store) -> None:
    await ina.get(f"/api/v1/calls/{CALL.id}")
    looks = [row for row in read_audit(store, whole=True) if row["action"] == "view history"]
    acts = [row["target"] for row in looks]
    assert acts == [f"call {CALL.id}"]
    for path, status_, field in ((f"{'f' * 20}", 404, "id"), (f"{CALL.id}?all=1", 400, "all")):
        async with ina.http.get(f"/api/v1/calls/{path}") as response:
            assert (response.status, (await response.json())["field"]) == (status_, field)
