"""The roster over HTTP: people, teams, endpoints with their dates, roles, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitord.app import Running
from tests.kit.client import Client
from tests.kit.ledger import read_audit
from tests.kit.roster import MAX, ROSTER, Editor, editor, quiet
from tests.kit.stores import Store

DAY = 86_400_000


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Running]:
    async with quiet(tmp_path) as started:
        yield started


@pytest.fixture
async def max_(here: Running) -> AsyncIterator[Editor]:
    async with editor(here.url) as one:
        yield one


@pytest.mark.row("000-09")
async def test_leaders_and_cadences(tmp_path: Path, store: Store) -> None:
    """Who reports to whom, how often they meet, and that it outlives a restart."""
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        await one.done("POST", "/teams", {"name": "Sales", "cadence": "bi-weekly"})
        for key in ("ann", "sid"):
            body = {"team": "sales", "leader": "sue"}
            done = await one.done("PATCH", f"/people/{key}", body)
            assert [p["cadence_in_force"] for p in done["people"]] == ["bi-weekly"]
        await one.done("PATCH", "/people/sid", {"cadence": "monthly", "hired": "2026-03-31"})
        new = await one.done("POST", "/people", {"name": "Zoë New", "leader": "sue"})
        assert new["id"] == "zoe-new"
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        reports = await one.client.get(f"{ROSTER}/people", leader="sue")
        found = {r["id"]: (r["cadence"], r["cadence_in_force"]) for r in reports["rows"]}
        assert found == {
            "ann": (None, "bi-weekly"),
            "sid": ("monthly", "monthly"),
            "zoe-new": (None, "weekly"),  # of no team: a one-to-one each week
        }
        sid = await one.person("sid")
        assert (sid["leader"], sid["hired"], sid["team"]) == ("sue", "2026-03-31", "sales")
        teams = await one.client.get(f"{ROSTER}/teams")
        assert teams["rows"] == [
            {"id": "sales", "name": "Sales", "cadence": "bi-weekly", "people": 2}
        ]


async def test_a_list_in_pages_and_by_what_is_typed(max_: Editor) -> None:
    for n in range(5):
        body = {"name": f"Same Name {n}", "endpoints": [{"endpoint": f"PJSIP/30{n}"}]}
        await max_.done("POST", "/people", body)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await max_.client.get(f"{ROSTER}/people", limit="3", **cursor)
        assert len(page["rows"]) <= 3
        found += [r["id"] for r in page["rows"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == sorted(found) and len(found) == len(set(found)) == 11

    async def ids(**query: str) -> list[str]:
        rows = (await max_.client.get(f"{ROSTER}/people", **query))["rows"]
        return [r["id"] for r in rows]

    assert await ids(text="NAME 3") == await ids(text="pjsip/303") == ["same-name-3"]
    assert await ids(active="false") == []
    for query in ({"limit": "0"}, {"active": "maybe"}, {"nme": "x"}, {"text": ""}):
        async with max_.client.http.get(f"{ROSTER}/people", params=query) as answer:
            assert answer.status == 400


async def test_two_administrators_do_not_overwrite_each_other(max_: Editor) -> None:
    seen = await max_.version()
    one = max_.ask("PATCH", "/people/ann", {"name": "Ann One"}, version=seen)
    two = max_.ask("PATCH", "/people/ann", {"name": "Ann Two"}, version=seen)
    answers = await asyncio.gather(one, two)
    assert sorted(status for status, _ in answers) == [200, 412]
    won = next(a for status, a in answers if status == 200)
    lost = next(a for status, a in answers if status == 412)
    assert lost["error"] == "changed_meanwhile" and "somebody else" in lost["message"]
    assert (await max_.person("ann"))["name"] == won["people"][0]["name"]
    status, field, _ = await max_.refused("PATCH", "/people/ann", {"name": "A"}, version="")
    assert (status, field) == (428, "If-Match")
    headers = {"If-Match": "nonsense"}
    async with max_.client.http.patch(
        f"{ROSTER}/people/ann", json={"name": "A"}, headers=headers
    ) as answer:
        assert answer.status == 400
    async with max_.client.http.patch(
        f"{ROSTER}/people/ann", json={"name": "Ann Agent"}, headers={"If-Match": "*"}
    ) as answer:
        assert answer.status == 200


REFUSED: list[tuple[str, str, Any, int, str | None]] = [
    ("POST", "/people", {"name": ""}, 400, "name"),
    ("POST", "/people", {"name": " "}, 400, "name"),
    ("POST", "/people", {"name": "A", "id": "a b"}, 400, "id"),
    ("POST", "/people", {"name": "A", "id": "ann"}, 409, "id"),
    ("POST", "/people", {"name": "A\u202egnp.exe"}, 400, "name"),
    ("POST", "/people", {"name": "A", "team": "none"}, 400, "team"),
    ("POST", "/people", {"name": "A", "leader": "none"}, 400, "leader"),
    ("POST", "/people", {"name": "A", "hired": "2026-02-31"}, 400, "hired"),
    ("POST", "/people", {"name": "A", "hired": "2026-W14-2"}, 400, "hired"),
    ("POST", "/people", {"name": "A", "cadence": "daily"}, 400, "cadence"),
    ("POST", "/people", {"name": "A", "email": "a@b\r\nBcc: c@d"}, 400, "email"),
    ("POST", "/people", {"name": "A", "account_codes": ["1"] * 51}, 400, "account_codes"),
    ("POST", "/people", {"name": "A", "account_codes": ["x\n"]}, 400, "account_codes"),
    ("POST", "/people", {"name": "A", "endpoints": [{"endpoint": "1001"}]}, 400, "endpoint"),
    ("PATCH", "/people/ann", {}, 400, None),
    ("PATCH", "/people/ann", {"leader": "ann"}, 400, "leader"),
    ("PATCH", "/people/none", {"name": "A"}, 404, "person"),
    ("POST", "/teams", {"name": "A" * 101}, 400, "name"),
    ("PATCH", "/teams/none", {"name": "A"}, 404, "team"),
    ("DELETE", "/teams/none", None, 404, "team"),
    ("POST", "/ownerships", {"endpoint": "PJSIP/9", "person": "none"}, 400, "person"),
    ("POST", "/ownerships", {"endpoint": "9", "person": "ann"}, 400, "endpoint"),
    (
        "POST",
        "/ownerships",
        {"endpoint": "PJSIP/9", "person": "ann", "since": -1},
        400,
        "since",
    ),
    (
        *("POST", "/ownerships"),
        {"endpoint": "PJSIP/9", "person": "ann", "since": 9, "until": 9},
        *(400, "until"),
    ),
    ("PATCH", "/ownerships/none", {"until": 1}, 404, "ownership"),
    ("PUT", "/people/ann/roles", {"roles": [{"role": "king"}]}, 400, "roles[0].role"),
    ("PUT", "/people/ann/roles", {"roles": [{"role": "agent"}] * 2}, 400, "roles"),
    ("PUT", "/people/max/roles", {"roles": []}, 400, "roles"),
    ("PUT", "/people/ann/login", {"login": "SUE"}, 400, "login"),
    ("PUT", "/people/ann/login", {"login": "a\u0007"}, 400, "login"),
    ("PATCH", "/people/max", {"active": False}, 400, "roles"),
]


async def test_refused(max_: Editor) -> None:
    """With the field that is to blame; nothing is changed."""
    for method, path, body, status, field in REFUSED:
        found, blamed, message = await max_.refused(method, path, body)
        assert (found, blamed) == (status, field), (path, body, message)
        assert message


SMUGGLED: list[dict[str, Any]] = [
    {"roles": [{"role": "administrator"}]},
    {"login": "ann"},
    {"password_hash": "x"},
    {"id": "sue"},
    {"endpoints": []},
    {"cadence_in_force": "weekly"},
]


async def test_nothing_is_smuggled_in_with_a_change(max_: Editor) -> None:
    """Mass assignment: a field that is not this request's own refuses all of it."""
    for smuggled in SMUGGLED:
        body = {"name": "Other", **smuggled}
        status, field, _ = await max_.refused("PATCH", "/people/ann", body)
        assert (status, field) == (400, next(iter(smuggled)))


