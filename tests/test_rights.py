"""Every role on every route and command, and every field of the stream.

What is expected follows from the table of permissions by the tests' own words
(``tests.kit.teams``), not by the product's.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from monitord.api import stream as streams
from monitord.api.keys import PEOPLE
from monitord.api.route import Route
from monitord.api.server import ROUTES
from monitord.people.permissions import GRANTS, Permission
from tests.kit.centre import Centre, centre
from tests.kit.client import Client, Stream
from tests.kit.past import (
    CALLED,
    PAST,
    SUPERVISIONS,
    assert_nothing_foreign,
    label,
    ledger,
    may_read,
    rows_of,
    seen,
)
from tests.kit.teams import (
    AGENTS,
    AGENTS_AT_ALL,
    SUPERVISORS,
    SUPERVISORS_AT_ALL,
    VIEWERS,
    Viewer,
    people,
    texts_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEDGERS = ("supervisions", "calls", "agent-status", "gaps")
SEE: tuple[Permission, ...] = ("history.see",)
EXPORT: tuple[Permission, ...] = ("history.see", "history.export")
NEEDED: dict[str, tuple[Permission, ...]] = {
    "POST /api/v1/session": (),
    "DELETE /api/v1/session": (),
    "GET /api/v1/session": (),
    "GET /api/v1/openapi.json": (),
    "GET /api/v1/stream": ("agent.see",),
    "GET /api/v1/supervisions": SEE,
    "GET /api/v1/supervisions/{id}": SEE,
    "POST /api/v1/supervisions/{id}/disconnect": ("supervision.disconnect",),
    "GET /api/v1/calls": SEE,
    "GET /api/v1/calls/{id}": SEE,
    "POST /api/v1/calls/{id}/recordings/{n}/plays": ("recording.play",),
    "GET /api/v1/calls/{id}/recordings/{n}": ("recording.play",),
    "GET /api/v1/agent-status": SEE,
    "GET /api/v1/gaps": SEE,
    "GET /api/v1/history/choices": SEE,
    **{f"GET /api/v1/{x}/count": SEE for x in LEDGERS},
    "GET /api/v1/supervisions/{id}/disconnect/terms": ("supervision.disconnect",),
    "POST /api/v1/supervisions/{id}/reason": ("reason.give",),
    "GET /api/v1/questions": ("reason.give",),
    "GET /api/v1/notices": ("notice.see",),
    "GET /api/v1/alerts": ("alert.see",),
    "POST /api/v1/alerts/{id}/acknowledge": ("alert.see",),
    "GET /api/v1/never-monitor": ("privacy.see",),
    "POST /api/v1/never-monitor": ("privacy.edit",),
    "DELETE /api/v1/never-monitor/{id}": ("privacy.edit",),
    "GET /api/v1/flags": ("flag.see",),
    "GET /api/v1/flags/{id}": ("flag.see",),
    "GET /api/v1/flags/export": ("flag.see", "history.export"),
    "GET /api/v1/flags/balance": ("flag.see",),
    "GET /api/v1/flags/settings": (),
    "PUT /api/v1/flags/settings": ("flag.set",),
    "GET /api/v1/flags/after-scores": ("flag.see", "csat.see"),
    "POST /api/v1/scores": ("csat.give",),
    "GET /api/v1/scores/settings": ("csat.set",),
    "PUT /api/v1/scores/settings": ("csat.set",),
    "POST /api/v1/scores/import": ("csat.give",),
    "POST /api/v1/scores/import/preview": ("csat.give",),
    "GET /api/v1/scores/import/{id}": ("csat.give",),
    "GET /api/v1/my-flags": ("flag.answer",),
    "GET /api/v1/team-flags": ("flag.answer",),
    "POST /api/v1/flags": ("flag.make",),
    "POST /api/v1/flags/look": ("flag.make",),
    "PATCH /api/v1/flags/{id}": ("flag.make",),
    **{
        f"POST /api/v1/flags/{{id}}/{x}": ("flag.make",)
        for x in ("take-off", "review", "reopen", "share")
    },
    "DELETE /api/v1/flags/{id}/share": ("flag.make",),
    "POST /api/v1/flags/{id}/answer": ("flag.answer",),
    **{f"GET /api/v1/{x}": ("flag.make",) for x in ("reviews", "agents/{id}/review")},
    "GET /api/v1/reviews/{id}": ("flag.see",),
    **{f"POST /api/v1/{x}": ("flag.make",) for x in ("reviews", "reviews/{id}/end")},
    "PUT /api/v1/agents/{id}/review-pattern": ("flag.make",),
    "GET /api/v1/agents/{id}/commitments": ("flag.see",),
    "GET /api/v1/my-commitments": ("flag.answer",),
    "POST /api/v1/commitments/{id}/settle": ("flag.make",),
    **{f"GET /api/v1/focus{x}": ("flag.see",) for x in ("", "/{id}")},
    "POST /api/v1/focus/{id}/end": ("flag.make",),
    "GET /api/v1/team": ("team.see",),
    "GET /api/v1/views": ("supervision.see",),
    "PUT /api/v1/views": ("supervision.see",),
    **{f"GET /api/v1/roster/{x}": ("roster.see",) for x in ("people", "people/{id}", "teams")},
    **{f"GET /api/v1/roster/{x}": ("roster.see",) for x in ("proposals", "export")},
    **{f"POST /api/v1/roster/{x}": ("roster.edit",) for x in ("people", "teams", "ownerships")},
    **{f"PATCH /api/v1/roster/{x}/{{id}}": ("roster.edit",) for x in ("people", "teams")},
    **{f"DELETE /api/v1/roster/{x}/{{id}}": ("roster.edit",) for x in ("teams", "ownerships")},
    "PATCH /api/v1/roster/ownerships/{id}": ("roster.edit",),
    **{f"POST /api/v1/roster/proposals/{x}": ("roster.edit",) for x in ("taken", "dismissed")},
    **{f"POST /api/v1/roster/{x}": ("roster.edit",) for x in ("import", "import/preview")},
    **{f"PUT /api/v1/roster/people/{{id}}/{x}": ("rights.edit",) for x in ("roles", "login")},
    "GET /sign-in/provider": (),
    "GET /sign-in/callback": (),
    "GET /api/v1/sign-in/ways": (),
    **{f"POST /api/v1/links/{x}": () for x in ("look", "use")},
    "POST /api/v1/people/{id}/link": ("rights.edit",),
    "GET /api/v1/account": (),
    "PUT /api/v1/account/password": (),
    "GET /api/v1/sessions": (),
    "DELETE /api/v1/sessions": (),
    "DELETE /api/v1/sessions/{id}": (),
    "GET /api/v1/sessions/all": ("session.end",),
    "GET /api/v1/tokens": (),
    "POST /api/v1/tokens": ("token.make",),
    "DELETE /api/v1/tokens/{id}": (),
    "GET /api/v1/tokens/all": ("session.end",),
    "GET /api/v1/privacy": ("privacy.see",),
    "GET /api/v1/privacy/receipts/{id}": ("privacy.see",),
    **{f"POST /api/v1/privacy/holds{x}": ("privacy.edit",) for x in ("", "/{id}/lift")},
    **{f"POST /api/v1/privacy/{x}/erase": ("privacy.edit",) for x in ("people/{id}", "numbers")},
    "GET /api/v1/privacy/people/{id}/export": ("privacy.export",),
    "POST /api/v1/privacy/numbers/export": ("privacy.export",),
    **{
        f"{method} /api/v1/audit/{x}": ("audit.see",)
        for method, some in {
            "GET": ("rows", "rows/{id}", "people", "head", "proof", "export"),
            "POST": ("proof",),
            "DELETE": ("proof",),
        }.items()
        for x in some
    },
    **{
        f"GET /api/v1/{x}/export": EXPORT for x in ("supervisions", "calls", "agent-status", "gaps")
    },
}
"""What each request is meant to need. A new route goes here as well."""

ASKED: dict[str, dict[str, str]] = {
    "GET /api/v1/history/choices": {"ledger": "calls", "filter": "agent"},
    **{
        x: {"format": "json"}
        for x in NEEDED
        if x.endswith("/export") and "history.export" in NEEDED[x]
    },
}
"""Parameters without which a request would be refused for another reason."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with centre(
        tmp_path_factory.mktemp("rights"),
        people=people(),
        agents=AGENTS_AT_ALL,
        supervisors=SUPERVISORS_AT_ALL,
        supervisions=SUPERVISORS_AT_ALL,
    ) as made:
        made.daemon.recorder.take(ledger())
        await made.daemon.recorder.settled()
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(here: Centre) -> AsyncIterator[dict[str, Client]]:
    """Everybody, signed in."""
    async with AsyncExitStack() as stack:
        found = {}
        for viewer in VIEWERS:
            found[viewer.login] = await stack.enter_async_context(Client(here.daemon.url))
            assert await found[viewer.login].sign_in(viewer.login) == 200
        yield found


