"""Views of the list of users in Chromium: mine, all that I may see, saved and shared ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import only22, process, visitor
from tests.browser.looks import look
from tests.browser.teams import site_with_teams
from tests.lab.scene import MONITOR, Scene

pytestmark = [pytest.mark.browser]


@only22
@pytest.mark.row("000-08", "000-10")
async def test_a_supervisor_opens_their_own_view_and_it_is_remembered(
    scene: Scene, tmp_path: Path, browser: Browser
) -> None:
    wrong: list[str] = []
    async with process(site_with_teams(scene).write(tmp_path)) as url:
        async with visitor(browser, url) as sue:
            page, here = sue.page, sue.coach_manager()
            view = page.get_by_label("View", exact=True)
            await sue.sign_in("sue")
            await expect(view).to_have_value("mine")
            sales = await scene.customer_calls_agent("5551234", "1001")
            care = await scene.customer_calls_agent("5559876", "1003")
            await scene.supervisor_spies("2009", "PJSIP/1003-")
            # Somebody else's team: not hers, and said so.
            await expect(here.users).to_contain_text("1 more under “All I may see”")
            wrong += await look(page, "views-mine-empty")
            await scene.supervisor_dials("2002", MONITOR, "1001")
            await expect(here.names).to_have_text(["Tom Trainer"])
            # What she carries out herself is hers as well.
            other = await scene.customer_calls_agent("5550000", "1004")
            await scene.supervisor_dials("2001", MONITOR, "1004")
            await expect(here.names).to_have_text(["Sue Supervisor", "Tom Trainer"])
            await view.select_option("All I may see")
            await expect(here.names).to_have_text(["Lee Lead", "Sue Supervisor", "Tom Trainer"])
            await expect(page).to_have_url(re.compile("view=all"))
            await page.get_by_role("searchbox").fill("trainer")
            await page.get_by_role("button", name="Saved", exact=True).click()
            dialog = page.get_by_role("dialog", name="Saved views")
            await dialog.get_by_label("Name").fill("The trainer")
            await dialog.get_by_label("Share with everybody").check()
            wrong += await look(page, "views-save")
            await dialog.get_by_role("button", name="Save this view").click()
            await expect(view.locator("option:checked")).to_have_text("The trainer")
            await expect(here.names).to_have_text(["Tom Trainer"])
        # Another browser of hers: what she chose last, and the address goes before it.
        async with visitor(browser, url) as again:
            page, here = again.page, again.coach_manager()
            await again.sign_in("sue")
            view = page.get_by_label("View", exact=True)
            await expect(view.locator("option:checked")).to_have_text("The trainer")
            await expect(here.names).to_have_text(["Tom Trainer"])
            await page.goto(f"{url}/quality/quality-assurance/coach-manager?view=mine")
            await expect(view).to_have_value("mine")
            await expect(here.names).to_have_text(["Sue Supervisor", "Tom Trainer"])
            await here.choose("Tom Trainer")
            await expect(view).to_have_value("mine")
            await page.goto(f"{url}/quality/quality-assurance/coach-manager?view=nothing")
            await expect(here.users).to_contain_text("is not there (any more)")
        # A QA manager sees everybody at first, and may use what is shared.
        async with visitor(browser, url) as ina:
            page, here = ina.page, ina.coach_manager()
            await ina.sign_in("ina")
            view = page.get_by_label("View", exact=True)
            await expect(view).to_have_value("all")
            await view.select_option("The trainer (Sue Supervisor)")
            await expect(here.names).to_have_text(["Tom Trainer"])
            # One of her own, which she takes away again.
            saved = page.get_by_role("button", name="Saved", exact=True)
            dialog = page.get_by_role("dialog", name="Saved views")
            await saved.click()
            await expect(dialog).to_contain_text("You have saved no view yet.")
            await dialog.get_by_label("Name").fill("Mornings")
            await dialog.get_by_role("button", name="Save this view").click()
            await expect(view.locator("option:checked")).to_have_text("Mornings")
            await saved.click()
            await dialog.get_by_role("button", name="Remove Mornings").click()
            await expect(dialog).to_contain_text("You have saved no view yet.")
            await expect(view).to_have_value("all")
        for call in (sales, care, other):
            await scene.hangup(call.customer)
    assert wrong == []
