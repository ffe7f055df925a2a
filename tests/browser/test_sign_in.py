"""The ways in, and Settings > Sign-in, in real Chromium with the real daemon."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from click.testing import CliRunner
from playwright.async_api import Browser, Page, expect

from monitord.cli import main
from tests.browser.conftest import ONE_STAGE, Visitor, process, visitor
from tests.browser.looks import look
from tests.kit.daemon import PASSWORD, Site
from tests.kit.provider import PASSWORD as AT_PROVIDER
from tests.kit.provider import SECRET, provider
from tests.kit.roster import nobody

pytestmark = ONE_STAGE

NEW = "a new and long password"
SETTINGS = "/settings/sign-in"
EXPECTED = re.compile(r"status of (400|401|404|409)|WebSocket")
"""The browser's own words on answers that are part of the test."""


@dataclass(frozen=True)
class Here:
    url: str
    config: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    """Without a PBX and without an administrator."""
    config = Site(ami_port=nobody(), secret="s").write(tmp_path_factory.mktemp("sign-in"))
    async with process(config) as started:
        yield Here(started, config)


@pytest.fixture
def url(here: Here) -> str:
    return here.url


async def first_link(url: str, config: Path) -> str:
    done = await asyncio.to_thread(
        CliRunner().invoke, main, ["admin-link", "--config", str(config)]
    )
    assert done.exit_code == 0, done.output
    return url + "/sign-in/link#" + done.output.partition("#")[2].strip()


async def fill(page: Page, **fields: str) -> None:
    for label, text in fields.items():
        await page.get_by_label(label.replace("_", " "), exact=True).fill(text)


async def test_the_first_administrator(shared_browser: Browser, here: Here) -> None:
    url = here.url
    link = await first_link(url, here.config)
    async with visitor(shared_browser, url, expected=EXPECTED) as ada:
        page = ada.page
        await page.goto(link)
        await expect(page.get_by_label("Your name")).to_be_focused()
        assert await page.evaluate("location.hash") == "", "the token stays in no history"
        await fill(page, Your_name="Ada Admin", Login="ada", New_password="short")
        await fill(page, The_same_once_more="shorter")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("The two passwords are not the same.")
        await fill(page, The_same_once_more="short")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("Must be 12 to 1024 characters")
        await expect(page.get_by_label("New password")).to_be_focused()
        wrong = await look(page, "link-wrong")
        await fill(page, New_password=NEW, The_same_once_more=NEW)
        await page.get_by_role("button", name="Set password and sign in").click()
        await page.wait_for_url("**/coach-manager*")
        await expect(page.locator(".viewer")).to_contain_text("Ada Admin")
        await page.goto(link)
        await expect(page.get_by_role("alert")).to_contain_text("does not work (any more)")
        wrong += await look(page, "link-gone")
    assert wrong == []


async def signed_in(someone: Visitor, url: str, login: str, path: str = SETTINGS) -> None:
    await someone.page.goto(url + path)
    await someone.fill_in(login)
    await someone.page.wait_for_url(url + path)