_ALERT = r"[0-9a-f]{20}(?:\.[a-z-]{4,13}){1,2}"

each = pytest.mark.parametrize("viewer", VIEWERS, ids=lambda v: v.login)


def key(route: Route) -> str:
    return f"{route.method} {route.address}"


async def test_every_route_says_what_it_needs_and_that_is_meant() -> None:
    assert {key(r): r.permissions for r in ROUTES} == NEEDED


@pytest.mark.parametrize("needs", ["histroy.see", (), ("history.see", "x")])
async def test_a_misspelt_need_is_no_route(needs: Any) -> None:
    with pytest.raises(ValueError, match="/api/x"):
        Route("GET", "/api/x", needs, ROUTES[0].handler)


async def test_no_route_is_beside_the_table(here: Centre) -> None:
    """What the router answers is what the table has, and the page."""
    api = [r for r in ROUTES if r.address.startswith("/api/")]
    known = {(r.method, r.address) for r in api} | {
        ("HEAD", r.address) for r in api if r.method == "GET" and r.head
    }
    for resource in here.daemon.web.router.resources():
        for route in resource:
            if resource.canonical.startswith("/api"):
                assert (route.method, resource.canonical) in known
                known.discard((route.method, resource.canonical))
            else:
                assert route.method in ("GET", "HEAD")
    assert not known


