"""Who gets in by what, as the OpenAPI document tells it, held against what the daemon does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from monitord.api.openapi import document
from monitord.api.server import ROUTES
from tests.kit.client import Client
from tests.kit.daemon import Site, daemon
from tests.kit.teams import people

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT = document(ROUTES)
SCHEMES = DOCUMENT["components"]["securitySchemes"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
PUBLIC = {
    *("POST /api/v1/session", "DELETE /api/v1/session"),
    *("GET /api/v1/sign-in/ways", "POST /api/v1/links/look", "POST /api/v1/links/use"),
}
"""What is meant to be: by these one gets in, or out."""

NAME = "monitord.example"
PROXY = f'proxies = ["127.0.0.1"]\norigins = ["https://{NAME}"]\n'
BY_HTTPS = {"X-Forwarded-Proto": "https", "Origin": f"https://{NAME}"}


@dataclass
class Here:
    url: str
    session: str
    """Of an administrator, who has no other: so the request that ends the others ends none."""
    token: str
    """Of the same, which may all that a token can."""

    async def ask(self, name: str, headers: dict[str, str]) -> int:
        """The status. Nothing is changed: the body is missing and the id is nobody's."""
        method, path = name.split(" ")
        for parameter in OPERATIONS[name].get("parameters", ()):
            if parameter["in"] == "path":
                length = 16 if "{16}" in parameter["schema"]["pattern"] else 20
                end = ".coach" if "[a-z-]" in parameter["schema"]["pattern"] else ""
                of_kind = "1" if parameter["name"] == "n" else "f" * length + end
                path = path.replace(f"{{{parameter['name']}}}", of_kind)
        async with (
            aiohttp.ClientSession(self.url) as http,
            http.request(method, path, headers=headers) as response,
        ):
            return response.status

    def by(self, scheme: str) -> dict[str, str]:
        """Headers, as the document describes the scheme."""
        match SCHEMES[scheme]:
            case {"type": "http", "scheme": "bearer"}:
                return {"Authorization": f"Bearer {self.token}"}
            case {"type": "apiKey", "in": "cookie", "name": name}:
                edge = BY_HTTPS if name.startswith("__Host-") else {}
                return {"Origin": self.url, "Cookie": f"{name}={self.session}", **edge}
            case unknown:
                raise AssertionError(f"nobody knows how to use {unknown}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    site = Site(ami_port=9, secret="s", people=people(), server=PROXY)
    async with (
        daemon(site, tmp_path_factory.mktemp("openapi")) as running,
        Client(running.url) as adm,
    ):
        assert await adm.sign_in("adm") == 200
        grantable = (await adm.get("/api/v1/tokens"))["grantable"]
        body = {"name": "all that it can", "permissions": grantable}
        async with adm.http.post("/api/v1/tokens", json=body) as response:
            token = (await response.json())["text"]
        cookies = {c.key: c.value for c in adm.http.cookie_jar}
        yield Here(running.url, cookies["monitord_session"], token)


each = pytest.mark.parametrize("name", OPERATIONS)


def in_by(name: str) -> set[str]:
    """The schemes of which one is enough."""
    alternatives: list[dict[str, Any]] = OPERATIONS[name]["security"]
    assert all(len(one) == 1 for one in alternatives)
    return {scheme for one in alternatives for scheme in one}


async def test_only_what_leads_in_is_public() -> None:
    assert {name for name in OPERATIONS if not in_by(name)} == PUBLIC
    assert "security" not in DOCUMENT, "each operation tells its own"
    assert {scheme for name in OPERATIONS for scheme in in_by(name)} == SCHEMES.keys()


@each
async def test_who_shows_nothing_gets_in_where_it_is_public(here: Here, name: str) -> None:
    assert (await here.ask(name, {"Origin": here.url}) != 401) == (not in_by(name))


# Without the public ones: signing out would end the session.
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in PUBLIC])
async def test_each_scheme_that_is_named_leads_in_and_no_other(here: Here, name: str) -> None:
    """A person is let in by each cookie, and their program as they are, or not at all."""
    given = {scheme: await here.ask(name, here.by(scheme)) for scheme in SCHEMES}
    program = given.pop("token")
    (person,) = set(given.values())
    assert person != 401 and given.keys() <= in_by(name)
    if "token" in in_by(name):
        assert program == person
    else:
        # An administrator looks after the system and hears nobody.
        assert (person != 403, program) == ("/recordings/" not in name, 403)
