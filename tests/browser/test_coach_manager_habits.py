"""Habits: the keyboard alone, search, order, preferences, long lists."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import only22, process, visitor
from tests.kit.daemon import PASSWORD, Site
from tests.lab.scene import BARGE, COACH, MONITOR, Scene

pytestmark = pytest.mark.browser

SECRET = "a secret only for tests"
COUNT_POINTERS = "window.pointers = 0; addEventListener('pointerdown', () => pointers++, true)"


async def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Tab until the element with this name in it has the focus."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if name in await page.evaluate(
            "(document.activeElement.ariaLabel ?? '') + document.activeElement.innerText"
        ):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


@only22
async def test_from_sign_in_to_disconnect_and_history_by_keyboard_alone(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    async with visitor(browser, daemon_url) as sue:
        page, here = sue.page, sue.coach_manager()
        press = page.keyboard.press
        await page.add_init_script(COUNT_POINTERS)
        await page.goto(daemon_url)
        await page.get_by_label("Login").focus()
        await page.keyboard.type("sue")
        await press("Tab")
        await page.keyboard.type(PASSWORD)
        await press("Enter")
        await expect(here.users).to_contain_text("Nobody is coaching or monitoring now")

        said = page.get_by_test_id("announcer")
        await scene.customer_calls_agent("5551234", "1001")
        await scene.customer_calls_agent("5559876", "1003")
        await scene.supervisor_dials("2001", MONITOR, "1003")
        await scene.supervisor_dials("2002", COACH, "1001")
        await expect(here.names).to_have_count(2)
        await expect(said).to_contain_text("Tom Trainer: Coaching Ann Agent")
        for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "End"):
            await press(key)
        await expect(here.entry("Tom Trainer").get_by_role("link")).to_be_focused()
        await press("Enter")
        await expect(page.get_by_test_id("selected-name")).to_have_text("Tom Trainer")

        await press("?")
        await expect(here.question).to_contain_text("Search the users")
        await press("Escape")
        await press("/")
        await page.keyboard.type("monitor")
        await expect(here.names).to_have_text(["Sue Supervisor"])
        await expect(page.get_by_test_id("count")).to_have_text("1 of 2 people")
        await expect(said).to_contain_text("1 of 2 people")
        await press("Escape")
        await expect(here.names).to_have_count(2)
        await expect(page.get_by_role("searchbox")).to_have_value("")
        await page.keyboard.type("tom d")  # in a field a letter is a letter
        await expect(here.question).to_have_count(0)
        await press("Escape")
        await press("Escape")

        await press("d")
        await expect(here.question).to_contain_text("Disconnect Tom Trainer?")
        await press("Enter")  # the harmless answer has the focus
        await expect(here.question).to_have_count(0)
        async with asyncio.timeout(30):  # nobody presses it within the ms in which a dialog closes
            while not await here.question.is_visible():
                await press("D")
        await tab_to(page, "Disconnect")
        await press("Enter")
        await expect(page.get_by_test_id("disconnect-status")).to_contain_text("Confirmed")
        await expect(here.names).to_have_text(["Sue Supervisor"])
        await expect(said).to_contain_text("Tom Trainer is no longer on Ann Agent")

        # whoever has the focus leaves: it goes on to who stands there now
        again = await scene.supervisor_dials("2002", COACH, "1001")
        await expect(here.names).to_have_count(2)
        await page.locator("#content").focus()
        await press("End")
        await press("ArrowDown")
        await expect(here.entry("Tom Trainer").get_by_role("link")).to_be_focused()
        await scene.hangup(again)
        await expect(here.entry("Sue Supervisor").get_by_role("link")).to_be_focused()

        # but who left the list on their own is not drawn back into it
        await page.evaluate("document.activeElement.blur()")
        again = await scene.supervisor_dials("2002", COACH, "1001")
        await expect(here.names).to_have_count(2)
        await scene.hangup(again)
        await expect(here.names).to_have_count(1)
        assert await page.evaluate("document.activeElement === document.body")

        await expect(here.history).to_contain_text("disconnected by Sue Supervisor")
        await tab_to(page, "Segments of Coach")
        await press("Enter")
        await expect(page.get_by_role("table", name="Segments")).to_contain_text("5551234")
        assert await page.evaluate("pointers") == 0


@only22
async def test_order_holds_under_the_hand_and_choices_are_remembered(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    async with visitor(browser, daemon_url) as sue:
        page, here = sue.page, sue.coach_manager()
        await sue.sign_in("sue")
        for agent in ("1001", "1003", "1004"):
            await scene.customer_calls_agent(f"555{agent}", agent)
        await scene.supervisor_dials("2002", MONITOR, "1001")
        await here.entry("Tom Trainer").hover()
        await scene.supervisor_dials("2001", BARGE, "1003")
        # by name Sue comes first, but not while somebody may be about to click
        await expect(here.names).to_have_text(["Tom Trainer", "Sue Supervisor"])
        await expect(here.users).to_contain_text("order held")
        await page.mouse.move(1200, 700)
        await expect(here.names).to_have_text(["Sue Supervisor", "Tom Trainer"])
        order = page.get_by_label("Order of the list")
        await order.select_option("Longest first")
        await expect(here.names).to_have_text(["Tom Trainer", "Sue Supervisor"])
        await order.select_option("By type")
        await expect(here.names).to_have_text(["Sue Supervisor", "Tom Trainer"])
        await scene.originate_spy("2009", (await _channel(scene, "1004")), "qE")
        await expect(here.names).to_have_text(["Sue Supervisor", "PJSIP/2009", "Tom Trainer"])

        await page.get_by_role("button", name="View").click()
        await page.get_by_role("radio", name="Compact").check()
        await page.get_by_role("radio", name="Dark").check()
        await page.get_by_role("checkbox", name=re.compile("Single keys")).uncheck()
        await page.keyboard.press("Escape")
        await here.choose("Tom Trainer")
        await page.reload()
        await here.live()
        await expect(order).to_have_value("type")
        root = page.locator("html")
        await expect(root).to_have_attribute("data-density", "compact")
        await expect(root).to_have_attribute("data-theme", "dark")
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(13, 18, 17)", "dark, although the system is light"
        for key in ("d", "?", "/"):
            await page.keyboard.press(key)
        await expect(here.question).to_have_count(0)
        await expect(page.get_by_role("searchbox")).not_to_be_focused()


async def _channel(scene: Scene, agent: str) -> str:
    names = [channel["Channel"] for channel in await scene.channels()]
    return next(name for name in names if name.startswith(f"PJSIP/{agent}-"))


async def test_a_long_list_draws_only_what_is_in_sight(tmp_path: Path, browser: Browser) -> None:
    user = User(secret=SECRET)
    settings = Settings(
        user, port=0, speed=0, seed=3, agents=220, supervisors=180, supervisions=150
    )
    async with Simulator(settings) as sim:
        await sim.advance(120)
        site = Site(ami_port=sim.port, secret=SECRET)
        async with (
            process(site.write(tmp_path)) as url,
            visitor(browser, url) as ina,
        ):
            page, here = ina.page, ina.coach_manager()
            await ina.sign_in("ina")
            drawn = here.users.locator("li[data-key]")
            await expect(drawn.first).to_be_visible()
            many = int(await drawn.first.get_attribute("aria-setsize") or 0)
            assert many >= 80
            await expect(page.get_by_test_id("count")).to_have_text(f"{many} people")
            assert await drawn.count() < 40
            await page.keyboard.press("ArrowDown")
            await page.keyboard.press("End")
            focused = here.users.locator("li:has(a:focus)")
            await expect(focused).to_have_attribute("aria-posinset", str(many))
            await expect(focused).to_be_in_viewport()
            assert await drawn.count() < 40
            await page.keyboard.press("ArrowUp")
            await expect(focused).to_have_attribute("aria-posinset", str(many - 1))
            name = await focused.locator(".name").inner_text()
            await page.keyboard.press("Enter")
            await expect(page.get_by_test_id("selected-name")).to_have_text(name)
            # whoever opens that link finds the user in the list too
            await page.reload()
            await expect(here.entry(name)).to_be_in_viewport()
