"""The own password, sessions and API tokens: made, listed, ended, and what each may not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from monitord.api.keys import PEOPLE, SIGN_IN, TOKENS
from monitord.people import tries
from monitord.people.permissions import Role
from monitord.people.roster import Everybody, Given
from monitord.people.tokens import DAY_MS, OF_ONE_MOST, Tokens
from monitord.people.tries import STRANGERS_TRIES
from tests.kit.centre import Centre, centre
from tests.kit.client import DEADLINE, Client, Stream
from tests.kit.daemon import PASSWORD
from tests.kit.ledger import read_audit

NEW = "a new and long password"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path) as made:
        yield made


async def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with client.http.request(method, path, json=body) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None


async def token_of(client: Client, *permissions: str, **more: Any) -> tuple[str, str]:
    """Id and text of a new one."""
    body = {"name": "report", "permissions": list(permissions), **more}
    status, made = await ask(client, "POST", "/api/v1/tokens", body)
    assert status == 201, made
    return made["token"]["id"], made["text"]


def program(here: Centre, text: str, **headers: str) -> aiohttp.ClientSession:
    """Without cookies and Origin, as a program is."""
    given = {"Authorization": f"Bearer {text}", **headers}
    return aiohttp.ClientSession(here.daemon.url, headers=given)


async def give(here: Centre, person: str, *roles: Role, active: bool = True) -> None:
    def edit(old: Everybody) -> Everybody:
        new = msgspec.structs.replace(
            old.roster.people[person], roles=tuple(Given(r) for r in roles), active=active
        )
        roster = msgspec.structs.replace(old.roster, people={**old.roster.people, person: new})
        return msgspec.structs.replace(old, roster=roster)

    await here.daemon.web[PEOPLE].change(edit)


async def until_bye(stream: Stream) -> str:
    async with asyncio.timeout(DEADLINE):
        while (frame := await stream.next())["type"] != "bye":
            pass
    return str(frame["code"])


# --- password ----------------------------------------------------------------------------


async def test_the_own_password(here: Centre) -> None:
    path = "/api/v1/account/password"
    async with Client(here.daemon.url) as elsewhere:
        assert await elsewhere.sign_in("sue") == 200
        for old, new, field in (
            ("wrong", NEW, "old"),
            (PASSWORD, "short", "new"),
            (PASSWORD, "Sue and Sue and Sue", "new"),
            (PASSWORD, PASSWORD, "new"),
        ):
            status, answer = await ask(here.sue, "PUT", path, {"old": old, "new": new})
            assert (status, answer["field"]) == (400, field)
        async with elsewhere.stream() as stream:
            assert await ask(here.sue, "PUT", path, {"old": PASSWORD, "new": NEW}) == (
                200,
                {"ended": 1},
            )
            assert await until_bye(stream) == "signed_out"
        assert await elsewhere.sign_in("sue") == 401
        assert await elsewhere.sign_in("sue", NEW) == 200
    await here.sue.get("/api/v1/session")
    assert "change password" in [r["action"] for r in read_audit(here.store)]


async def test_guessing_it_at_an_open_browser_is_bounded(
    here: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "DEVICE_TRIES", 3)
    body = {"old": "wrong", "new": NEW}
    answers = [await ask(here.sue, "PUT", "/api/v1/account/password", body) for _ in range(4)]
    assert [status for status, _ in answers] == [400, 400, 400, 429]


# --- sessions ----------------------------------------------------------------------------


async def test_sessions_are_listed_and_ended(here: Centre) -> None:
    async with Client(here.daemon.url) as second:
        second.http.headers["User-Agent"] = "Phone <script>"
        assert await second.sign_in("sue") == 200
        listed = (await here.sue.get("/api/v1/sessions"))["sessions"]
        assert [s["this"] for s in listed] == [False, True]
        assert listed[0]["browser"] == "Phone <script>" and listed[0]["address"] == "127.0.0.1"
        assert {s["person"]["id"] for s in listed} == {"sue"}
        async with second.stream() as stream:
            path = f"/api/v1/sessions/{listed[0]['id']}"
            assert (await ask(here.ina, "DELETE", path))[0] == 404, "another's is none"
            assert (await ask(here.sue, "DELETE", path))[0] == 204
            assert await until_bye(stream) == "signed_out"
        async with second.http.get("/api/v1/session") as response:
            assert response.status == 401
        assert (await ask(here.sue, "DELETE", path))[0] == 404
        assert await second.sign_in("sue") == 200
        assert await ask(here.sue, "DELETE", "/api/v1/sessions") == (200, {"ended": 1})
    assert (await ask(here.ina, "GET", "/api/v1/sessions/all"))[0] == 403
    await give(here, "ina", Role.ADMINISTRATOR)
    listed = (await here.ina.get("/api/v1/sessions/all"))["sessions"]
    (sues,) = [s for s in listed if s["person"]["id"] == "sue"]
    assert (await ask(here.ina, "DELETE", f"/api/v1/sessions/{sues['id']}"))[0] == 204
    async with here.sue.http.get("/api/v1/session") as response:
        assert response.status == 401
    ends = [r for r in read_audit(here.store) if r["action"] == "end session"]
    assert [(r["actor_id"], r["target"]) for r in ends] == [("sue", "sue"), ("ina", "sue")]


@pytest.mark.fault("CSWSH / expired cookie / wrong team")
async def test_a_stream_follows_a_change_of_rights(here: Centre) -> None:
    await here.advance(60)
    async with here.sue.stream() as stream:
        await stream.until(lambda s: s.of("agent"), "agents")
        await give(here, "sue", Role.AGENT)
        await stream.until(lambda s: not s.of("agent"), "nothing any more")
        await give(here, "sue", Role.SUPERVISOR, active=False)
        assert await until_bye(stream) == "signed_out"


async def test_session_fixation(here: Centre) -> None:
    """A session that somebody else put into the browser is not the one that signing in makes."""
    async with Client(here.daemon.url) as browser:
        browser.http.cookie_jar.update_cookies(
            {"monitord_session": "planted"}, response_url=browser.http._base_url
        )
        assert await browser.sign_in("sue") == 200
        first = {c.key: c.value for c in browser.http.cookie_jar}["monitord_session"]
        assert first != "planted"
        assert await browser.sign_in("sue") == 200
        second = {c.key: c.value for c in browser.http.cookie_jar}["monitord_session"]
        assert second != first
        async with (
            aiohttp.ClientSession(here.daemon.url) as old,
            old.get("/api/v1/session", headers={"Cookie": f"monitord_session={first}"}) as response,
        ):
            assert response.status == 401


async def test_brute_force_from_everywhere_keeps_nobody_out(here: Centre) -> None:
    """Many addresses guess at one login: strangers are locked, the browser that is known is not."""
    bound = here.daemon.web[SIGN_IN].tries
    for n in range(STRANGERS_TRIES):
        bound.begin("sue", f"192.0.2.{n}", "")
    async with Client(here.daemon.url) as stranger:
        assert await stranger.sign_in("sue") == 429
    assert await here.sue.sign_in("sue") == 200


# --- tokens ------------------------------------------------------------------------------


async def test_a_token_and_its_end(here: Centre) -> None:
    id_, text = await token_of(here.sue, "agent.see", "supervision.see", "history.see", days=1)
    assert text.startswith("mtd_")
    async with program(here, text) as http:
        async with http.get("/api/v1/session") as response:
            me = await response.json()
        assert (me["id"], me["permissions"]) == (
            *("sue", ["agent.see", "history.see", "supervision.see"]),
        )
        async with http.get("/api/v1/supervisions") as response:
            assert response.status == 200
        async with http.get("/api/v1/supervisions/export?format=csv") as response:
            assert response.status == 403
        address = here.daemon.url.replace("http", "ws", 1) + "/api/v1/stream"
        headers = {"Authorization": f"Bearer {text}"}
        with pytest.raises(InvalidStatus, match="403"):
            async with connect(address, origin="https://evil.example", additional_headers=headers):  # type: ignore[arg-type]
                pass
        async with connect(address, additional_headers=headers) as socket:
            await socket.send('{"type": "subscribe"}')
            stream = Stream(socket)
            await stream.until(lambda s: s.epoch, "the picture")
            assert stream.of("call") == []
            listed = await here.sue.get("/api/v1/tokens")
            assert [t["name"] for t in listed["tokens"]] == ["report"]
            assert listed["tokens"][0]["used"] is not None and text not in json.dumps(listed)
            assert (await ask(here.ina, "DELETE", f"/api/v1/tokens/{id_}"))[0] == 404
            assert (await ask(here.sue, "DELETE", f"/api/v1/tokens/{id_}"))[0] == 204
            assert await until_bye(stream) == "signed_out"
        # Used again: no.
        async with http.get("/api/v1/session") as response:
            assert response.status == 401 and "Bearer" in response.headers["WWW-Authenticate"]
    assert text not in str(here.store.read("SELECT * FROM api_token"))
    made = [r["action"] for r in read_audit(here.store) if "token" in r["action"]]
    assert made == ["make token", "revoke token"]


async def test_a_token_expires_on_an_open_stream(
    here: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = await token_of(here.sue, "agent.see", days=1)
    held = here.daemon.web[TOKENS]
    monkeypatch.setattr("monitord.api.stream.HEARTBEAT_S", 0.05)
    address = here.daemon.url.replace("http", "ws", 1) + "/api/v1/stream"
    headers = {"Authorization": f"Bearer {text}"}
    async with connect(address, additional_headers=headers) as socket:
        await socket.send('{"type": "subscribe"}')
        stream = Stream(socket)
        await stream.until(lambda s: s.epoch, "the picture")
        usual = held._clock
        held._clock = lambda: usual() + DAY_MS
        assert await until_bye(stream) == "signed_out"
    async with program(here, text) as http, http.get("/api/v1/session") as response:
        assert response.status == 401


async def test_a_token_is_never_more_than_its_person(here: Centre) -> None:
    _, text = await token_of(here.sue, "agent.see", "supervision.disconnect")
    await give(here, "sue", Role.QA_MANAGER)
    async with program(here, text) as http:
        async with http.get("/api/v1/session") as response:
            assert (await response.json())["permissions"] == ["agent.see"]
        await give(here, "sue", Role.SUPERVISOR, active=False)
        async with http.get("/api/v1/session") as response:
            assert response.status == 401


SESSION_ONLY = [
    ("GET", "/api/v1/account"),
    ("PUT", "/api/v1/account/password"),
    ("GET", "/api/v1/sessions"),
    ("GET", "/api/v1/sessions/all"),
    ("DELETE", "/api/v1/sessions"),
    ("DELETE", f"/api/v1/sessions/{'0' * 20}"),
    ("GET", "/api/v1/tokens"),
    ("GET", "/api/v1/tokens/all"),
    ("POST", "/api/v1/tokens"),
    ("DELETE", f"/api/v1/tokens/{'0' * 16}"),
    ("POST", "/api/v1/people/sue/link"),
]


async def test_a_token_makes_no_lasting_way_in(here: Centre) -> None:
    await give(here, "sue", Role.ADMINISTRATOR)
    for never in ("rights.edit", "session.end", "token.make"):
        body = {"name": "x", "permissions": ["agent.see", never]}
        status, answer = await ask(here.sue, "POST", "/api/v1/tokens", body)
        assert (status, answer["field"]) == (400, "permissions")
    _, text = await token_of(here.sue, "agent.see", "roster.edit")
    async with program(here, text) as http:
        for method, path in SESSION_ONLY:
            async with http.request(method, path, json={}) as response:
                assert response.status == 403, path


async def test_bad_tokens_to_be(here: Centre) -> None:
    body = {"name": "x", "permissions": ["agent.see"], "days": 1}
    for wrong, field in (
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["history.export"]}, None),
        ({"permissions": ["audit.see"]}, "permissions"),
        ({"permissions": ["god"]}, "permissions[0]"),
        ({"person": "ina"}, "person"),
        ({"key": "mine"}, "key"),
    ):
        status, answer = await ask(here.sue, "POST", "/api/v1/tokens", {**body, **wrong})
        expected = 201 if field is None else 400
        assert (status, answer.get("field")) == (expected, field), (wrong, answer)
    held = here.daemon.web[TOKENS]
    for _ in range(OF_ONE_MOST - len(held.of("sue"))):
        await token_of(here.sue, "agent.see")
    assert (await ask(here.sue, "POST", "/api/v1/tokens", body))[0] == 409
    assert (await ask(here.ina, "GET", "/api/v1/tokens/all"))[0] == 403


async def test_tokens_outlive_a_restart(here: Centre) -> None:
    id_, text = await token_of(here.sue, "agent.see")
    held = here.daemon.web[TOKENS]
    assert held.find(text) is not None
    await held.keep_up()
    after = Tokens(held._engine)
    await after.load()
    found = after.get(id_)
    assert found == held.get(id_) and found is not None and found.used is not None
    assert after.find(text) is not None and after.find(text + "x") is None


# --- requests from elsewhere -------------------------------------------------------------


FORGED: dict[str, tuple[dict[str, str], int]] = {
    "cross-site fetch": ({"Origin": "https://evil.example"}, 403),
    "sandboxed frame": ({"Origin": "null"}, 403),
    "without an origin": ({"Sec-Fetch-Site": "cross-site"}, 403),
    "sibling domain": ({"Sec-Fetch-Site": "same-site"}, 403),
    "text/plain": ({"Content-Type": "text/plain"}, 415),
    "form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "form with a file": ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
}


async def test_forged_in_somebodys_browser(here: Centre) -> None:
    body = json.dumps({"name": "x", "permissions": ["agent.see"]})
    for what, (headers, status) in FORGED.items():
        given = {"Content-Type": "application/json", "Cookie": here.sue.cookie, **headers}
        async with (
            aiohttp.ClientSession(here.daemon.url) as http,
            http.post("/api/v1/tokens", data=body, headers=given) as response,
        ):
            assert response.status == status, what
    assert here.daemon.web[TOKENS].of() == []
    await token_of(here.sue, "agent.see")  # as the page does it


async def test_a_token_needs_no_origin_and_takes_no_cookie(here: Centre) -> None:
    _, text = await token_of(here.sue, "agent.see")
    wrong = program(here, "mtd_made-up", Cookie=here.sue.cookie)
    async with wrong as http, http.get("/api/v1/session") as response:
        assert response.status == 401, "a wrong token is not made good by a cookie"
    right = program(here, text, Cookie=here.ina.cookie)
    async with right as http, http.get("/api/v1/session") as response:
        assert (await response.json())["id"] == "sue"
    for scheme in ("Basic abc", "Bearer", "Bearer ", "bearer mtd_\xff"):
        async with (
            aiohttp.ClientSession(here.daemon.url) as http,
            http.get("/api/v1/session", headers={"Authorization": scheme}) as response,
        ):
            assert response.status == 401
