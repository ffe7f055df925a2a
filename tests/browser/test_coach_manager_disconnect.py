"""Disconnect User where it is not plain, and why a value is believed."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import only22, visitor
from tests.lab.scene import BARGE, COACH, MONITOR, Scene

pytestmark = pytest.mark.browser


@only22
async def test_not_confirmed_is_said_with_its_reason(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    """Asterisk lets nobody go who listens to a line without sound."""
    call = await scene.customer_calls_agent("5551234", "1009", silent=True)
    await scene.supervisor_dials("2002", COACH, "1009")
    async with visitor(browser, daemon_url) as sue, visitor(browser, daemon_url) as ina:
        page, here = sue.page, sue.coach_manager()
        await ina.sign_in("ina")
        await sue.sign_in("sue")
        await here.choose("Tom Trainer")
        await here.disconnect.click()
        await here.confirm()
        await expect(page.get_by_test_id("disconnect-status")).to_contain_text("requested")
        others = ina.coach_manager()  # they see who asked for it
        await expect(others.entry("Tom Trainer")).to_contain_text(
            "disconnect requested by Sue Supervisor"
        )
        failed = page.get_by_role("alert").filter(has_text="not confirmed")
        await expect(failed).to_contain_text("sends no sound")
        await expect(here.names).to_have_text(["Tom Trainer"])
        await failed.get_by_role("button", name="Dismiss").click()
        await expect(failed).to_have_count(0)
        await scene.hangup(call.customer)
        await expect(here.names).to_have_count(0)


@only22
async def test_of_several_supervisions_it_asks_which(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    for agent, code in (("1001", MONITOR), ("1003", BARGE)):
        await scene.customer_calls_agent(f"555{agent}", agent)
        await scene.supervisor_dials("2002", code, agent)
    async with visitor(browser, daemon_url) as sue:
        here = sue.coach_manager()
        await sue.sign_in("sue")
        await here.choose("Tom Trainer")
        await expect(here.entry("Tom Trainer").locator(".badge")).to_have_text(["Monitor", "Barge"])
        await expect(here.current.locator(".agent")).to_have_text(["Ann Agent", "Agent 1003"])
        await expect(here.calls.locator("tbody tr")).to_have_count(2)
        await here.disconnect.click()
        await expect(here.question).to_contain_text("Which supervision?")
        await here.question.get_by_role("radio").nth(1).check()
        await here.confirm()
        await expect(sue.page.get_by_test_id("disconnect-status")).to_contain_text(
            "disconnected from Agent 1003"
        )
        await expect(here.entry("Tom Trainer").locator(".badge")).to_have_text(["Monitor"])


@only22
async def test_a_mark_says_why_by_keyboard_too(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    # a customer whom a dialler called has the number that was presented to them
    await scene.customer_calls_agent("5551234", "1001")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    async with visitor(browser, daemon_url) as ina:
        page, here = ina.page, ina.coach_manager()
        await ina.sign_in("ina")
        await here.choose("Tom Trainer")
        mark = here.cell("Phone number").get_by_role("button", name="How this is known")
        await expect(mark).to_be_visible()
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await mark.evaluate("node => node === document.activeElement"):
                break
        tip = page.locator(".tip")
        await expect(tip).to_be_visible()
        said = (await tip.inner_text()).strip()
        assert said and said in (await mark.get_attribute("aria-label") or "")
        await page.keyboard.press("Escape")
        await expect(tip).to_be_hidden()
