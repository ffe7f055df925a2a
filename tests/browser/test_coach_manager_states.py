"""Every state of the page: looked at by axe, and as pictures in build/pictures for people."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from tests.browser.conftest import Wires, only22, visitor
from tests.browser.looks import look, too_wide, violations
from tests.lab.scene import COACH, MONITOR, TAKEOVER, Scene

pytestmark = pytest.mark.browser

HOME = "/quality/quality-assurance/coach-manager"
# What a browser says of a server that cannot be reached is no fault of the page.
UNREACHABLE = re.compile(r"ERR_CONNECTION|WebSocket connection|503|404 \(Not Found\)")


@only22
async def test_each_state_has_no_violation(scene: Scene, wires: Wires, browser: Browser) -> None:
    wrong: list[str] = []
    async with visitor(browser, wires.url, expected=UNREACHABLE) as sue:
        page, here = sue.page, sue.coach_manager()
        await page.clock.install()

        async def state(name: str) -> None:
            wrong.extend(await look(page, name))

        await page.goto(wires.url)
        await expect(page.get_by_label("Login")).to_be_visible()
        await state("signed-out")
        await sue.fill_in("sue")
        await expect(here.users).to_contain_text("Nobody is coaching or monitoring now")
        await state("empty")

        call = await scene.customer_calls_in("5551234", campaign="spring", list_="L7")
        tom = await scene.supervisor_dials("2002", COACH, "1001")
        taken = await scene.customer_calls_agent("5559876", "1003")
        taker = await scene.supervisor_dials("2001", TAKEOVER, "1003")
        waited = await scene.customer_calls_agent("5550000", "1004")
        waiter = await scene.supervisor_spies("2009", "PJSIP/1004-", "q")
        await scene.hangup(waited.customer)
        await expect(here.entry("PJSIP/2009")).to_contain_text("Waiting")
        await expect(here.names).to_have_count(3)
        await state("data")
        await here.choose("Tom Trainer")
        await scene.set_var(call.customer, "RESULT", "CALLBACK")
        await expect(here.cell("Result code")).to_have_text("CALLBACK")
        await state("selected")
        await page.keyboard.press("d")
        await expect(here.question).to_be_visible()
        await state("dialog")
        await page.keyboard.press("Escape")
        await expect(here.question).to_have_count(0)
        await page.keyboard.press("?")
        await expect(here.question).to_be_visible()
        await state("keys")
        await page.keyboard.press("Escape")
        await expect(here.question).to_have_count(0)
        await page.get_by_role("button", name="View").click()
        await state("view")
        await page.keyboard.press("Escape")
        await page.get_by_test_id("connection").click()
        await state("connection")
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await page.keyboard.type("nobody at all")
        await expect(here.users).to_contain_text("Nobody here matches")
        await state("search-without-result")
        await page.keyboard.press("Escape")

        await here.choose("PJSIP/2009")
        await expect(here.calls).to_contain_text("has no call now")
        await state("waiting")
        await scene.supervisor_presses(taker, "0")
        await here.choose("Sue Supervisor")
        await expect(here.selected).to_contain_text("Barge-Kick")
        await state("barge-kick")
        await page.keyboard.press("d")
        await expect(here.question).to_contain_text("ends the customer’s call as well")
        await state("barge-kick-dialog")
        await page.keyboard.press("Escape")
        await expect(here.question).to_have_count(0)

        await wires.ami.refuse()
        await expect(page.get_by_test_id("pbx-stale")).to_be_visible()
        await state("pbx-lost")
        await wires.ami.accept()
        await expect(page.get_by_test_id("pbx-stale")).to_have_count(0)
        await wires.http.refuse()
        await expect(page.get_by_test_id("connection")).to_contain_text("Reconnecting")
        await state("reconnecting")
        await page.clock.fast_forward("00:40")
        await expect(page.get_by_test_id("connection")).to_contain_text("No data")
        await state("no-data")
        await wires.http.accept()
        await page.reload()
        await here.live()

        await here.choose("Tom Trainer")
        await scene.hangup(tom)
        await expect(page.get_by_test_id("no-supervision")).to_contain_text("ended")
        await state("ended")
        for leg in (waiter, taken.customer, call.customer):
            await scene.hangup(leg)

        await page.goto(f"{wires.url}/quality/nothing")
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "There is no page at this address."
        )
        await state("not-found")
    assert wrong == []


@only22
async def test_it_fits_a_small_screen_a_zoomed_one_and_forced_colours(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    await scene.customer_calls_agent("5551234", "1001", campaign="a-campaign-of-one-long-word-" * 3)
    await scene.supervisor_dials("2002", MONITOR, "1001")
    async with visitor(browser, daemon_url) as sue:
        page, here = sue.page, sue.coach_manager()
        await sue.sign_in("sue")
        await here.choose("Tom Trainer")
        await expect(here.cell("Campaign")).to_contain_text("one-long-word")
        # 320 px is 1280 px at 400 %, 720 px is 1440 px at 200 %
        for width, height in ((320, 640), (390, 844), (720, 450), (1024, 768)):
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            assert await too_wide(page) == 0, width
            await expect(here.disconnect).to_be_visible()
            await page.screenshot(path=f"build/pictures/reflow-{width}.png", full_page=True)
        await page.set_viewport_size(ViewportSize(width=1440, height=900))
        await page.emulate_media(forced_colors="active")
        await sue.picture("forced-colours-1440")
        # the colours are the system's then, which axe does not know
        assert await violations(page, but="color-contrast") == []


async def _may_nothing(route: Route) -> None:
    answer = await route.fetch()
    account = await answer.json()
    await route.fulfill(response=answer, json={**account, "permissions": []})


@only22
async def test_who_may_not_see_is_told_so(scene: Scene, daemon_url: str, browser: Browser) -> None:
    """No role of today may see nothing, so the server's answer is altered on its way."""
    async with visitor(browser, daemon_url) as ina:
        page: Page = ina.page
        await page.route("**/api/v1/session", _may_nothing)
        await page.goto(daemon_url)
        await ina.fill_in("ina")
        await expect(page.get_by_role("main")).to_contain_text("Your role does not allow you")
        await expect(page.get_by_test_id("announcer")).to_have_count(0)
        assert await look(page, "no-permission") == []