async def test_a_team(max_: Editor) -> None:
    made = await max_.done("POST", "/teams", {"name": "Care & Co", "cadence": "monthly"})
    assert made["id"] == "care-co"
    assert (await max_.refused("POST", "/teams", {"name": "care & CO"}))[:2] == (400, "name")
    assert (await max_.refused("POST", "/teams", {"name": "X", "id": "care-co"}))[:2] == (409, "id")
    await max_.done("PATCH", "/people/ann", {"team": "care-co"})
    status, field, why = await max_.refused("DELETE", "/teams/care-co")
    assert (status, field) == (400, "team") and "1 person is in it" in why
    await max_.done("PATCH", "/teams/care-co", {"name": "Care", "cadence": "weekly"})
    assert (await max_.person("ann"))["cadence_in_force"] == "weekly"
    await max_.done("PATCH", "/people/ann", {"team": None})
    await max_.done("DELETE", "/teams/care-co")
    assert (await max_.client.get(f"{ROSTER}/teams"))["rows"] == []


async def test_an_endpoint_changes_hands(max_: Editor) -> None:
    def of(person: Any) -> list[tuple[str, int, int | None]]:
        return [(e["endpoint"], e["since"], e["until"]) for e in person["endpoints"]]

    at = 1_700_000_000_000
    given = {"endpoint": "PJSIP/1001", "person": "sid", "since": at}
    done = await max_.done("POST", "/ownerships", given)
    assert {p["id"] for p in done["people"]} == {"ann", "sid"}
    assert of(await max_.person("ann")) == [("PJSIP/1001", 0, at)]
    assert of(await max_.person("sid")) == [("PJSIP/1009", 0, None), ("PJSIP/1001", at, None)]
    # before it was Sid's it was lent to Tom for a day: until when has to be said
    lent = {"endpoint": "PJSIP/1001", "person": "tom", "since": at - 2 * DAY}
    assert (await max_.refused("POST", "/ownerships", lent))[:2] == (400, "until")
    await max_.done("POST", "/ownerships", {**lent, "until": at - DAY})
    assert of(await max_.person("ann")) == [("PJSIP/1001", 0, at - 2 * DAY)]
    # Sid had it a day earlier, as it turns out: one ownership, not two
    await max_.done("POST", "/ownerships", {**given, "since": at - DAY})
    sids = (await max_.person("sid"))["endpoints"]
    assert [(e["since"], e["until"]) for e in sids] == [(0, None), (at - DAY, None)]
    await max_.done("PATCH", f"/ownerships/{sids[1]['id']}", {"until": at + DAY})
    assert of(await max_.person("sid"))[1] == ("PJSIP/1001", at - DAY, at + DAY)
    overlapping = {"since": at - 2 * DAY}
    refused = await max_.refused("PATCH", f"/ownerships/{sids[1]['id']}", overlapping)
    assert refused[:2] == (400, "endpoint")
    await max_.done("DELETE", f"/ownerships/{sids[1]['id']}")
    assert len((await max_.person("sid"))["endpoints"]) == 1


