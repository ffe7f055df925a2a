"""The main menu, wide and narrow, and the keys of each page, in Chromium; no PBX is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from tests.browser.conftest import ONE_STAGE, PICTURES, process, visitor
from tests.browser.looks import too_wide, violations
from tests.kit.daemon import Site
from tests.kit.roster import MAX, nobody

pytestmark = ONE_STAGE

PAGES = {
    "Coach Manager": "/quality/quality-assurance/coach-manager",
    "Live calls": "/live-calls",
    "History": "/quality/quality-assurance/history",
    "Team": "/team",
    "People": "/settings/people",
    "Privacy": "/settings/privacy",
    "Never monitor": "/settings/never-monitor",
    "Flags": "/settings/flags",
    "Scores": "/settings/scores",
    "Sign-in": "/settings/sign-in",
}
NO_SEARCH = ("Privacy", "Never monitor", "Flags", "Scores", "Sign-in")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder = tmp_path_factory.mktemp("menu")
    site = Site(ami_port=nobody(), secret="s", extra=MAX)
    async with process(site.write(folder)) as started:
        yield started


async def hits(page: Page, selector: str) -> list[tuple[str, float, float]]:
    """What a thumb has to hit, with width and height in px, as far as it is smaller than 44."""
    small: list[tuple[str, float, float]] = await page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
          .map((e) => [e, e.getBoundingClientRect()])
          .filter(([, r]) => r.width > 0 && (r.width < 44 || r.height < 44))
          .map(([e, r]) => [e.textContent.trim(), r.width, r.height])""",
        selector,
    )
    return small


async def test_no_page_is_cut_off(shared_browser: Browser, url: str) -> None:
    """Whatever does not fit into a low window can be scrolled to."""
    async with visitor(shared_browser, url) as max_:
        page = max_.page
        await max_.sign_in("max")
        for width, height in ((1440, 360), (390, 360)):
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            for name, path in PAGES.items():
                await page.goto(url + path)
                await expect(page.locator("main#content h1")).to_have_count(1)
                lost = await page.evaluate(
                    """() => {
                      const main = document.querySelector("main");
                      const still = getComputedStyle(document.body).overflowY === "hidden";
                      return still && main.getBoundingClientRect().bottom > innerHeight + 1
                        ? main.getBoundingClientRect().bottom - innerHeight : 0;
                    }"""
                )
                assert lost == 0, (name, width)


async def test_on_a_narrow_screen_it_is_behind_a_button(shared_browser: Browser, url: str) -> None:
    async with visitor(shared_browser, url, width=390) as max_:
        page = max_.page
        fetched = asyncio.Event()  # the other pages, as on a line so slow that one goes there first

        async def slowly(route: Route) -> None:
            await fetched.wait()
            await route.continue_()

        await page.route("**/TeamPage-*.js", slowly)
        await max_.sign_in("max")
        menu = page.get_by_role("navigation", name="Main")
        button = page.get_by_role("button", name="Menu")
        await expect(button).to_have_attribute("aria-expanded", "false")
        await expect(menu).to_have_count(0)
        assert await hits(page, "header.band :is(a, button)") == []
        band = await page.locator("header.band").bounding_box()
        assert band is not None and band["height"] < 64, "one line"

        # by the keyboard: opens, goes through, and comes back to the button
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(button).to_have_attribute("aria-expanded", "true")
        await expect(menu.get_by_role("link")).to_have_text(list(PAGES))
        assert await hits(page, "header.band :is(a, button)") == []
        here = menu.get_by_role("link", name="Coach Manager")
        await expect(here).to_have_attribute("aria-current", "page")
        assert await violations(page) == []
        PICTURES.mkdir(parents=True, exist_ok=True)
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await page.screenshot(path=PICTURES / f"menu-390-{theme}.png")
        await page.keyboard.press("Escape")
        await expect(menu).to_have_count(0)
        await expect(button).to_be_focused()

        # a page is chosen, and the focus goes with it
        await page.keyboard.press("Enter")
        for _ in range(20):
            if await menu.get_by_role("link", name="Team").evaluate("e => e.matches(':focus')"):
                break
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/team")
        await expect(menu).to_have_count(0)
        await expect(page.locator("#content[aria-busy]")).to_be_focused()
        fetched.set()
        await expect(page.get_by_role("heading", name="Team")).to_be_visible()
        await expect(page.locator("#content")).to_be_focused()

        # it goes with whoever leaves it
        await button.click()
        await page.locator("body").click(position={"x": 380, "y": 830})
        await expect(menu).to_have_count(0)
        await button.click()
        await expect(menu).to_contain_text("Signed in as Max Minder")
        for width in (320, 900):
            await page.set_viewport_size(ViewportSize(width=width, height=640))
            assert await too_wide(page) == 0, width
            await expect(menu).to_be_visible()
        await menu.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in*")


async def test_where_there_is_room_it_stands_in_the_band(shared_browser: Browser, url: str) -> None:
    async with visitor(shared_browser, url) as max_:
        page = max_.page
        await max_.sign_in("max")
        for width in (1761, 1760, 1440, 901):
            await page.set_viewport_size(ViewportSize(width=width, height=800))
            menu = page.get_by_role("navigation", name="Main")
            await expect(menu.get_by_role("link")).to_have_text(list(PAGES))
            await expect(page.get_by_role("button", name="Menu")).to_have_count(0)
            await expect(page.get_by_role("button", name="Sign out")).to_have_count(1)
            assert await too_wide(page) == 0, width
            left = await page.get_by_test_id("connection").bounding_box()
            right = await menu.get_by_role("link", name="Sign-in").bounding_box()
            assert left is not None and right is not None
            apart = left["x"] - (right["x"] + right["width"])
            assert apart >= 16 or left["y"] + left["height"] <= right["y"], width
        for name, path in PAGES.items():
            await menu.get_by_role("link", name=name).click()
            await page.wait_for_url(f"**{path}*")
            await expect(menu.locator("[aria-current=page]")).to_have_text(name)
            await page.locator("body").press("?")
            keys = page.get_by_role("dialog", name="Keys")
            listed = await keys.locator("kbd").all_inner_texts()
            assert "?" in listed and len(set(listed)) == len(listed), (name, listed)
            assert ("/" in listed) == (name not in NO_SEARCH)
            await page.keyboard.press("Escape")
            await expect(keys).to_have_count(0)
