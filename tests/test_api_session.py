"""Signing in and out over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from monitord.people import passwords, tries
from monitord.store import engine as engines
from tests.kit.centre import Centre, centre
from tests.kit.client import Client
from tests.kit.daemon import PASSWORD
from tests.kit.stores import Store

BODY = {"login": "ina", "password": PASSWORD}


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Centre]:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with centre(tmp_path) as made:
        yield made


async def test_who_and_out(here: Centre) -> None:
    me = await here.sue.get("/api/v1/session")
    assert "supervision.disconnect" in me["permissions"]
    less = (await here.ina.get("/api/v1/session"))["permissions"]
    assert "supervision.see" in less and "supervision.disconnect" not in less
    async with Client(here.daemon.url) as thief:
        thief.http.cookie_jar.update_cookies(
            {c.key: c.value for c in here.ina.http.cookie_jar}, response_url=thief.http._base_url
        )
        assert (await thief.get("/api/v1/session"))["id"] == "ina"
        async with here.ina.http.delete("/api/v1/session") as response:
            assert response.status == 204 and "Max-Age=0" in response.headers["Set-Cookie"]
        async with thief.http.get("/api/v1/session") as response:
            assert response.status == 401, "the session itself is over, not only the cookie"


@pytest.mark.parametrize("secure", [False, True])
async def test_the_cookie(secure: bool, tmp_path: Path) -> None:
    server = f"secure_cookie = {str(secure).lower()}"
    async with (
        centre(tmp_path, server=server) as here,
        here.ina.http.post("/api/v1/session", json=BODY) as response,
    ):
        cookie = response.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert ("Secure" in cookie) is secure


async def test_a_wrong_one_and_an_unknown_one_read_the_same(here: Centre) -> None:
    answers = []
    for login in ("ina", "nobody"):
        body = {"login": login, "password": "wrong"}
        async with here.ina.http.post("/api/v1/session", json=body) as response:
            answers.append((response.status, await response.json()))
            assert "Set-Cookie" not in response.headers
    assert answers[0] == answers[1] and answers[0][0] == 401


async def test_too_many_tries(here: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_verify", lambda hashed, password: False)
    for _ in range(tries.ADDRESS_TRIES):
        assert await here.ina.sign_in("ina", "wrong") == 401
    async with here.ina.http.post("/api/v1/session", json=BODY) as response:
        assert response.status == 429 and 0 < int(response.headers["Retry-After"]) <= 61


@pytest.mark.fault("CSWSH / expired cookie / wrong team")
@pytest.mark.parametrize(
    "headers, status",
    [
        pytest.param({"Origin": "https://evil.example"}, 403, id="foreign-origin"),
        pytest.param({"Origin": "null"}, 403, id="null-origin"),
        pytest.param({"Content-Type": "text/plain"}, 415, id="as-a-form-could"),
    ],
)
async def test_forged(here: Centre, headers: dict[str, str], status: int) -> None:
    text = json.dumps(BODY)
    given = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession(here.daemon.url) as http,
        http.post("/api/v1/session", data=text, headers=given) as response,
    ):
        assert response.status == status and "Set-Cookie" not in response.headers


async def test_nobody_gets_in_unrecorded(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_MS", 100)
    async with centre(tmp_path, store=store) as here:
        await here.daemon.recorder.settled()
        async with (
            store.locked(),
            here.ina.http.post("/api/v1/session", json=BODY) as response,
        ):
            assert response.status == 503 and "Set-Cookie" not in response.headers
        assert await here.ina.sign_in("ina") == 200