@each
@pytest.mark.parametrize("route", [r for r in ROUTES if r.needs != "open"], ids=key)
async def test_a_role_may_what_the_table_says(
    viewer: Viewer, route: Route, clients: dict[str, Client]
) -> None:
    """A made-up id, so that nothing is changed by those who may."""
    made_up = {"[0-9a-f]{16}": "f" * 16, "[0-9]{1,15}": "9" * 15, _ALERT: f"{'f' * 20}.coach"}
    path = route.address.replace("{id}", made_up.get(route.variables.get("id", ""), "f" * 20))
    path = path.replace("{n}", "1")
    asked = ASKED.get(key(route), {})
    body = {"json": {}} if route.body is not None else {}
    async with clients[viewer.login].http.request(
        route.method, path, params=asked, **body
    ) as response:
        text = await response.text()
    if all(viewer.has(p) for p in route.permissions):
        unknown, no_websocket = "{id}" in route.address, route.address == "/api/v1/stream"
        expected = {404 if unknown else 400 if no_websocket else route.status}
        if route.method not in ("GET", "DELETE") or "/roster/" in route.address:
            # An empty body, or none of the roster's version: they may, but so it cannot be done.
            expected |= {400, 415, 428}
    else:
        expected = {403}
    assert response.status in expected, text


@each
async def test_who_one_is_and_may(viewer: Viewer, clients: dict[str, Client]) -> None:
    me = await clients[viewer.login].get("/api/v1/session")
    assert (me["id"], sorted(me["permissions"])) == (viewer.login, sorted(GRANTS[viewer.role]))


READERS = [v for v in VIEWERS if v.has("history.see")]
reader = pytest.mark.parametrize("viewer", READERS, ids=lambda v: v.login)


