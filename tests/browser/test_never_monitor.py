"""Never monitor and a payment in progress in Chromium, on real Asterisk."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import process, visitor
from tests.browser.looks import look
from tests.browser.teams import site_with_teams
from tests.kit.daemon import password_hash
from tests.lab.scene import COACH, Scene

pytestmark = pytest.mark.browser

ADMINISTRATOR = f"""
[[people]]
id = "ada"
name = "Ada Administrator"
login = "ada"
role = "administrator"
password_hash = "{password_hash()}"
"""


async def test_nobody_may_listen(scene: Scene, tmp_path: Path, browser: Browser) -> None:
    wrong: list[str] = []
    site = site_with_teams(scene)
    site.people += ADMINISTRATOR
    async with (
        process(site.write(tmp_path)) as url,
        visitor(browser, url) as ada,
        visitor(browser, url) as sue,
        visitor(browser, url) as max_,
    ):
        await sue.sign_in("sue")
        await sue.coach_manager().live()
        call = await scene.customer_calls_agent("5551234", "1001")
        await scene.supervisor_dials("2001", COACH, "1001")
        entry = sue.coach_manager().entry("Sue Supervisor")
        await expect(entry).to_be_visible()
        alerts = sue.page.get_by_role("region", name="Alerts")
        await expect(alerts).to_have_count(0)

        # --- a payment: said to whoever listens, and to everybody who sees it
        await scene.says_paying(call.agent, on=True)
        await expect(entry).to_contain_text("Payment in progress")
        await entry.get_by_role("link").click()
        current = sue.page.get_by_role("region", name="Currently Coaching / Monitoring")
        await expect(current).to_contain_text("Somebody on this call pays now.")
        await expect(alerts).to_contain_text("During a payment:")
        wrong += await look(sue.page, "payment")
        await scene.says_paying(call.agent, on=False)
        await expect(entry).not_to_contain_text("Payment in progress")
        await expect(current).not_to_contain_text("Somebody on this call pays now.")
        await alerts.get_by_role("button", name="Acknowledge").click()
        await expect(alerts).to_have_count(0)

        # --- the list
        await ada.sign_in("ada")
        page = ada.page
        await page.get_by_role("link", name="Never monitor").click()
        await expect(page.get_by_text("Nobody is on the list")).to_be_visible()
        wrong += await look(page, "never-monitor-empty")
        await page.get_by_role("button", name="Add to the list").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Add to the list").click()
        await expect(dialog).to_contain_text("Choose somebody of the roster.")
        await expect(dialog).to_contain_text("Say why")
        await dialog.get_by_role("combobox", name="Person").fill("Ann")
        await dialog.get_by_role("option", name="Ann Agent").click()
        await dialog.get_by_label("Reason").fill("Works council")
        wrong += await look(page, "never-monitor-add")
        await dialog.get_by_role("button", name="Add to the list").click()
        row = page.get_by_role("row", name="Ann Agent")
        await expect(row).to_contain_text("Works council")
        await expect(page.get_by_role("status").first).to_contain_text("Ann Agent is on the list.")
        # At once, on the page of who listens.
        await expect(alerts).to_contain_text("Nobody may listen to this agent: Works council.")
        await expect(entry).to_contain_text("nobody may listen here")
        await page.get_by_role("button", name="Add to the list").click()
        await dialog.get_by_label("A customer’s number").check()
        await dialog.get_by_role("textbox", name="Number").fill("+49 30 555-1234")
        await dialog.get_by_label("Reason").fill("Doctor, who calls from the practice")
        await dialog.get_by_role("button", name="Add to the list").click()
        await expect(page.get_by_role("row", name="•••34")).to_be_visible()
        assert "5551234" not in await page.content(), "an administrator sees no whole number"
        wrong += await look(page, "never-monitor")

        # --- who may only see it
        await max_.sign_in("max")
        await max_.page.get_by_role("link", name="Never monitor").click()
        await expect(max_.page.get_by_role("row", name="Ann Agent")).to_be_visible()
        await expect(max_.page.get_by_role("button", name="Take")).to_have_count(0)
        await expect(max_.page.get_by_role("button", name="Add to the list")).to_have_count(0)
        await expect(sue.page.get_by_role("link", name="Never monitor")).to_have_count(0)
        await sue.page.goto(f"{url}/settings/never-monitor")
        await expect(sue.page.get_by_role("main")).to_contain_text("You may not see this page")

        # --- taken off again
        await page.get_by_role("button", name="Take off the list: Ann Agent").click()
        await dialog.get_by_role("button", name="Take off the list").click()
        await expect(page.get_by_role("row", name="Ann Agent")).to_have_count(0)
        await scene.hangup(call.customer)
    assert not wrong, "\n".join(wrong)
