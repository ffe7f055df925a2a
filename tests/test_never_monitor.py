"""The list of those whom nobody may listen to: over HTTP, audited, and judged at once in the whole
daemon, on the simulated centre."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from monitord.alerts import never
from monitord.domain.views import Alert, Supervision
from monitord.domain.words import AlertAct, AlertKind
from monitord.store import engine as engines
from tests.kit.centre import Centre, centre, until
from tests.kit.client import Client
from tests.kit.ledger import read_audit
from tests.kit.stores import Store
from tests.kit.teams import AGENTS_AT_ALL, SUPERVISORS_AT_ALL, name_of, people

PATH = "/api/v1/never-monitor"
LARGE = {"agents": AGENTS_AT_ALL, "supervisors": SUPERVISORS_AT_ALL, "supervisions": 6}


@asynccontextmanager
async def site(folder: Path, store: Store, extra: str = "") -> AsyncIterator[tuple[Centre, Client]]:
    """With the administrator, who has signed in."""
    async with (
        centre(folder, store=store, extra=extra, people=people(), **LARGE) as here,
        Client(here.daemon.url) as adm,
    ):
        assert await adm.sign_in("adm") == 200
        yield here, adm


@pytest.fixture
async def both(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Centre, Client]]:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with site(tmp_path, store) as made:
        yield made


async def ask(client: Client, method: str, path: str = PATH, **body: Any) -> tuple[int, Any]:
    given = {"json": body} if method == "POST" else {}
    async with client.http.request(method, path, **given) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None


def alerts(here: Centre) -> list[Alert]:
    shown = [e for e in here.daemon.hub.picture() if isinstance(e, Alert)]
    return [a for a in shown if a.about is AlertKind.NEVER_MONITOR]


async def a_supervision(here: Centre, *, number: bool = False) -> Supervision:
    """One that runs, of somebody on the roster."""
    shard = here.daemon.hub.shards["lab"]
    while True:
        for running in here.running():
            view = shard.supervisions[running].view
            call = shard.calls.get(view.call or "") if view is not None else None
            if (
                view is not None
                and view.agent is not None
                and not view.agent.id.startswith("lab/")
                and call is not None
                and (call.number is not None or not number)
            ):
                return view
        await here.advance(2)


# --- over HTTP -----------------------------------------------------------------------------


async def test_put_there_shown_and_taken_away(both: tuple[Centre, Client]) -> None:
    here, adm = both
    status, person = await ask(adm, "POST", person="alpha-1", reason=" works council ")
    assert status == 201
    assert person["person"] == {"id": "alpha-1", "name": name_of("alpha-1")}
    assert (person["reason"], person["by"], person["number"]) == (
        "works council", name_of("adm"), None,
    )  # fmt: skip
    status, number = await ask(adm, "POST", number="+49 (30) 555-1234", reason="doctor")
    assert status == 201 and number["person"] is None
    assert number["number"] == "•••34", "an administrator may not see numbers"
    async with Client(here.daemon.url) as aud:
        assert await aud.sign_in("aud") == 200
        assert await ask(aud, "GET") == (200, {"rows": [person, number]})
        assert (await ask(aud, "DELETE", f"{PATH}/{person['id']}"))[0] == 403
    for row in here.store.read("SELECT number FROM never_monitor WHERE number IS NOT NULL"):
        assert row["number"] == "49305551234"
    assert await ask(adm, "DELETE", f"{PATH}/{person['id']}") == (204, None)
    assert (await ask(adm, "DELETE", f"{PATH}/{person['id']}"))[0] == 404
    assert await ask(adm, "GET") == (200, {"rows": [number]})
    rows = [r for r in read_audit(here.store) if "never monitor" in r["action"]]
    assert [(r["action"], r["actor_id"], r["target"]) for r in rows] == [
        ("add to never monitor", "adm", person["id"]),
        ("add to never monitor", "adm", number["id"]),
        ("remove from never monitor", "adm", person["id"]),
    ]
    assert rows[0]["detail"] == {"person": "alpha-1", "reason": "works council"}


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"reason": "x"}, "person"),
    ({"person": "alpha-1", "number": "555123", "reason": "x"}, "person"),
    ({"person": "nobody", "reason": "x"}, "person"),
    ({"person": "alpha-1"}, "reason"),
    ({"person": "alpha-1", "reason": ""}, "reason"),
    ({"person": "alpha-1", "reason": "   "}, "reason"),
    ({"person": "alpha-1", "reason": "a\nb"}, "reason"),
    ({"person": "alpha-1", "reason": "x" * 301}, "reason"),
    ({"number": "12", "reason": "x"}, "number"),
    ({"number": "+" + "1" * 21, "reason": "x"}, "number"),
    ({"number": "٣٤٥٦", "reason": "x"}, "number"),
    ({"number": "5551234", "reason": "x", "by": "me"}, "by"),
]


async def test_refused(both: tuple[Centre, Client]) -> None:
    here, adm = both
    wrong = []
    for body, field in REFUSED:
        status, problem = await ask(adm, "POST", **body)
        if (status, problem.get("field")) != (400, field):
            wrong.append((body, status, problem))
    assert wrong == []
    assert here.store.read("SELECT * FROM never_monitor") == []


async def test_nobody_is_there_twice_and_it_is_bounded(
    both: tuple[Centre, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, adm = both
    done = await asyncio.gather(
        *(ask(adm, "POST", number=n, reason="x") for n in ("555-1234", "+5551234", "555 12 34"))
    )
    assert sorted(status for status, _ in done) == [201, 409, 409]
    assert (await ask(adm, "POST", person="alpha-1", reason="x"))[0] == 201
    status, problem = await ask(adm, "POST", person="alpha-1", reason="y")
    assert (status, problem["field"]) == (409, "person")
    monkeypatch.setattr(never, "ENTRIES_MOST", 2)
    assert (await ask(adm, "POST", person="alpha-2", reason="x"))[0] == 409


async def test_what_cannot_be_audited_is_not_done(both: tuple[Centre, Client]) -> None:
    here, adm = both
    status, entry = await ask(adm, "POST", person="alpha-1", reason="x")
    assert status == 201
    async with here.store.locked():
        assert (await ask(adm, "POST", person="alpha-2", reason="x"))[0] == 503
        assert (await ask(adm, "DELETE", f"{PATH}/{entry['id']}"))[0] == 503
        assert await ask(adm, "GET") == (200, {"rows": [entry]})
    assert len(here.store.read("SELECT * FROM never_monitor")) == 1


# --- judged --------------------------------------------------------------------------------


async def test_a_person_is_judged_at_once(both: tuple[Centre, Client]) -> None:
    here, adm = both
    view = await a_supervision(here)
    assert alerts(here) == [] and view.agent is not None
    status, entry = await ask(adm, "POST", person=view.agent.id, reason="works council")
    assert status == 201
    (alert,) = await until(lambda: of(here, view), "the alert")
    assert alert.why == "Nobody may listen to this agent: works council."
    assert (alert.done, alert.certain) == (AlertAct.TOLD, True)
    # One for the supervision and type, however often it is put there.
    assert (await ask(adm, "DELETE", f"{PATH}/{entry['id']}"))[0] == 204
    assert (await ask(adm, "POST", person=view.agent.id, reason="again"))[0] == 201
    await here.caught_up()
    assert [a.why for a in of(here, view)] == [alert.why]
    assert here.hangups() == 0
    await here.daemon.recorder.settled()
    rows = here.store.read("SELECT id, kind FROM alert WHERE kind <> 'no right'")
    assert {r["id"] for r in rows} >= {f"{view.id}.never-monitor.{view.type.lower()}"}


def of(here: Centre, view: Supervision) -> list[Alert]:
    return [a for a in alerts(here) if a.supervision == view.id]


async def test_a_number_is_judged_by_its_digits_and_not_told(both: tuple[Centre, Client]) -> None:
    here, adm = both
    view = await a_supervision(here, number=True)
    shard = here.daemon.hub.shards["lab"]
    number = shard.calls[view.call or ""].number
    assert number is not None
    written = "+" + "-".join(c for c in number.value if c.isdigit())
    assert (await ask(adm, "POST", number=written, reason="doctor"))[0] == 201
    (alert,) = await until(lambda: of(here, view), "the alert")
    assert alert.why == "Nobody may listen to this customer: doctor."
    async with here.ina.stream() as stream:
        await stream.until(lambda s: alert.id in s.entities["alert"], "on the stream")
        assert stream.entities["alert"][alert.id]["about"] == "never monitor"
    path = f"/api/v1/alerts/{alert.id}/acknowledge"
    assert (await ask(here.ina, "POST", path))[0] == 200
    page = await here.ina.get("/api/v1/alerts", limit="1", open="true")
    if page["next"] is not None:
        assert await here.ina.get("/api/v1/alerts", limit="1", cursor=page["next"])


async def test_ended_where_the_site_says_so_also_after_a_restart(
    tmp_path: Path, store: Store
) -> None:
    """Told first; then the policy is changed, which counts for what begins after that."""
    async with site(tmp_path, store) as (_, adm):
        for n in range(1, 7):
            for team in ("alpha", "beta"):
                status, _ = await ask(adm, "POST", person=f"{team}-{n}", reason="nobody at all")
                assert status == 201
    extra = '[policy]\nnever_monitor = "end"\n'
    async with site(tmp_path, store, extra) as (here, adm):
        assert len((await ask(adm, "GET"))[1]["rows"]) == 12, "it is kept"

        def ended() -> list[Alert]:
            return [a for a in alerts(here) if a.done is AlertAct.ENDED]

        async with asyncio.timeout(60):
            while not ended():
                await here.sim.advance(0.5)
                await asyncio.sleep(0.005)
        alert = ended()[0]
        await here.daemon.recorder.settled()
        row = (await here.ina.get(f"/api/v1/supervisions/{alert.supervision}"))["supervision"]
        assert (row["end_reason"], row["ended_by"]) == ("disconnected", "monitord (policy)")