@reader
async def test_lists_hold_what_is_in_reach(viewer: Viewer, clients: dict[str, Client]) -> None:
    """Page by page, counted, with each field as it may be seen, and nothing of anybody else."""
    client = clients[viewer.login]
    kinds = {
        "supervisions": "SupervisionRecord",
        "calls": "CallRecord",
        "agent-status": "StatusRecord",
    }
    for path, kind in kinds.items():
        expected = [r for r in rows_of(kind) if seen(viewer, r)]
        got: list[Any] = []
        place: dict[str, str] = {}
        while True:
            page = await client.get(f"/api/v1/{path}", pbx=PAST, limit="3", **place)
            got += page["rows"]
            if page["next"] is None:
                break
            place = {"cursor": page["next"]}
        assert [r["id"] for r in got] == [r.id for r in expected]
        count = await client.get(f"/api/v1/{path}/count", pbx=PAST)
        assert count == {"rows": len(expected), "exact": True}
        assert_nothing_foreign(viewer, json.dumps(got, ensure_ascii=False))
        for shown, row in zip(got, expected, strict=True):
            if path == "calls":
                assert shown["number"] == viewer.number(row.number)
                assert (shown["campaign"], shown["call_id"]) == (row.campaign, row.call_id)
            if path == "supervisions":
                known = row.agent_id in may_read(viewer)
                assert shown["campaign"] == (row.campaign if known else None)
                assert shown["call_id"] == (row.call_id if known else None)
                assert bool(shown["earlier_campaigns"]) == known
                assert shown["supervisor"]["name"] == row.supervisor_name
    assert len((await client.get("/api/v1/gaps", pbx=PAST))["rows"]) == 1


@reader
async def test_anothers_id_is_an_unknown_one(viewer: Viewer, clients: dict[str, Client]) -> None:
    http = clients[viewer.login].http
    async with http.get(f"/api/v1/supervisions/{'f' * 20}") as response:
        unknown = await response.read()
    for row in rows_of("SupervisionRecord"):
        async with http.get(f"/api/v1/supervisions/{row.id}") as response:
            body = await response.read()
            assert response.status == (200 if seen(viewer, row) else 404)
        if not seen(viewer, row):
            assert body == unknown
            continue
        assert_nothing_foreign(viewer, body.decode())
        first, second = json.loads(body)["segments"]
        known = row.agent_id in may_read(viewer)
        number = next(c.number for c in rows_of("CallRecord") if c.agent_id == row.agent_id)
        assert first["number"] == (viewer.number(number) if known else None)
        assert second["campaign"] == (label("second campaign", row.agent_id) if known else None)


@reader
async def test_one_call_of_ones_reach_and_no_other(
    viewer: Viewer, clients: dict[str, Client]
) -> None:
    """With what was supervised of it, and the agent's own status; another's is an unknown one."""
    http = clients[viewer.login].http
    async with http.get(f"/api/v1/calls/{'f' * 20}") as response:
        unknown = await response.read()
    for row in rows_of("CallRecord"):
        async with http.get(f"/api/v1/calls/{row.id}") as response:
            body = await response.read()
        if not viewer.reaches("history.see", row.agent_id):
            assert (response.status, body) == (404, unknown)
            continue
        assert response.status == 200
        assert_nothing_foreign(viewer, body.decode())
        found = json.loads(body)
        assert found["call"]["number"] == viewer.number(row.number)
        on_it = {r.id for r in rows_of("SupervisionRecord") if r.call == row.id}
        assert {one["id"] for one in found["supervisions"]} == on_it
        # The second segment is of another call.
        assert all([s["n"] for s in one["segments"]] == [1] for one in found["supervisions"])
        assert [s["reason"] for s in found["statuses"]] == (
            [] if row.agent_id is None else [label("reason", row.agent_id)]
        )


