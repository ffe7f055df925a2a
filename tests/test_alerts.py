"""Alerts in the whole daemon: raised once, kept, acknowledged, ended by policy. Of the simulated
centre's supervisors only Sue and Tom are on the roster; what the others do is without a right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitord.api import commands
from monitord.api.keys import ALERTS, PEOPLE
from monitord.domain.views import Alert, Party, Supervision
from monitord.domain.words import AlertAct, AlertKind, SpyType
from monitord.people.audience import audience_of
from monitord.people.permissions import Role, Scope
from monitord.people.roster import Everybody, Given, Person, Roster, Team
from monitord.simulator import Settings, Simulator, User
from monitord.store import engine as engines
from tests.kit.centre import SECRET, Centre, centre, until
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site, daemon
from tests.kit.ledger import read_audit
from tests.kit.stores import Store


@pytest.fixture
async def here(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Centre]:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with centre(tmp_path, store=store) as made:
        yield made


async def alerts(client: Client, **params: str) -> list[Any]:
    return (await client.get("/api/v1/alerts", **params))["rows"]  # type: ignore[no-any-return]


async def acknowledge(client: Client, alert: str) -> tuple[int, Any]:
    path = f"/api/v1/alerts/{alert}/acknowledge"
    async with client.http.post(path, json={}) as response:
        return response.status, await response.json()


def shown(here: Centre) -> dict[str, Alert]:
    return {e.id: e for e in here.daemon.hub.picture() if isinstance(e, Alert)}


async def judged(here: Centre) -> None:
    """Until all that runs has been looked at."""
    watch = here.daemon.web[ALERTS]
    await until(lambda: not watch._dirty and not watch._some.is_set(), "all judged")


async def test_each_is_told_once_and_on_the_stream(here: Centre) -> None:
    async with here.ina.stream() as stream:
        await stream.until(lambda s: s.of("pbx"), "the picture")
        want = await running_alerts(here)
        await stream.until(lambda s: want <= set(s.entities["alert"]), "all alerts")
        one = stream.entities["alert"][next(iter(want))]
        assert one["done"] == "told" and one["certain"] and one["acknowledged"] is None
        assert one["why"].startswith("Nobody on the roster has the telephone PJSIP/")
        assert stream.entities["supervision"][one["supervision"]]["type"] == one["type"]
    await here.daemon.recorder.settled()
    rows = await alerts(here.sue, limit="200")
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) and want <= set(ids)
    assert here.hangups() == 0


async def test_acknowledged_once_with_a_row_in_the_audit_log(here: Centre) -> None:
    alert = next(iter(await running_alerts(here)))
    status, body = await acknowledge(here.ina, alert)
    assert status == 200
    assert body["acknowledged_by"] == "Ina Viewer" and body["acknowledged"] is not None
    status, body = await acknowledge(here.sue, alert)
    assert status == 409 and body["field"] == "id"
    (row,) = [r for r in read_audit(here.store) if r["action"] == "acknowledge alert"]
    assert (row["actor_id"], row["target"]) == ("ina", alert)
    await here.daemon.recorder.settled()
    assert alert not in {a["id"] for a in await alerts(here.ina, open="true", limit="200")}
    (kept,) = [a for a in await alerts(here.ina, limit="200") if a["id"] == alert]
    assert kept["acknowledged_by"] == "Ina Viewer"
    # Still shown while it runs, and gone with it.
    assert shown(here)[alert].acknowledged_by == "Ina Viewer"
    status, _ = await here.meanwhile(here.sue.disconnect(alert.partition(".")[0]))
    assert status == 200
    await until(lambda: alert not in shown(here), "the alert is gone")


async def running_alerts(here: Centre) -> set[str]:
    """The alerts of supervisions that run."""
    while not (ids := without_right(here)):
        await here.advance(5)
    await until(lambda: ids <= set(shown(here)), "their alerts")
    return ids


def without_right(here: Centre) -> set[str]:
    """The ids that the alerts of what runs now must have."""
    supervisions = here.daemon.hub.shards["lab"].supervisions
    views = [v for i in here.running() if (v := supervisions[i].view) is not None]
    return {
        f"{v.id}.{v.type.lower()}"
        for v in views
        if v.supervisor.id.startswith("lab/") and v.agent and v.type is not SpyType.UNKNOWN
    }


async def test_what_cannot_be_audited_is_not_acknowledged(here: Centre) -> None:
    alert = next(iter(await running_alerts(here)))
    await here.daemon.recorder.settled()
    async with here.store.locked():
        status, _ = await acknowledge(here.ina, alert)
    assert status == 503
    assert shown(here)[alert].acknowledged is None


async def test_refused(here: Centre) -> None:
    found = {}
    for query in ("open=maybe", "limit=0", "cursor=1:x", "who=ina"):
        async with here.ina.http.get(f"/api/v1/alerts?{query}") as response:
            found[query] = (response.status, (await response.json()).get("field"))
    assert found == {
        "open=maybe": (400, "open"),
        "limit=0": (400, "limit"),
        "cursor=1:x": (400, "cursor"),
        "who=ina": (400, "who"),
    }
    status, body = await acknowledge(here.ina, f"{'0' * 20}.coach")
    assert (status, body["field"]) == (404, "id")


async def test_pages_leave_nothing_out(here: Centre) -> None:
    while len(shown(here)) < 5:
        await here.advance(20)
        await judged(here)
    await here.daemon.recorder.settled()
    all_of_them = [row["id"] for row in await alerts(here.ina, limit="200")]
    paged, cursor = [], ""
    while True:
        page = await here.ina.get(
            "/api/v1/alerts", limit="2", **({"cursor": cursor} if cursor else {})
        )
        paged += [row["id"] for row in page["rows"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert paged == all_of_them and len(paged) >= 5


async def test_kept_over_a_restart_and_not_raised_again(tmp_path: Path, store: Store) -> None:
    async with centre(tmp_path, store=store) as here:
        alert = next(iter(await running_alerts(here)))
        await here.daemon.recorder.settled()
        first = {row["id"]: row for row in store.read("SELECT * FROM alert")}
    # Another day: the same one would have the same channels in the same second.
    async with centre(tmp_path, store=store, seed=8) as here:
        assert alert in shown(here)
        status, _ = await acknowledge(here.ina, alert)
        assert status == 200
        await here.daemon.recorder.settled()
        again = {row["id"]: row for row in store.read("SELECT * FROM alert")}
        assert all(again[i]["raised"] == row["raised"] for i, row in first.items())
        await until(lambda: alert not in shown(here), "an acknowledged one of the past is gone")


async def test_one_that_lives_through_a_restart_is_the_same(tmp_path: Path, store: Store) -> None:
    """Raised once, and whoever took note of it has."""
    settings = Settings(user=User(secret=SECRET), port=0, speed=0, seed=7, silent_share=0.0)
    async with Simulator(settings) as sim:
        site = Site(ami_port=sim.port, secret=SECRET, store=store)
        kept: list[dict[str, Any]] = []
        for _ in range(3):
            async with daemon(site, tmp_path) as started, Client(started.url) as ina:
                await asyncio.wait_for(started.attachments["lab"].link.live.wait(), DEADLINE)
                assert await ina.sign_in("ina") == 200
                watch = started.web[ALERTS]
                attachment = started.attachments["lab"]
                await attachment.link.ask("Ping", {}, deadline=DEADLINE)
                await until(lambda a=attachment: not a._items, "all items applied")
                await until(lambda w=watch: not w._dirty and not w._some.is_set(), "all judged")
                await started.recorder.settled()
                now = store.read("SELECT * FROM alert ORDER BY id")
                assert now and (not kept or now == kept)
                if not kept:
                    assert (await acknowledge(ina, now[0]["id"]))[0] == 200
                    await started.recorder.settled()
                kept = store.read("SELECT * FROM alert ORDER BY id")
                assert kept[0]["acknowledged"] is not None


async def test_ended_where_the_site_says_so(tmp_path: Path, store: Store) -> None:
    extra = '[policy]\nunauthorised = { Monitor = "end", Coach = "end", Barge = "end" }\n'
    async with centre(tmp_path, extra=extra, store=store) as here:
        async with asyncio.timeout(60):
            while not any(a.done is AlertAct.ENDED for a in shown(here).values()):
                await here.sim.advance(0.5)
                await asyncio.sleep(0.005)
        done = [a for a in shown(here).values() if a.done is AlertAct.ENDED]
        assert here.hangups() >= 1
        await here.daemon.recorder.settled()
        audit = read_audit(store)
        one = done[0]
        asked, outcome = [r for r in audit if r["target"] == one.supervision]
        assert asked["action"] == "disconnect" and asked["actor_name"] == "monitord (policy)"
        assert outcome["about"] == asked["n"]
        row = (await here.ina.get(f"/api/v1/supervisions/{one.supervision}"))["supervision"]
        assert row["end_reason"] == "disconnected" and row["ended_by"] == "monitord (policy)"


async def test_a_change_of_rights_is_judged_at_once(here: Centre) -> None:
    supervisions = here.daemon.hub.shards["lab"].supervisions

    def toms() -> list[Supervision]:
        views = [v for i in here.running() if (v := supervisions[i].view) is not None]
        return [v for v in views if v.supervisor.id == "tom" and v.type is not SpyType.UNKNOWN]

    async with asyncio.timeout(60):
        while not (his := toms()):
            await here.advance(1)
    view = his[0]
    alert = f"{view.id}.{view.type.lower()}"
    await judged(here)
    assert alert not in shown(here)
    people = here.daemon.web[PEOPLE]

    def with_roles(*roles: Given) -> Callable[[Everybody], Everybody]:
        def edit(old: Everybody) -> Everybody:
            tom = msgspec.structs.replace(old.roster.people["tom"], roles=roles)
            roster = msgspec.structs.replace(old.roster, people={**old.roster.people, "tom": tom})
            return msgspec.structs.replace(old, roster=roster)

        return edit

    await people.change(with_roles())
    await until(lambda: alert in shown(here), "the alert")
    assert shown(here)[alert].why == f"Tom Trainer has no right to use {view.type}."
    raised = shown(here)[alert].raised
    await people.change(with_roles(Given(Role.SUPERVISOR, Scope.ALL)))
    await judged(here)
    await people.change(with_roles())
    await judged(here)
    assert shown(here)[alert].raised == raised, "one, however often it is judged"


def test_who_is_told() -> None:
    people = {
        p.id: p
        for p in (
            Person("sue", "Sue", "sales", roles=(Given(Role.SUPERVISOR),)),
            Person("cas", "Cas", "care", roles=(Given(Role.SUPERVISOR),)),
            Person("ina", "Ina", roles=(Given(Role.QA_MANAGER),)),
            Person("ann", "Ann", "sales", roles=(Given(Role.AGENT),)),
        )
    }
    roster = Roster(people, {"sales": Team("sales", "Sales"), "care": Team("care", "Care")})
    alert = Alert(
        id="x",
        pbx="lab",
        supervision="x",
        about=AlertKind.NO_RIGHT,
        supervisor=Party("lab/PJSIP/2001", "PJSIP/2001", "PJSIP/2001"),
        agent=Party("ann", "Ann", "PJSIP/1001"),
        type=SpyType.COACH,
        at_least=False,
        certain=True,
        why="",
        raised=0,
        done=AlertAct.TOLD,
        done_why="",
        acknowledged=None,
        acknowledged_by=None,
    )
    sees = {p: audience_of(roster.rights_of(p)).sees(alert) for p in people}
    assert sees == {"sue": True, "cas": False, "ina": True, "ann": False}


def test_the_policys_name_is_nobodys() -> None:
    assert ":" in commands.POLICY.id