async def test_password_and_sessions(shared_browser: Browser, url: str) -> None:
    async with (
        visitor(shared_browser, url, expected=EXPECTED) as ina,
        visitor(shared_browser, url, expected=EXPECTED) as elsewhere,
    ):
        # nobody else of this module signs in as her, whose password changes here
        await signed_in(ina, url, "ina")
        page = ina.page
        sessions = page.get_by_role("region", name="Where you are signed in")
        await expect(sessions.get_by_text("You are signed in nowhere else.")).to_be_visible()
        await elsewhere.sign_in("ina")
        await page.reload()
        await expect(sessions.locator("tbody tr")).to_have_count(2)
        await expect(sessions).to_contain_text("(this browser)")
        await fill(page, Present_password="wrong", New_password=NEW, The_same_once_more=NEW)
        await page.get_by_role("button", name="Change password").click()
        await expect(page.get_by_role("alert")).to_have_text("That is not your present password.")
        wrong = await look(page, "settings-sign-in")
        await fill(page, Present_password=PASSWORD)
        await page.get_by_role("button", name="Change password").click()
        said = page.get_by_text("Your password was changed, and one other browser signed out.")
        await expect(said).to_be_visible()
        # The other one's page notices by itself: its stream has ended.
        await elsewhere.page.wait_for_url("**/sign-in?next=*")
        await expect(sessions.locator("tbody tr")).to_have_count(1)

        await elsewhere.page.get_by_label("Login").fill("ina")
        await elsewhere.page.get_by_label("Password", exact=True).fill(NEW)
        await elsewhere.page.keyboard.press("Enter")
        await elsewhere.page.wait_for_url("**/coach-manager*")
        await page.reload()
        await sessions.locator("tbody tr").first.get_by_role("button").click()
        await expect(page.get_by_text("Signed out there.")).to_be_visible()
        await elsewhere.page.wait_for_url("**/sign-in?next=*")
        # And the own one leads to the sign-in page.
        await sessions.get_by_role("button", name="Sign out this browser").click()
        await page.wait_for_url("**/sign-in?next=*")
    assert wrong == []


async def test_a_token(shared_browser: Browser, url: str) -> None:
    async with visitor(shared_browser, url, expected=EXPECTED) as sue:
        await signed_in(sue, url, "sue")
        page = sue.page
        tokens = page.get_by_role("region", name="API tokens")
        await expect(tokens.get_by_text("There are none.")).to_be_visible()
        await tokens.get_by_role("button", name="Make a token").click()
        await fill(page, What_it_is_for="Weekly report <b>")
        await tokens.get_by_role("button", name="Make a token").click()
        await expect(page.get_by_role("alert")).to_have_text("Choose at least one.")
        wrong = await look(page, "settings-token-new")
        await page.get_by_label("see live calls").check()
        await page.get_by_label("Days until it expires").fill("400")
        await tokens.get_by_role("button", name="Make a token").click()
        await expect(page.get_by_label("Days until it expires")).to_have_attribute(
            "aria-invalid", "true"
        )
        await page.get_by_label("Days until it expires").fill("30")
        await tokens.get_by_role("button", name="Make a token").click()
        text = await tokens.locator("code").inner_text()
        wrong += await look(page, "settings-token-made")
        await tokens.get_by_role("button", name="Done").click()
        await expect(tokens.locator("code")).to_have_count(0)
        assert text not in await page.content()

        headers = {"Authorization": f"Bearer {text}"}
        async with aiohttp.ClientSession(url, headers=headers) as program:
            async with program.get("/api/v1/session") as response:
                assert (await response.json())["permissions"] == ["call.see"]
            await page.reload()
            await expect(tokens.locator("tbody tr")).not_to_contain_text("never")
            await tokens.get_by_role("button", name="Revoke Weekly report <b>").click()
            await expect(tokens).to_contain_text("“Weekly report <b>” was revoked.")
            async with program.get("/api/v1/session") as response:
                assert response.status == 401
    assert wrong == []