@reader
async def test_no_filter_tells_what_may_not_be_seen(
    viewer: Viewer, clients: dict[str, Client]
) -> None:
    """Each value of each agent's call: found by those who may see it, by nobody else, counted or
    listed."""
    client = clients[viewer.login]
    for row in rows_of("CallRecord"):
        mine = row.agent_id in may_read(viewer)
        asked = {"campaign": row.campaign, "list": row.list, "result": row.result}
        asked |= {"queue": row.queue, "call": row.call_id}
        for name, value in asked.items():
            found = await client.get("/api/v1/calls/count", **{name: value})
            assert found["rows"] == mine, (name, value)
        of_it = [r for r in rows_of("SupervisionRecord") if r.agent_id == row.agent_id]
        for name, value in (("campaign", row.campaign), ("call", row.call_id)):
            found = await client.get("/api/v1/supervisions/count", **{name: value})
            assert found["rows"] == (len(of_it) if mine else 0), (name, value)
        async with client.http.get(
            "/api/v1/calls/count", params={"number": row.number}
        ) as response:
            answer = await response.json()
            if viewer.has("number.see"):
                assert answer["rows"] == mine
            else:
                assert (response.status, answer["field"]) == (403, "number")


@reader
async def test_choices_are_of_what_is_in_reach(
    viewer: Viewer, here: Centre, clients: dict[str, Client]
) -> None:
    client = clients[viewer.login]
    await here.daemon.recorder.settled()
    # with those that run in the simulated centre
    rows = here.store.read("SELECT supervisor_id, agent_id FROM supervision")
    pairs = [(r["supervisor_id"], r["agent_id"]) for r in rows]

    async def values(ledger: str, field: str, **more: str) -> set[str]:
        found = await client.get("/api/v1/history/choices", ledger=ledger, filter=field, **more)
        assert_nothing_foreign(viewer, json.dumps(found), *pairs)
        return {c["value"] for c in found["choices"]}

    known = [agent for agent in may_read(viewer) if agent is not None]
    for field in ("campaign", "list", "result", "queue"):
        typed = await values("calls", field, typed=f"{field} of")
        assert typed == {label(field, agent) for agent in may_read(viewer)}
        for agent in CALLED:
            named = await values("calls", field, value=label(field, agent))
            assert bool(named) == (agent in may_read(viewer))
    some = [(s, a) for s, a in pairs if viewer.reaches("history.see", s, a)]
    for person in [*AGENTS, *SUPERVISORS]:
        for place, field, expected in (
            ("calls", "agent", person in known),
            ("agent-status", "agent", person in known),
            ("supervisions", "agent", person in {a for _, a in some}),
            ("supervisions", "supervisor", person in {s for s, _ in some}),
        ):
            named = await values(place, field, value=person)
            if expected:
                assert named == {person}, (place, field)
            elif viewer.whom("history.see") is not None and person not in may_read(viewer):
                assert named == set(), (place, field)
    earlier = await values("supervisions", "campaign", typed="second")
    agents = {a for _, a in SUPERVISIONS}
    assert earlier == {label("second campaign", a) for a in may_read(viewer) if a in agents}


@pytest.mark.parametrize(
    "viewer", [v for v in READERS if v.has("history.export")], ids=lambda v: v.login
)
async def test_exports_hold_what_is_in_reach(viewer: Viewer, clients: dict[str, Client]) -> None:
    http = clients[viewer.login].http
    for path, kind in (
        ("supervisions", "SupervisionRecord"),
        ("calls", "CallRecord"),
        ("agent-status", "StatusRecord"),
    ):
        expected = [r.id for r in rows_of(kind) if seen(viewer, r)]
        for form in ("json", "csv"):
            params = {"format": form, "pbx": PAST}
            async with http.get(f"/api/v1/{path}/export", params=params) as response:
                body = (await response.read()).decode("utf-8-sig")
                assert response.headers["Monitord-Rows"] == str(len(expected))
            assert_nothing_foreign(viewer, body)
            if form == "csv":
                rows = list(csv.DictReader(io.StringIO(body, newline="")))
                assert [r["id"] for r in rows] == expected
            else:
                rows = [e.get("supervision", e) for e in json.loads(body)["entries"]]
                assert [r["id"] for r in rows] == expected
    params = {"format": "csv", "rows": "segments", "pbx": PAST}
    async with http.get("/api/v1/supervisions/export", params=params) as response:
        body = (await response.read()).decode("utf-8-sig")
    assert_nothing_foreign(viewer, body)
    expected = [r.id for r in rows_of("SupervisionRecord") if seen(viewer, r)]
    rows = list(csv.DictReader(io.StringIO(body, newline="")))
    assert [r["supervision_id"] for r in rows] == [x for x in expected for _ in range(2)]


