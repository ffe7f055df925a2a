"""The Coach Manager page: real Chromium, real daemon, real Asterisk."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visitor
from tests.lab.scene import COACH, MONITOR, Scene

pytestmark = pytest.mark.browser

SECTIONS = [
    "Coaching / Monitoring Users",
    "Selected User",
    "Currently Coaching / Monitoring",
    "Users",
    "Coaching / Monitoring History",
]


@pytest.mark.row("003-05", "003-11", "003-17")
async def test_appears_is_disconnected_and_is_in_the_history(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    async with visitor(browser, daemon_url) as sue:
        page = sue.page
        await sue.sign_in("sue")
        users = page.get_by_role("region", name="Coaching / Monitoring Users")
        await expect(users).to_contain_text("Nobody is coaching or monitoring now")
        await expect(page.get_by_role("button", name="Disconnect User")).to_have_count(0)

        call = await scene.customer_calls("5551234", campaign="spring", list_="L7")
        await scene.supervisor_dials("2002", COACH, "1001")
        name = users.get_by_role("link", name="Tom Trainer").or_(
            users.get_by_role("button", name="Tom Trainer")
        )
        await expect(name).to_be_visible()
        await expect(users).to_contain_text("Coach")
        await name.click()
        await scene.set_var(call.customer, "RESULT", "CALLBACK")

        call_table = page.get_by_role("region", name="Users", exact=True)
        for value in ("5551234", "spring", "L7", "CALLBACK", call.customer):
            await expect(call_table).to_contain_text(value)
        current = page.get_by_role("region", name="Currently Coaching / Monitoring")
        await expect(current).to_contain_text("Ann Agent")
        await expect(current).to_contain_text("in call")
        selected = page.get_by_role("region", name="Selected User")
        await expect(selected).to_contain_text("Tom Trainer")
        await sue.picture("coach-manager-live")

        await page.get_by_role("button", name="Disconnect User").click()
        question = page.get_by_role("dialog")
        for value in ("Tom Trainer", "Ann Agent", "Coach", "go on talking"):
            await expect(question).to_contain_text(value)
        await question.get_by_role("button", name="Disconnect", exact=True).click()
        await expect(page.get_by_text("Confirmed by Asterisk")).to_be_visible()
        await expect(users).to_contain_text("Nobody is coaching or monitoring now")
        await expect(page.get_by_role("button", name="Disconnect User")).to_have_count(0)
        await expect(selected).to_contain_text("The supervision")
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent}, "the call itself goes on"

        history = page.get_by_role("region", name="Coaching / Monitoring History")
        row = history.get_by_role("row").filter(has_text="Ann Agent")
        await expect(row).to_have_count(1)
        for value in ("Coach", "Ann Agent", "spring"):
            await expect(row).to_contain_text(value)
        await expect(row).not_to_contain_text("running")
        await sue.picture("coach-manager-ended")
        await page.reload()
        await expect(selected).to_contain_text("Tom Trainer")
        await expect(history.get_by_role("row").filter(has_text="Ann Agent")).to_have_count(1)


@pytest.mark.row("003-06", "003-07", "003-08")
async def test_five_sections_under_their_menu_path(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    async with visitor(browser, daemon_url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        menu = page.get_by_role("navigation").first
        await expect(menu).to_contain_text(
            re.compile(r"Quality\W*Quality Assurance\W*Coach Manager", re.DOTALL)
        )
        titles = page.get_by_role("main").get_by_role("heading", level=2)
        await expect(titles).to_have_text(SECTIONS)
        boxes = [
            await page.get_by_role("region", name=s, exact=True).bounding_box() for s in SECTIONS
        ]
        first, *others = boxes
        assert first is not None
        for box in others:
            assert box is not None and box["x"] >= first["x"] + first["width"]


@pytest.mark.row("003-15", "003-20")
async def test_who_may_only_see_gets_no_disconnect(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    call = await scene.customer_calls("5551234")
    await scene.supervisor_dials("2001", MONITOR, "1001")
    async with visitor(browser, daemon_url) as ina, visitor(browser, daemon_url) as sue:
        for someone in (ina, sue):
            login = "ina" if someone is ina else "sue"
            await someone.sign_in(login)
            await someone.page.get_by_text("Sue Supervisor", exact=True).first.click()
            current = someone.page.get_by_role("region", name="Currently Coaching / Monitoring")
            await expect(current).to_contain_text("Ann Agent")
        button = "Disconnect User"
        await expect(sue.page.get_by_role("button", name=button)).to_be_enabled()
        await expect(ina.page.get_by_role("button", name=button)).to_have_count(0)
    await scene.hangup(call.customer)
