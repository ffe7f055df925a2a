"""Signing in at the site's own provider: a real one, and what an attacker would make of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from monitord.config import ConfigError, load
from tests.kit.client import Client
from tests.kit.daemon import PASSWORD, Site, daemon
from tests.kit.provider import CALLBACK, SECRET, Provider, provider, sign_in_address
from tests.test_config import PBX

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAPPING = """
login_claim = "email"
roles_claim = "realm_access.roles"
create = true
text = "Sign in with ACME"

[[oidc.roles]]
value = "qa"
role = "QA manager"

[[oidc.roles]]
value = "boss"
role = "administrator"

[[oidc.roles]]
value = "floor"
role = "supervisor"
scope = "direct reports"
"""


@dataclass
class Here:
    url: str
    at: Provider
    people: Any

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Client]:
        async with Client(self.url) as client:
            yield client

    async def begin(self, browser: Client, next_: str = "") -> str:
        """Where the browser is sent to."""
        address = sign_in_address(next_)
        async with browser.http.get(address, allow_redirects=False) as response:
            assert response.status == 303
            return response.headers["Location"]

    async def finish(self, browser: Client, back: str) -> tuple[int, str, str]:
        """Status, where it leads and the page, when the browser comes back to that address."""
        path = back.removeprefix(self.url)
        async with browser.http.get(path, allow_redirects=False) as response:
            return response.status, response.headers.get("Location", ""), await response.text()

    async def sign_in(self, browser: Client, user: str, next_: str = "") -> tuple[int, str, str]:
        back = await self.at.authorise(await self.begin(browser, next_), user)
        assert back.startswith(f"{self.url}{CALLBACK}?")
        return await self.finish(browser, back)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    folder = tmp_path_factory.mktemp("provider")
    async with provider(folder) as at:
        site = Site(ami_port=9, secret="s", extra=at.settings(MAPPING))
        loaded = load(site.write(folder), {"OIDC": SECRET})
        async with daemon(site, folder, loaded=loaded) as running:
            await at.expect_client(running.url)
            from monitord.api.keys import PEOPLE

            yield Here(running.url, at, running.web[PEOPLE])


@pytest.fixture(autouse=True)
async def honest(here: Here) -> AsyncIterator[None]:
    yield
    await here.at.tell(tamper={})


def roles(*names: str, **more: Any) -> dict[str, Any]:
    return {"realm_access": {"roles": list(names)}, **more}


async def test_the_button(here: Here) -> None:
    async with here.browser() as browser:
        assert await browser.get("/api/v1/sign-in/ways") == {"provider": "Sign in with ACME"}


async def test_in_and_on_the_roster(here: Here) -> None:
    await here.at.set_user("quinn", **roles("qa", "others", name="Quinn\u202e QA\n"))
    async with here.browser() as browser:
        status, _, page = await here.sign_in(browser, "quinn", "/quality?user=a&b=<c>")
        assert status == 200 and 'content="0;url=/quality?user=a&amp;b=&lt;c&gt;"' in page
        me = await browser.get("/api/v1/session")
        assert me["name"] == "Quinn QA" and me["id"].startswith("oidc-")
        assert "history.export" in me["permissions"] and "rights.edit" not in me["permissions"]
        sessions = (await browser.get("/api/v1/sessions"))["sessions"]
        assert [s["how"] for s in sessions] == ["provider"]
        account = await browser.get("/api/v1/account")
        assert (account["has_password"], account["by_provider"]) == (False, True)
        body = {"old": "x", "new": "a new and long password"}
        async with browser.http.put("/api/v1/account/password", json=body) as response:
            assert response.status == 409
        # With fewer roles at the next sign-in there are fewer at once, for the first session too.
        await here.at.set_user("quinn", **roles("floor"))
        async with here.browser() as second:
            assert (await here.sign_in(second, "quinn", "/a?b=c&d"))[0] == 200
            now = (await browser.get("/api/v1/session"))["permissions"]
            assert "supervision.disconnect" in now
        given = here.people.roster.people[me["id"]].roles
        assert [(g.role, g.scope) for g in given] == [("supervisor", "direct reports")]


async def test_the_pkce_challenge_goes_there(here: Here) -> None:
    async with here.browser() as browser:
        asked = parse_qs(urlsplit(await here.begin(browser)).query)
        assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
        assert asked["scope"] == ["openid profile email"] and asked["nonce"] and asked["state"]
        (cookie,) = browser.http.cookie_jar
        assert cookie["samesite"] == "Lax" and cookie["httponly"]


async def test_tied_by_a_verified_login(here: Here) -> None:
    for verified, expected in ((False, "unknown"), (True, "ina")):
        claims = {"email": "INA", "email_verified": verified}
        await here.at.set_user(f"ina-{verified}", **roles(*["qa"] * verified, **claims))
        async with here.browser() as browser:
            status, address, _ = await here.sign_in(browser, f"ina-{verified}")
            if expected == "unknown":
                assert (status, address) == (303, "/sign-in?provider=unknown")
            else:
                assert (await browser.get("/api/v1/session"))["id"] == expected
    # Another one of the same login is not taken for her any more, but put beside.
    await here.at.set_user("eve", **roles("qa", email="ina", email_verified=True, name="Eve"))
    async with here.browser() as browser:
        assert (await here.sign_in(browser, "eve"))[0] == 200
        assert (await browser.get("/api/v1/session"))["name"] == "Eve"
    async with here.browser() as browser:
        assert await browser.sign_in("ina", PASSWORD) == 200, "her password still works"


async def test_without_a_role_nobody_is_let_in(here: Here) -> None:
    await here.at.set_user("noa", **roles("others"))
    async with here.browser() as browser:
        answer = await here.sign_in(browser, "noa")
        assert answer[:2] == (303, "/sign-in?provider=unknown")
    await here.at.set_user("noa", **roles("qa"))
    async with here.browser() as browser:
        assert (await here.sign_in(browser, "noa"))[0] == 200
        await here.at.set_user("noa", **roles())
        async with here.browser() as again:
            answer = await here.sign_in(again, "noa")
            assert answer[:2] == (303, "/sign-in?provider=no-role")
        assert (await browser.get("/api/v1/session"))["permissions"] == []


async def test_the_last_administrator_stays(here: Here) -> None:
    await here.at.set_user("root", **roles("boss"))
    async with here.browser() as browser:
        assert (await here.sign_in(browser, "root"))[0] == 200
        await here.at.set_user("root", **roles("qa"))
        async with here.browser() as again:
            assert (await here.sign_in(again, "root"))[1] == "/sign-in?provider=unknown"
        assert "rights.edit" in (await browser.get("/api/v1/session"))["permissions"]


# --- attacks -----------------------------------------------------------------------------


async def refused(here: Here, code: str = "invalid") -> None:
    await here.at.set_user("mal", **roles("qa"))
    async with here.browser() as browser:
        status, address, _ = await here.sign_in(browser, "mal")
        assert (status, address) == (303, f"/sign-in?provider={code}")
        async with browser.http.get("/api/v1/session") as response:
            assert response.status == 401


async def test_a_token_signed_anew_is_taken(here: Here) -> None:
    """So what is refused below is refused for what was changed in it."""
    await here.at.set_user("ray", **roles("qa"))
    await here.at.tell(tamper={"claims": {"more": "of it"}})
    async with here.browser() as browser:
        assert (await here.sign_in(browser, "ray"))[0] == 200


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param({"claims": {"nonce": "another"}}, id="nonce-of-another"),
        pytest.param({"claims": {"nonce": None}}, id="no-nonce"),
        pytest.param({"claims": {"aud": "another client"}}, id="audience"),
        pytest.param({"claims": {"aud": ["monitord", "x"]}}, id="audiences-without-azp"),
        pytest.param({"claims": {"azp": "another client"}}, id="azp"),
        pytest.param({"claims": {"iss": "https://evil.example"}}, id="issuer"),
        pytest.param({"claims": {"exp": 1_700_000_000}}, id="expired"),
        pytest.param({"claims": {"exp": None}}, id="no-expiry"),
        pytest.param({"claims": {"iat": 1 << 40}}, id="from-the-future"),
        pytest.param({"claims": {"sub": None}}, id="nobody"),
        pytest.param({"claims": {"sub": ""}}, id="empty-subject"),
        pytest.param({"claims": {"sub": 7}}, id="subject-is-a-number"),
        pytest.param({"claims": {"exp": "never"}}, id="expiry-is-a-text"),
        pytest.param({"sign": "none"}, id="alg-none"),
        pytest.param({"sign": "hmac"}, id="signed-with-the-public-key"),
        pytest.param({"sign": "other"}, id="another-key-of-the-same-name"),
        pytest.param({"body": "{}"}, id="no-token"),
        pytest.param({"body": '{"id_token": "..."}'}, id="no-jwt"),
        pytest.param({"body": "[" * 100_000}, id="deep"),
        pytest.param({"body": '{"id_token": "' + "a" * 300_000 + '"}'}, id="huge"),
    ],
)
async def test_forged_tokens(here: Here, tamper: dict[str, Any]) -> None:
    await here.at.tell(tamper=tamper)
    await refused(here)


async def test_an_answer_counts_once(here: Here) -> None:
    await here.at.set_user("ray", **roles("qa"))
    async with here.browser() as browser:
        address = await here.begin(browser)
        kept = {c.key: c.value for c in browser.http.cookie_jar}
        back = await here.at.authorise(address, "ray")
        assert (await here.finish(browser, back))[0] == 200
    async with here.browser() as thief:
        # Not even with the cookie: the provider takes the code no second time.
        assert (await here.finish(thief, back))[1] == "/sign-in?provider=expired"
        thief.http.cookie_jar.update_cookies(kept, response_url=thief.http._base_url)
        assert (await here.finish(thief, back))[1] == "/sign-in?provider=refused"


async def test_nobody_is_signed_in_as_somebody_else(here: Here) -> None:
    """Login CSRF: an attacker's own answer, which they have their victim's browser open."""
    await here.at.set_user("mal", **roles("qa"))
    async with here.browser() as attacker, here.browser() as victim:
        back = await here.at.authorise(await here.begin(attacker), "mal")
        assert (await here.finish(victim, back))[1] == "/sign-in?provider=expired"
        await here.begin(victim)
        assert (await here.finish(victim, back))[1] == "/sign-in?provider=expired"


@pytest.mark.parametrize(
    "change, code",
    [
        pytest.param({"state": "another"}, "expired", id="state"),
        pytest.param({"state": "\udcff"}, "expired", id="state-no-text"),
        pytest.param({"iss": "https://evil.example"}, "invalid", id="mix-up"),
        pytest.param({"iss": None}, "invalid", id="mix-up-without-issuer"),
        pytest.param({"code": "made-up"}, "refused", id="code"),
        pytest.param({"code": None}, "invalid", id="no-code"),
        pytest.param({"error": "access_denied", "code": None}, "refused", id="denied"),
    ],
)
async def test_another_answer(here: Here, change: dict[str, str | None], code: str) -> None:
    await here.at.set_user("mal", **roles("qa"))
    async with here.browser() as browser:
        back = await here.at.authorise(await here.begin(browser), "mal")
        query = {k: v[0] for k, v in parse_qs(urlsplit(back).query).items()} | change
        given = {k: v for k, v in query.items() if v is not None}
        text = urlencode(given, errors="surrogateescape")
        answer = await here.finish(browser, f"{CALLBACK}?{text}")
        assert answer[:2] == (303, f"/sign-in?provider={code}")


@pytest.mark.parametrize("cookie", ["x", "x.y", ".", "e30.00", "a" * 4000])
async def test_a_made_up_cookie(here: Here, cookie: str) -> None:
    async with here.browser() as browser:
        headers = {"Cookie": f"monitord_provider={cookie}"}
        path = f"{CALLBACK}?state=a&code=b"
        async with browser.http.get(path, headers=headers, allow_redirects=False) as response:
            assert response.headers["Location"] == "/sign-in?provider=expired"


@pytest.mark.parametrize(
    "next_", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "/" * 2000]
)
async def test_the_way_on_stays_here(here: Here, next_: str) -> None:
    await here.at.set_user("ray", **roles("qa"))
    async with here.browser() as browser:
        status, _, page = await here.sign_in(browser, "ray", next_)
        assert status == 200 and 'content="0;url=/"' in page and "evil" not in page


async def test_another_sites_page_cannot_begin_it(here: Here) -> None:
    async with here.browser() as browser:
        headers = {"Sec-Fetch-Site": "cross-site"}
        path = sign_in_address("/x")
        async with browser.http.get(path, headers=headers, allow_redirects=False) as response:
            assert response.headers["Location"] == "/sign-in?next=%2Fx"
            assert "Set-Cookie" not in response.headers


# --- the provider's own troubles ---------------------------------------------------------


async def test_it_changes_its_keys(here: Here) -> None:
    await here.at.set_user("ray", **roles("qa"))
    for _ in range(2):
        async with here.browser() as browser:
            assert (await here.sign_in(browser, "ray"))[0] == 200
        await here.at.tell(new_key=True)


async def test_it_is_down(here: Here, tmp_path: Path) -> None:
    site = Site(ami_port=9, secret="s", extra=here.at.settings())
    loaded = load(site.write(tmp_path), {"OIDC": SECRET})
    await here.at.tell(tamper={"down": True})
    async with daemon(site, tmp_path, loaded=loaded) as running, Client(running.url) as browser:
        async with browser.http.get(sign_in_address(), allow_redirects=False) as response:
            assert response.headers["Location"] == "/sign-in?provider=unreachable"
        assert await browser.sign_in("ina", PASSWORD) == 200, "the own accounts still work"
        await here.at.tell(tamper={})
        async with browser.http.get(sign_in_address(), allow_redirects=False) as response:
            assert response.headers["Location"].startswith(f"{here.at.issuer}/o/authorize/?")


async def test_without_a_provider(tmp_path: Path) -> None:
    site = Site(ami_port=9, secret="s")
    async with daemon(site, tmp_path) as running, Client(running.url) as browser:
        assert await browser.get("/api/v1/sign-in/ways") == {"provider": None}
        for path in ("/sign-in/provider", CALLBACK):
            async with browser.http.get(path, allow_redirects=False) as response:
                assert response.status == 404


OIDC = '[oidc]\nissuer = "https://id.example"\nclient_id = "m"\n'


@pytest.mark.parametrize(
    "text, words",
    [
        (OIDC.replace("https:", "http:"), "oidc.issuer: must"),
        (OIDC.replace("https://id.example", "id.example"), "oidc.issuer: must"),
        (OIDC + 'scopes = ["profile"]\n', "oidc.scopes: openid"),
        (OIDC + "create = true\n", "oidc.create: needs oidc.roles"),
        (OIDC + 'client_secret_env = "NONE"\n', "the variable NONE is not set"),
        (OIDC + '[[oidc.roles]]\nvalue = "x"\nrole = "god"\n', r"oidc.roles\[0\].role"),
    ],
)
async def test_settings_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "monitord.toml"
    path.write_text(PBX + text)
    with pytest.raises(ConfigError, match=words):
        load(path, {"AMI": "s"})
