"""Why somebody supervised, and why somebody disconnected it: asked, given, corrected, shown."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitord.store import engine as engines
from tests.kit.centre import Centre, centre
from tests.kit.client import Client
from tests.kit.ledger import read_audit
from tests.kit.stores import Store
from tests.kit.told import ALL, CENTRE, notices, people, supervisions

REQUIRED = ALL + '[reason]\nask = "required"\n'


@pytest.fixture
async def here(tmp_path: Path, store: Store) -> AsyncIterator[Centre]:
    async with centre(tmp_path, extra=REQUIRED, store=store, people=people(), **CENTRE) as made:
        yield made


async def by_sue(here: Centre, *, over: bool) -> dict[str, Any]:
    """The row of a supervision of hers."""
    async with asyncio.timeout(90):
        while True:
            await here.daemon.recorder.settled()
            rows = [r for r in supervisions(here.store).values() if r["supervisor_id"] == "sue"]
            fits = [r for r in rows if (r["ended"] is not None) == over]
            if fits:
                return fits[-1]
            await here.advance(5)


async def give(client: Client, supervision: str, text: Any) -> tuple[int, Any]:
    path = f"/api/v1/supervisions/{supervision}/reason"
    async with client.http.post(path, json={"text": text}) as response:
        return response.status, await response.json()


async def asked(client: Client) -> set[str]:
    rows = (await client.get("/api/v1/questions"))["rows"]
    return {row["supervision"] for row in rows}


async def missing(client: Client) -> set[str]:
    page = await client.get("/api/v1/supervisions", reason="missing", limit="500")
    count = await client.get("/api/v1/supervisions/count", reason="missing")
    assert count["rows"] == len(page["rows"])
    return {row["id"] for row in page["rows"]}


async def test_asked_at_the_end_until_it_is_answered(here: Centre) -> None:
    row = await by_sue(here, over=True)
    assert row["id"] in await asked(here.sue)
    assert row["id"] in await missing(here.ina)
    assert row["id"] not in await asked(here.ina), "only of oneself"
    status, body = await give(here.sue, row["id"], "  a complaint of\nthe customer ")
    assert status == 200
    assert body["text"] == "a complaint of\nthe customer"
    assert (body["act"], body["by"], body["changed"]) == ("supervision", "Sue Person", None)
    assert row["id"] not in await asked(here.sue)
    assert row["id"] not in await missing(here.ina)
    running = await by_sue(here, over=False)
    assert running["id"] not in await asked(here.sue), "not before its end"


async def test_corrected_with_each_version_in_the_audit_log(here: Centre) -> None:
    row = await by_sue(here, over=True)
    _, first = await give(here.sue, row["id"], "new here")
    status, second = await give(here.sue, row["id"], "new in the team")
    assert status == 200 and second["given"] == first["given"] and second["changed"] is not None
    detail = await here.ina.get(f"/api/v1/supervisions/{row['id']}")
    assert detail["reasons"] == [second]
    assert detail["supervision"]["reason"] == "new in the team"
    audit = [r for r in read_audit(here.store) if r["target"] == row["id"]]
    assert [(r["action"], r["actor_id"], r["detail"]) for r in audit] == [
        ("give reason", "sue", {"of": "supervision", "is": "new here"}),
        (
            "correct reason",
            "sue",
            {"of": "supervision", "is": "new in the team", "was": "new here"},
        ),
    ]


async def test_given_while_it_runs_it_is_not_asked_again(here: Centre) -> None:
    row = await by_sue(here, over=False)
    assert (await give(here.sue, row["id"], "early"))[0] == 200
    async with asyncio.timeout(60):
        while here.daemon.hub.supervision(row["id"]) is not None:
            await here.advance(3)
    await here.daemon.recorder.settled()
    assert row["id"] not in await asked(here.sue)


async def test_only_ones_own(here: Centre) -> None:
    for over in (True, False):
        row = await by_sue(here, over=over)
        status, body = await give(here.ina, row["id"], "x")
        assert status == 403 and "whoever supervised" in body["message"]
    status, body = await give(here.sue, "f" * 20, "x")
    assert (status, body["field"]) == (404, "id")
    async with Client(here.daemon.url) as agent:
        assert await agent.sign_in("agent-1") == 200
        assert (await give(agent, row["id"], "x"))[0] == 403
        async with agent.http.get("/api/v1/questions") as response:
            assert response.status == 403
    assert not here.store.read("SELECT * FROM reason")


async def test_what_is_no_reason(here: Centre) -> None:
    row = await by_sue(here, over=True)
    found = {}
    for text in ("", "   \n", "x" * 501, "a\0b", "a\x1bb", 7, None):
        status, body = await give(here.sue, row["id"], text)
        found[text] = (status, body.get("field"))
    assert found == dict.fromkeys(found, (400, "text"))
    assert not here.store.read("SELECT * FROM reason")


async def test_nothing_is_kept_that_cannot_be_audited(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with centre(tmp_path, extra=REQUIRED, store=store, people=people(), **CENTRE) as here:
        await refused_while_locked(here)


async def refused_while_locked(here: Centre) -> None:
    row = await by_sue(here, over=True)
    async with here.store.locked():
        assert (await give(here.sue, row["id"], "x"))[0] == 503
    assert here.store.read("SELECT * FROM reason") == []


async def test_the_agent_sees_it_as_soon_as_it_is_given(here: Centre) -> None:
    row = await by_sue(here, over=False)
    async with Client(here.daemon.url) as agent:
        assert await agent.sign_in(row["agent_id"]) == 200
        async with agent.stream() as stream:
            await stream.until(lambda s: row["id"] in s.entities["notice"], "the notice")
            assert stream.entities["notice"][row["id"]]["reason"] is None
            await give(here.sue, row["id"], "a first day")
            await stream.until(
                lambda s: s.entities["notice"][row["id"]]["reason"] == "a first day", "the reason"
            )
        page = await agent.get("/api/v1/notices")
        assert {r["id"]: r["reason"] for r in page["rows"]}[row["id"]] == "a first day"


async def test_given_before_the_agent_is_told_it_comes_along(tmp_path: Path, store: Store) -> None:
    extra = REQUIRED.replace("start and end", "after the call")
    async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
        row = await by_sue(here, over=False)
        assert (await give(here.sue, row["id"], "said early"))[0] == 200
        async with Client(here.daemon.url) as agent:
            assert await agent.sign_in(row["agent_id"]) == 200
            async with agent.stream() as stream:
                async with asyncio.timeout(60):
                    while notices(store)[row["id"]]["told_ended"] is None:
                        await here.advance(3)
                        await here.daemon.recorder.settled()
                await stream.until(lambda s: row["id"] in s.entities["notice"], "the notice")
                assert stream.entities["notice"][row["id"]]["reason"] == "said early"


async def test_in_exports(here: Centre) -> None:
    row = await by_sue(here, over=True)
    await give(here.sue, row["id"], "=1+1")
    path = "/api/v1/supervisions/export"
    async with here.ina.http.get(path, params={"format": "csv"}) as response:
        rows = list(csv.DictReader(io.StringIO((await response.read()).decode("utf-8-sig"))))
    reasons = {r["id"]: (r["reason"], r["disconnect_reason"]) for r in rows}
    assert reasons[row["id"]] == ("'=1+1", "")
    assert len(rows) > 1 and all(v == ("", "") for k, v in reasons.items() if k != row["id"])
    async with here.ina.http.get(path, params={"format": "json"}) as response:
        entries = (await response.json())["entries"]
    given = {e["supervision"]["id"]: e["supervision"]["reason"] for e in entries}
    assert given[row["id"]] == "=1+1"
    async with here.ina.http.get(path, params={"format": "csv", "rows": "segments"}) as response:
        head = (await response.text()).splitlines()[0]
        assert "reason" not in head
    only = {"format": "json", "reason": "missing"}
    async with here.ina.http.get(path, params=only) as response:
        entries = (await response.json())["entries"]
    assert row["id"] not in {e["supervision"]["id"] for e in entries}


async def test_a_disconnect_without_a_required_reason_is_refused(here: Centre) -> None:
    row = await by_sue(here, over=False)
    path = f"/api/v1/supervisions/{row['id']}/disconnect"
    assert await here.sue.get(f"{path}/terms") == {"reason": "required"}
    async with here.ina.http.get(f"{path}/terms") as response:
        assert response.status == 403
    for body in ({}, {"reason": " "}):
        async with here.sue.http.post(path, json=body) as response:
            assert response.status == 400
            assert (await response.json())["field"] == "reason"
    assert here.hangups() == 0

    async def act() -> int:
        async with here.sue.http.post(path, json={"reason": "it is over"}) as response:
            return response.status

    assert await here.meanwhile(act()) == 200
    await here.daemon.recorder.settled()
    detail = await here.ina.get(f"/api/v1/supervisions/{row['id']}")
    (kept,) = detail["reasons"]
    assert (kept["act"], kept["text"], kept["by"]) == ("disconnect", "it is over", "Sue Person")
    actions = [r["action"] for r in read_audit(here.store) if r["target"] == row["id"]]
    assert actions == ["give reason", "disconnect", "disconnect outcome"]
    assert row["id"] in await asked(here.sue), "why it was listened to is another question"


async def test_nothing_is_asked_where_the_site_does_not(tmp_path: Path, store: Store) -> None:
    extra = '[reason]\nask = { Barge-Kick = "asked" }\n'
    async with centre(tmp_path, extra=extra, store=store, people=people(), **CENTRE) as here:
        row = await by_sue(here, over=True)
        assert row["type"] != "Barge-Kick" and await asked(here.sue) == set()
        assert row["id"] not in await missing(here.ina)
        assert (await give(here.sue, row["id"], "unasked"))[0] == 200
        running = await by_sue(here, over=False)
        path = f"/api/v1/supervisions/{running['id']}/disconnect"
        assert await here.sue.get(f"{path}/terms") == {"reason": "never"}