async def level(here: Centre, stream: Stream) -> list[Any]:
    """The server's picture at the place to which the stream has come."""
    hub = here.daemon.hub
    while True:
        hub.flush()
        seq = hub.seq
        await stream.level()
        shown = hub.picture()
        if hub.seq == seq:
            return shown


async def test_each_gets_of_the_stream_what_the_table_allows(
    here: Centre, clients: dict[str, Client]
) -> None:
    """Exactly these entities with exactly these fields, at each of many moments; and no text of
    anything else, in any frame."""
    hub = here.daemon.hub
    allowed: dict[str, set[str]] = {v.login: set() for v in VIEWERS}

    def allow(entity: Any) -> None:
        plain = msgspec.to_builtins(entity)
        for viewer in VIEWERS:
            allowed[viewer.login].update(texts_of(viewer.sees(plain)))

    for entity in hub.picture():
        allow(entity)
    stop = hub.listen(lambda frame: [allow(c.new) for c in frame.changes if c.new is not None])
    async with AsyncExitStack() as stack:
        found: dict[str, Stream] = {}
        for viewer in VIEWERS:
            client = clients[viewer.login]
            found[viewer.login] = await stack.enter_async_context(client.stream())
        kinds = {v.login: set[str]() for v in VIEWERS}
        for _ in range(16):
            await here.advance(15)
            for viewer in VIEWERS:
                stream = found[viewer.login]
                shown = await level(here, stream)
                expected: dict[str, dict[str, Any]] = {k: {} for k in stream.entities}
                for entity in shown:
                    view = viewer.sees(msgspec.to_builtins(entity))
                    if view is not None:
                        expected[view["kind"]][view["id"]] = view
                assert stream.entities == expected, viewer
                kinds[viewer.login] |= {kind for kind, some in expected.items() if some}
        stop()
        for viewer in VIEWERS:
            told = [f for f in found[viewer.login].frames if f["type"] == "delta"]
            texts = set(texts_of([[f.get("add"), f.get("change"), f.get("remove")] for f in told]))
            kinds_told = {"pbx", "agent", "call", "supervision", "alert"}
            extra = texts - allowed[viewer.login] - kinds_told
            assert not extra, (viewer, extra)
            # It was not for want of anything to see.
            everything = {"pbx", "agent", "call", "supervision"}
            assert kinds[viewer.login] - {"alert"} == everything - (
                set() if viewer.has("supervision.see") else {"supervision"}
            )
        assert any("alert" in some for some in kinds.values())