async def test_who_leaves_may_nothing_more_and_frees_their_endpoints(
    here: Running, max_: Editor
) -> None:
    async with Client(here.url) as sue:
        assert await sue.sign_in("sue") == 200
        async with sue.stream() as stream:
            await stream.until(lambda s: s.of("pbx"))
            await max_.done("PATCH", "/people/sue", {"active": False})
            await stream.until(lambda s: s.frames[-1]["type"] == "bye")
        async with sue.http.get("/api/v1/session") as answer:
            assert answer.status == 401
        left = await max_.person("sue")
        assert left["active"] is False and left["endpoints"][0]["until"] is not None
        back = await max_.done("PATCH", "/people/sue", {"active": True})
        assert back["people"][0]["endpoints"][0]["until"] is not None, (
            "nobody gets them back unasked"
        )
        async with sue.http.get("/api/v1/session") as answer:
            assert answer.status == 401, "an old session does not come back with the person"
        assert await sue.sign_in("sue") == 200


async def test_who_may(here: Running, max_: Editor) -> None:
    """Seeing is one right, changing another, and giving roles a third."""
    async with editor(here.url, "ina") as ina, editor(here.url, "sue") as sue:
        assert (await ina.person("sue"))["login"] is None, "only for who may change it"
        assert (await max_.person("sue"))["login"] == "sue"
        changes = [
            ("POST", "/people", {"name": "X"}),
            ("PATCH", "/people/ann", {"name": "X"}),
            ("POST", "/teams", {"name": "X"}),
            ("DELETE", "/teams/x", None),
            ("POST", "/ownerships", {"endpoint": "PJSIP/7", "person": "ann"}),
            ("PATCH", "/ownerships/x", {"until": 5}),
            ("DELETE", "/ownerships/x", None),
            ("PUT", "/people/ina/roles", {"roles": [{"role": "administrator"}]}),
            ("PUT", "/people/ina/login", {"login": "x"}),
            ("POST", "/proposals/taken", {"endpoint": "PJSIP/7", "person": "ann"}),
            ("POST", "/proposals/dismissed", {"pbx": "lab", "endpoint": "PJSIP/7"}),
            ("POST", "/import/preview", b"name\nX\n"),
            ("POST", "/import", b"name\nX\n"),
        ]
        for method, path, body in changes:
            assert (await ina.refused(method, path, body))[0] == 403, path
        for path in ("/people", "/people/ann", "/teams", "/proposals", "/export"):
            async with sue.client.http.get(ROSTER + path) as answer:
                assert answer.status == 403, path


