"""Endpoints that were seen and are nobody's: proposed, taken, dismissed, remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from monitord.domain.reducer import Change
from monitord.domain.site import Site
from monitord.domain.views import Agent, Party
from monitord.domain.words import AgentStatus, Provenance
from monitord.live.hub import Frame, Hub
from monitord.people import seen as seen_module
from monitord.people.seen import SeenEndpoints
from monitord.store.engine import open_store
from tests.kit.centre import centre
from tests.kit.ledger import read_audit, read_ledger
from tests.kit.roster import MAX, ROSTER, Editor, editor
from tests.kit.stores import Store
from tests.test_people_attribution import an_agent_of_nobody

PROPOSALS = f"{ROSTER}/proposals"


async def rows(one: Editor, **query: str) -> dict[str, Any]:
    found = await one.client.get(PROPOSALS, **query)
    return {r["endpoint"]: r for r in found["rows"]}


async def test_proposed_and_confirmed(tmp_path: Path, store: Store) -> None:
    async with centre(tmp_path, store=store, extra=MAX) as here:
        endpoint = await an_agent_of_nobody(here)
        async with editor(here.daemon.url) as one:
            proposed = await rows(one)
            assert "PJSIP/1001" not in proposed, "that is Ann's"
            first = proposed[endpoint]
            name = here.daemon.hub.shards["lab"].agents[endpoint].name
            assert (first["pbx"], first["name"], first["how"]) == ("lab", name, ["queue"])
            assert 0 < first["first"] <= first["last"] and not first["dismissed"]
            assert list(await rows(one, text=endpoint.lower())) == [endpoint]

            new = {"name": name, "agent": True}
            done = await one.done("POST", "/proposals/taken", {"endpoint": endpoint, "new": new})
            made = await one.person(done["id"])
            assert (made["name"], made["agent"]) == (name, True)
            owned = [(e["endpoint"], e["since"]) for e in made["endpoints"]]
            assert owned == [(endpoint, first["first"])], "theirs since it was first seen"
            assert endpoint not in await rows(one)
            again = {"endpoint": endpoint, "person": "tom"}
            assert (await one.refused("POST", "/proposals/taken", again))[0] == 409
            ledger = read_ledger(store)["statuses"]
            assert {r["agent_id"] for r in ledger if r["agent_endpoint"] == endpoint} <= {
                done["id"],
                f"lab/{endpoint}",
            }

            # to somebody who is there already
            other = next(iter(await rows(one)))
            await one.done("POST", "/proposals/taken", {"endpoint": other, "person": "tom"})
            assert other in {e["endpoint"] for e in (await one.person("tom"))["endpoints"]}

            for body in ({"endpoint": endpoint}, {"endpoint": endpoint, "person": "a", "new": new}):
                assert (await one.refused("POST", "/proposals/taken", body))[:2] == (400, "person")
            unseen = {"endpoint": "PJSIP/none", "person": "tom"}
            assert (await one.refused("POST", "/proposals/taken", unseen))[0] == 404


async def test_dismissed_and_remembered(tmp_path: Path, store: Store) -> None:
    async with centre(tmp_path, store=store, extra=MAX) as here:
        endpoint = await an_agent_of_nobody(here)
        async with editor(here.daemon.url) as one:
            seen = await rows(one)
            body = {"pbx": "lab", "endpoint": endpoint}
            assert await one.ask("POST", "/proposals/dismissed", body) == (204, None)
            assert endpoint not in await rows(one)
            assert list(await rows(one, dismissed="true")) == [endpoint]
            audit = read_audit(store)[-1]
            assert (audit["action"], audit["target"]) == ("dismiss endpoint", endpoint)
            none = {"pbx": "lab", "endpoint": "PJSIP/none"}
            assert (await one.refused("POST", "/proposals/dismissed", none))[0] == 404
    engine = await open_store(store.url)
    try:
        again = SeenEndpoints(engine, Hub([("lab", "lab")], Site(), lambda records: None))
        await again.load()
        kept = {s.endpoint: s for s in again.all()}
        assert kept.keys() >= seen.keys(), "a stop writes what was seen last"
        assert kept[endpoint].dismissed and kept[endpoint].first == seen[endpoint]["first"]
    finally:
        await engine.dispose()


def frame(at: int, *endpoints: str, name: str = "") -> Frame:
    changes = []
    for endpoint in endpoints:
        party = Party(f"lab/{endpoint}", name or endpoint, endpoint)
        agent = Agent(
            f"lab/{endpoint}",
            "lab",
            party,
            AgentStatus.AVAILABLE,
            "",
            at,
            True,
            Provenance.OBSERVED,
        )
        changes.append(Change("agent", agent.id, None, agent))
    return Frame(1, at, changes)


@pytest.fixture
async def engine(store: Store) -> Any:
    made = await open_store(store.url)
    yield made
    await made.dispose()


async def test_what_is_kept_is_bounded_and_grows_old(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_module, "SEEN_MOST", 2)
    hub = Hub([("lab", "lab")], Site(), lambda records: None)
    seen = SeenEndpoints(engine, hub, clock=lambda: 1_000)
    await seen.load()
    seen._take(frame(1_000, "PJSIP/1", "PJSIP/2", "PJSIP/3"))
    assert [s.endpoint for s in seen.all()] == ["PJSIP/1", "PJSIP/2"]
    seen._take(frame(500_000, "PJSIP/1", name="One"))
    assert await seen.write()
    one = seen.all()[0]
    assert (one.name, one.first, one.last, one.how) == ("One", 1_000, 500_000, ("agent",))

    async def at(now: int) -> list[str]:
        again = SeenEndpoints(engine, hub, clock=lambda: now)
        await again.load()
        return [s.endpoint for s in again.all()]

    assert await at(500_000) == ["PJSIP/1", "PJSIP/2"]
    assert await at(seen_module.FORGOTTEN_MS + 2_000) == ["PJSIP/1"]
