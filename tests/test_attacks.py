"""Attacks by those who are signed in, and by the telephone network. Those on ids of another team
are in ``test_rights``, those on signing in beside that, those in a browser in
``tests/browser/test_hostile_names``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from monitord.api.export import EXPORTS
from monitord.api.route import Route
from monitord.api.server import ROUTES
from tests.kit import hostile
from tests.kit.centre import Centre, centre, until
from tests.kit.client import Client
from tests.kit.http import raw
from tests.kit.teams import people

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with centre(tmp_path_factory.mktemp("attacks"), people=people()) as made:
        yield made


def key(route: Route) -> str:
    return f"{route.method} {route.address}"


WITH_BODY = [r for r in ROUTES if r.body is not None]
SMUGGLED: dict[str, Any] = {
    "role": "administrator",
    "roles": ["administrator"],
    "scope": "all",
    "permissions": ["rights.edit"],
    "actor_id": "adm",
    "id": "adm",
    "__proto__": {"admin": True},
}


@pytest.mark.parametrize("route", WITH_BODY, ids=key)
async def test_mass_assignment(here: Centre, route: Route) -> None:
    """A field that a body does not have is refused by name; whatever it would have meant."""
    assert route.body is not None
    assert route.body.__struct_config__.forbid_unknown_fields
    path = route.address.replace("{id}", "f" * 20).replace("{n}", "1")
    for name, value in SMUGGLED.items():
        if name in route.body.__struct_fields__:
            continue
        async with here.sue.http.request(route.method, path, json={name: value}) as response:
            body = await response.json()
        # One whose object does not exist, or that one may not, is refused before it is read.
        assert response.status in (400, 403, 404), (name, body)
        if response.status == 400:
            assert name in (body["field"], *msgspec.json.decode(msgspec.json.encode(body)).values())


@pytest.mark.fault("injection")
async def test_a_smuggled_field_of_a_disconnect_is_named(here: Centre) -> None:
    wanted = here.running()[0]
    path = f"/api/v1/supervisions/{wanted}/disconnect"
    async with here.sue.http.post(path, json={"actor_id": "adm"}) as response:
        body = await response.json()
        assert (response.status, body["field"]) == (400, "actor_id")
    assert here.hangups() == 0


LISTS = [r for r in ROUTES if r.method == "GET" and r.query]
BROKEN_QUERIES = {
    "line-break": "pbx=a%0d%0aSet-Cookie:%20x=1%0d%0a%0d%0a",
    "half-escaped": "pbx=%",
    "not-an-escape": "pbx=%zz",
    "not-utf8": "pbx=%ff%fe",
    "surrogate": "pbx=%ed%a0%80",
    "nul": "pbx=%00",
    "many": "&".join(f"x{n}=1" for n in range(900)),
    "repeated": "&".join(["pbx=a"] * 500),
    "no-name": "=1",
    "only-ampersands": "&" * 4000,
    "longest-line": "pbx=" + "a" * 7000,
    "too-long-line": "pbx=" + "a" * 9000,
    "brackets": "pbx[]=a&pbx[$ne]=b",
    "number-of-another-kind": "begin=" + "\u0661\u0662".encode().hex(),
    "huge-number": "begin=" + "9" * 5000,
    "cursor-of-nothing": "cursor=" + "A" * 300,
    "quoted": "pbx=%27%20OR%201%3D1--",
}


@pytest.mark.parametrize("route", LISTS, ids=key)
async def test_broken_queries(here: Centre, route: Route) -> None:
    """An answer that says what is wrong, or that there is nothing; no header of the sender's
    making."""
    host = here.daemon.url.removeprefix("http://")
    async with Client(here.daemon.url) as agent, Client(here.daemon.url) as auditor:
        assert await agent.sign_in("alpha-1") == 200
        assert await auditor.sign_in("aud") == 200
        others = {"notice.see": agent, "flag.answer": agent, "audit.see": auditor}
        may = next((others[p] for p in route.permissions if p in others), here.ina)
        cookie = may.cookie
    for name, query in BROKEN_QUERIES.items():
        path = route.address.replace("{id}", "f" * 20).replace("{n}", "1")
        needed = "&format=json" if path.endswith("/export") else ""
        lines = [
            f"GET {path}?{query}{needed} HTTP/1.1",
            f"Host: {host}",
            f"Cookie: {cookie}",
            "Connection: close",
        ]
        # An export keeps its place until its outcome is written.
        await until(lambda: here.daemon.web[EXPORTS].total() == 0)
        status, headers, body = await raw(here.daemon.url, "\r\n".join([*lines, "", ""]).encode())
        nobodys = {404} if "{n}" in route.address else set()  # a part of a call that is not there
        assert status in {200, 400} | nobodys, (name, status, body)
        assert "set-cookie" not in headers, name
        if status == 400 and headers["content-type"].startswith("application/json"):
            assert json.loads(body)["message"], name


@pytest.mark.parametrize(
    "path",
    [
        "/%0d%0aSet-Cookie:%20x=1",
        "/x%0aLocation:%20https://evil.example",
        "/?next=%0d%0aSet-Cookie:%20x=1",
        "/%5c%5cevil.example",
        "/..//evil.example",
    ],
)
async def test_no_header_is_made_of_an_address(here: Centre, path: str) -> None:
    """The way back that the sign-in page gets is made of what the browser asked for."""
    lines = [f"GET {path} HTTP/1.1", "Host: a", "Accept: text/html", "Connection: close"]
    status, headers, _ = await raw(here.daemon.url, "\r\n".join([*lines, "", ""]).encode())
    assert status == 303 and headers["location"].startswith("/sign-in")
    assert "set-cookie" not in headers and "evil" not in headers["location"].split("?")[0]
    assert "\n" not in headers["location"]


async def test_the_place_of_another_audience_is_worth_nothing(here: Centre) -> None:
    """Who says that they were where a manager was gets their own picture, not what that one
    missed."""
    async with here.ina.stream() as stream:
        await stream.level()
        epoch, seq = stream.epoch, stream.seq
    await here.advance(30)
    async with Client(here.daemon.url) as agent:
        assert await agent.sign_in("alpha-1") == 200
        async with agent.stream(epoch=epoch, seq=seq) as stream:
            await stream.level()
            (delta,) = [f for f in stream.frames if f["type"] == "delta"]
            assert delta["reset"] and delta["epoch"] != epoch
            assert {a["party"]["id"] for a in stream.of("agent")} == {"alpha-1"}
            assert stream.of("supervision") == []


async def test_csv_of_what_the_telephone_network_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the bytes of AMI to the file: no cell is a formula, however a spreadsheet divides the
    lines, and every text is still there."""
    hostile.take_over(monkeypatch)
    async with centre(tmp_path, agents=10, people=hostile.people()) as here:
        for _ in range(20):
            await here.advance(30)
        await here.daemon.recorder.settled()
        held = ""
        for path, rows in (
            ("supervisions", "supervisions"),
            ("supervisions", "segments"),
            ("calls", None),
            ("agent-status", None),
        ):
            params = {"format": "csv", **({"rows": rows} if rows else {})}
            async with here.ina.http.get(f"/api/v1/{path}/export", params=params) as response:
                assert response.status == 200
                body = (await response.read()).decode("utf-8-sig")
            head, *lines = csv.reader(io.StringIO(body, newline=""))
            assert lines and all(len(line) == len(head) for line in lines)
            held += "\n".join(cell for line in lines for cell in line)
            for divided in (",", ";", "\t"):
                for line in csv.reader(io.StringIO(body, newline=""), delimiter=divided):
                    for cell in line:
                        start = cell.lstrip("\x07\x1b\x9b\u202e\ufeff \r\n")
                        assert start[:1] not in tuple("=+-@＝＋－＠") or start == "", cell
        for text in (hostile.FORMULA, hostile.IMAGE, hostile.TURNED, hostile.STEERING):
            assert text in held, text
        # A caller's name is neither shown nor kept, so nothing can come of it.
        assert hostile.SPLIT.replace(";", ";'").replace("\t", "\t'") in held