async def test_roles_take_effect_at_once(here: Running, max_: Editor) -> None:
    async with editor(here.url, "ina") as ina:
        roles = {"roles": [{"role": "auditor"}, {"role": "supervisor", "scope": "direct reports"}]}
        await max_.done("PUT", "/people/ina/roles", roles)
        me = await ina.client.get("/api/v1/session")
        assert {"audit.see", "supervision.coach"} <= set(me["permissions"])
        found = (await max_.person("ina"))["roles"]
        assert found == [
            {"role": "auditor", "scope": None},
            {"role": "supervisor", "scope": "direct reports"},
        ]
        await max_.done("PUT", "/people/ina/login", {"login": None})
        async with ina.client.http.get("/api/v1/session") as answer:
            assert answer.status == 401, "who cannot sign in is not signed in"


async def test_each_change_is_in_the_audit_log(tmp_path: Path, store: Store) -> None:
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        seen = len(read_audit(store))
        await one.done("POST", "/teams", {"name": "Sales"})
        await one.done("PATCH", "/people/ann", {"team": "sales", "name": "Ann Other"})
        await one.done("PUT", "/people/ann/roles", {"roles": [{"role": "agent"}]})
        await one.done("PUT", "/people/ann/login", {"login": "annie"})
        given = {"endpoint": "PJSIP/1001", "person": "sid", "since": 500}
        await one.done("POST", "/ownerships", given)
        await one.refused("PATCH", "/people/ann", {"team": "none"})
        rows = read_audit(store)[seen:]
        assert {(r["actor_id"], r["actor_name"]) for r in rows} == {("max", "Max Minder")}
        found = [(r["action"], r["target"], r["detail"]) for r in rows]
        assert found[:4] == [
            (
                *("add team", "sales"),
                {
                    "changed": {
                        "id": [None, "sales"],
                        "name": [None, "Sales"],
                        "cadence": [None, "weekly"],
                    }
                },
            ),
            (
                *("change person", "ann"),
                {"changed": {"name": ["Ann Agent", "Ann Other"], "team": [None, "sales"]}},
            ),
            ("give roles", "ann", {"was": [], "is": [{"role": "agent", "scope": None}]}),
            ("change login", "ann", {"was": None, "is": "annie"}),
        ]
        assert found[4:] == [
            (
                *("change endpoint", "PJSIP/1001"),
                {"person": "ann", "was": [0, None], "is": [0, 500]},
            ),
            ("change endpoint", "PJSIP/1001", {"person": "sid", "was": None, "is": [500, None]}),
        ]
        assert "argon2" not in str(rows)


async def test_nothing_is_changed_that_cannot_be_written(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitord.store.engine.BUSY_MS", 100)
    async with quiet(tmp_path, store) as started, editor(started.url) as one:
        await started.recorder.settled()
        async with store.locked():
            assert (await one.refused("PATCH", "/people/ann", {"name": "X"}))[0] == 503
        assert (await one.person("ann"))["name"] == "Ann Agent"
        await one.done("PATCH", "/people/ann", {"name": "X"})


async def test_the_settings_people_are_ignored_after_the_first_start(tmp_path: Path) -> None:
    async with quiet(tmp_path) as started, editor(started.url) as one:
        await one.done("PATCH", "/people/ann", {"name": "Ann of the roster"})
    other = MAX.replace("Max Minder", "Max Other")
    async with quiet(tmp_path, extra=other) as started, editor(started.url) as one:
        assert (await one.person("ann"))["name"] == "Ann of the roster"
        assert (await one.person("max"))["name"] == "Max Minder"