@pytest.mark.fault("reconnect storm")
async def test_encoded_once_for_each_audience(
    here: Centre, clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three pages of a supervisor, two of a manager; of whom an auditor and an administrator see
    the same, but for flags."""
    made: list[bytes] = []
    real = streams.wire.encode

    def encode(body: Any) -> bytes:
        data = real(body)
        if type(body).__name__ == "_Delta":
            made.append(data)
        return data

    async with AsyncExitStack() as stack:
        open_: list[tuple[str, Stream]] = []
        for login in ("sue", "sue", "sue", "ina", "ina", "adm", "aud", "bob"):
            open_.append((login, await stack.enter_async_context(clients[login].stream())))
        for _, stream in open_:
            await stream.level()
        starts = [len(stream.frames) for _, stream in open_]
        monkeypatch.setattr(streams.wire, "encode", encode)
        for _ in range(40):
            await here.advance(2)
        got: dict[str, int] = {}
        seq = -1
        while seq != here.daemon.hub.seq:  # nothing came while they caught up
            seq = here.daemon.hub.seq
            for _, stream in open_:
                await stream.level()
        for (login, stream), start in zip(open_, starts, strict=True):
            frames = sum(f["type"] == "delta" for f in stream.frames[start:])
            assert got.setdefault(login, frames) == frames > 0
        assert got["aud"] == got["adm"] == got["ina"] > got["sue"]
        assert len(made) == got["sue"] + got["ina"] + got["adm"] + got["aud"] + got["bob"]


async def test_disconnect_of_ones_own_of_anothers_and_of_nobodys(
    here: Centre, clients: dict[str, Client]
) -> None:
    """Whoever may not see it is told that there is none; whoever sees it but may not, that they may
    not. Then each who may ends one."""

    def running() -> dict[str, Any]:
        shown = (msgspec.to_builtins(e) for e in here.daemon.hub.picture())
        return {e["id"]: e for e in shown if e["kind"] == "supervision" and e["state"] == "active"}

    def expected(viewer: Viewer, view: dict[str, Any]) -> int:
        both = (view["agent"] or {}).get("id"), view["supervisor"]["id"]
        if not viewer.has("supervision.disconnect"):
            return 403
        if not viewer.reaches("supervision.see", *both):
            return 404
        return 200 if viewer.reaches("supervision.disconnect", *both) else 403

    met: dict[str, set[int]] = {v.login: set() for v in VIEWERS}
    for _ in range(12):
        before = here.hangups()
        for viewer in VIEWERS:
            for view in running().values():
                wanted = expected(viewer, view)
                met[viewer.login].add(wanted)
                if wanted != 200:
                    status, _ = await clients[viewer.login].disconnect(view["id"])
                    assert status == wanted, (viewer, view)
        assert here.hangups() == before
        await here.advance(20)
    for viewer in VIEWERS:
        if viewer.has("supervision.disconnect"):
            assert 200 in met[viewer.login]
            assert (404 in met[viewer.login]) == (viewer.whom("supervision.see") is not None)
    for viewer in VIEWERS:
        while viewer.has("supervision.disconnect"):
            mine = [v for v in running().values() if expected(viewer, v) == 200]
            if mine:
                asked = clients[viewer.login].disconnect(mine[0]["id"], drops_customer=True)
                status, _ = await here.meanwhile(asked)
                assert status == 200
                break
            await here.advance(5)


async def test_a_past_supervision_of_anothers_is_unknown_to_a_disconnect(
    clients: dict[str, Client],
) -> None:
    for viewer in VIEWERS:
        for row in rows_of("SupervisionRecord"):
            status, _ = await clients[viewer.login].disconnect(row.id)
            if not viewer.has("supervision.disconnect"):
                assert status == 403
            else:
                assert status == (409 if seen(viewer, row) else 404)


@pytest.mark.fault("CSWSH / expired cookie / wrong team")
async def test_a_change_of_team_is_seen_at_once(here: Centre) -> None:
    """Lists and streams follow the roster of the moment."""
    app = here.daemon.web[PEOPLE]
    async with Client(here.daemon.url) as client:
        assert await client.sign_in("bob") == 200
        before = await client.get("/api/v1/calls", agent="alpha-6")
        assert before["rows"] == []

        def to_beta(everybody: Any) -> Any:
            person = everybody.roster.people["alpha-6"]
            person = msgspec.structs.replace(person, team="beta")
            moved = {**everybody.roster.people, "alpha-6": person}
            roster = msgspec.structs.replace(everybody.roster, people=moved)
            return msgspec.structs.replace(everybody, roster=roster)

        old = app.everybody
        async with client.stream() as stream:
            await stream.level()
            assert "alpha-6" not in {a["party"]["id"] for a in stream.of("agent")}
            await app.change(to_beta)
            await stream.level()
            shown = {a["party"]["id"] for a in stream.of("agent")}
            assert "alpha-6" in shown
            after = await client.get("/api/v1/calls", agent="alpha-6")
            assert [r["agent"]["id"] for r in after["rows"]][-1:] == ["alpha-6"]
            await app.change(lambda everybody: old)
            await stream.level()
            assert "alpha-6" not in {a["party"]["id"] for a in stream.of("agent")}