async def test_by_the_provider(
    shared_browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "OIDC", SECRET)
    mapping = 'create = true\n[[oidc.roles]]\nvalue = "qa"\nrole = "QA manager"\n'
    async with provider(tmp_path) as at:
        site = Site(ami_port=9, secret="s", extra=at.settings(mapping))
        async with (
            process(site.write(tmp_path)) as url,
            visitor(shared_browser, url, expected=EXPECTED) as quinn,
        ):
            await at.expect_client(url)
            await at.set_user("quinn", groups=["qa"], name="Quinn QA")
            page = quinn.page
            await page.goto(url + SETTINGS)
            button = page.get_by_role("link", name="Sign in with your company’s account")
            await expect(button).to_be_visible()
            await at.tell(tamper={"down": True})
            await button.click()
            await expect(page.get_by_role("alert")).to_contain_text("does not answer now")
            wrong = await look(page, "sign-in-provider-down")
            await at.tell(tamper={})
            await button.click()
            await page.get_by_label("Username").fill("quinn")
            await page.get_by_label("Password").fill(AT_PROVIDER)
            await page.get_by_role("button", name="Log in").click()
            # Back to where they wanted to go, with a session that no other site's page can use.
            await page.wait_for_url(url + SETTINGS)
            await expect(page.locator(".viewer")).to_contain_text("Quinn QA")
            await expect(page.get_by_text("You have no password here.")).to_be_visible()
            cookies = {c["name"]: c for c in await page.context.cookies(url)}
            assert cookies["monitord_session"]["sameSite"] == "Strict"
            assert "monitord_provider" not in cookies
    assert wrong == []


async def test_another_sites_page_reaches_nothing(shared_browser: Browser, url: str) -> None:
    """A page of another origin, open in the browser of somebody who is signed in."""
    async with visitor(shared_browser, url, expected=re.compile(".")) as sue:
        await signed_in(sue, url, "sue")
        context = sue.page.context

        async def page_of_evil(route) -> None:  # type: ignore[no-untyped-def]
            form = (
                f"<form id=f method=post enctype=text/plain action='{url}/api/v1/tokens'>"
                '<input name=\'{"name":"x","permissions":["agent.see"],"days":1,"a":"\' '
                "value='\"}'></form>"
            )
            await route.fulfill(
                body=f"<!doctype html><title>evil</title>{form}", content_type="text/html"
            )

        await context.route("http://evil.example/**", page_of_evil)
        evil = await context.new_page()
        await evil.goto("http://evil.example/")
        socket = await evil.evaluate(
            """(address) => new Promise((done) => {
              const socket = new WebSocket(address);
              socket.onopen = () => done("open");
              socket.onerror = () => done("refused");
            })""",
            url.replace("http", "ws", 1) + "/api/v1/stream",
        )
        assert socket == "refused"
        for mode in ("cors", "no-cors"):
            read = await evil.evaluate(
                """([url, mode]) => fetch(url + "/api/v1/sessions", {
                  method: mode === "cors" ? "DELETE" : "POST", mode, credentials: "include",
                  body: mode === "cors" ? undefined : '{"name":"x","permissions":["agent.see"]}',
                }).then((r) => r.text(), () => "nothing")""",
                [url, mode],
            )
            assert read in ("nothing", "")
        async with evil.expect_navigation():
            await evil.evaluate("document.getElementById('f').submit()")
        assert "another site" in await evil.content()
        await sue.page.reload()
        await expect(sue.page.get_by_text("There are none.")).to_be_visible()


async def test_the_built_page_has_nothing_inline(shared_browser: Browser, url: str) -> None:
    """All of its scripts and styles are files of this very server, as its policy demands."""
    async with visitor(shared_browser, url, expected=EXPECTED) as someone:
        for path in ("/sign-in", "/sign-in/link"):
            await someone.page.goto(url + path)
            await expect(someone.page.locator("h1")).to_be_visible()
            await holds(someone.page, url)
        await signed_in(someone, url, "sue")
        await expect(someone.page.locator("h1")).to_be_visible()
        await holds(someone.page, url)


async def holds(page: Page, url: str) -> None:
    html = await (await page.context.request.get(page.url)).text()
    assert "<style" not in html and " style=" not in html and "javascript:" not in html
    assert not re.search(r"\son\w+=", html)
    for tag in re.findall(r"<script[^>]*>(?:[^<]*)</script>", html):
        assert re.fullmatch(r'<script [^>]*src="/assets/[^"]+"[^>]*></script>', tag), tag
    policy = (await page.context.request.get(page.url)).headers["content-security-policy"]
    assert policy.startswith("default-src 'self';") and "unsafe" not in policy
