"""Settings > Privacy against the real daemon, in real Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import process, visitor
from tests.browser.looks import look
from tests.browser.test_people import choose
from tests.kit.daemon import Site
from tests.kit.roster import MAX, editor, nobody, somebody

pytestmark = pytest.mark.browser

PRIVACY = "/settings/privacy"
REFUSED = re.compile("the server responded with a status of 4")
NUMBER = "+49 30 5558642"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    extra = "[retention]\ncalls = 90\nagent_status = 30\n" + MAX
    extra += somebody("ada", "Ada Auditor", "auditor")
    site = Site(ami_port=nobody(), secret="x", extra=extra)
    async with process(site.write(tmp_path)) as address:
        yield address


async def pick(page: Page, name: str) -> None:
    box = page.get_by_role("combobox", name="Somebody on the roster")
    await box.fill(name)
    await expect(page.get_by_role("option", name=name)).to_have_count(1)
    await box.press("ArrowDown")
    await box.press("Enter")
    await expect(box).to_have_value(name)


async def test_hold_export_and_erase(url: str, browser: Browser) -> None:
    async with editor(url) as max_:
        await max_.done("PATCH", "/people/sid", {"active": False})
    async with visitor(browser, url, expected=REFUSED) as admin:
        await admin.sign_in("max")
        page = admin.page
        await page.goto(f"{url}{PRIVACY}")
        said = page.get_by_role("status").first
        await expect(page.get_by_text("Nothing is held.")).to_be_visible()
        await expect(page.get_by_text("90 days")).to_have_count(2)  # of flags as well
        await expect(page.get_by_text("for ever").first).to_be_visible()
        await expect(page.get_by_text("Nobody was erased yet.")).to_be_visible()

        await page.get_by_role("button", name="Hold something").click()
        dialog = page.get_by_role("dialog")
        await choose(page, "Person", "Sid Silent")
        await dialog.get_by_label("Reason").fill("case 12 of the court")
        assert await look(page, "privacy-hold") == []
        await dialog.get_by_role("button", name="Hold", exact=True).click()
        await expect(said).to_have_text("It is held.")
        held = page.get_by_role("row").filter(has_text="A person: Sid Silent")
        await expect(held).to_contain_text("in force")

        await pick(page, "Sid Silent")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export all that is held on this person").click()
        file = json.loads(Path(await (await download.value).path()).read_text())
        assert (file["id"], file["complete"]) == ("sid", True)

        async def erase(what: str, reason: str) -> None:
            await page.get_by_role("button", name=f"Erase this {what}").click()
            await dialog.get_by_label("Reason").fill(reason)
            await dialog.get_by_role("button", name="Erase", exact=True).click()
            await expect(dialog).to_contain_text("Say that it is to be erased for ever.")
            await dialog.get_by_label("Erase it for ever").check()

        await erase("person", "Sid Silent asked for it")
        await dialog.get_by_role("button", name="Erase", exact=True).click()
        await expect(dialog.get_by_text("Must not tell what is to be erased")).to_be_visible()
        assert await look(page, "privacy-erase") == []
        await dialog.get_by_label("Reason").fill("asked for it by letter")
        await dialog.get_by_role("button", name="Erase", exact=True).click()
        await expect(dialog).to_contain_text("hold must be lifted")
        await dialog.get_by_role("button", name="Cancel").click()

        await page.get_by_role("button", name="Lift the hold on A person: Sid Silent").click()
        await dialog.get_by_role("button", name="Lift", exact=True).click()
        await expect(held).to_contain_text("by Max Minder")
        await erase("person", "asked for it by letter")
        await dialog.get_by_role("button", name="Erase", exact=True).click()
        await expect(said).to_contain_text("It is erased.")
        await expect(page.get_by_role("row").filter(has_text="Erased person")).to_be_visible()
        await expect(page.get_by_text("Sid Silent")).to_have_count(0)

        await page.get_by_label("A customer’s number").fill(NUMBER)
        await erase("number", "asked for it by letter")
        await dialog.get_by_role("button", name="Erase", exact=True).click()
        await expect(page.get_by_role("row").filter(has_text="a number")).to_be_visible()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download the receipt").first.click()
        receipt = json.loads(Path(await (await download.value).path()).read_text())
        assert json.loads(receipt["receipt"])["erased"] == "number" and receipt["signature"]
        assert await look(page, "privacy") == []

        await pick(page, "Ann Agent")
        await page.get_by_role("button", name="Erase this person").click()
        await expect(page.get_by_text("Only somebody who has left can be erased")).to_be_visible()
    async with visitor(browser, url) as auditor:
        await auditor.sign_in("ada")
        await auditor.page.goto(f"{url}{PRIVACY}")
        await expect(auditor.page.get_by_role("button", name=re.compile("Export"))).to_have_count(2)
        await expect(
            auditor.page.get_by_role("button", name=re.compile("Erase|Hold"))
        ).to_have_count(0)
    async with visitor(browser, url) as viewer:
        await viewer.sign_in("ina")
        await expect(viewer.page.get_by_role("link", name="Privacy")).to_have_count(0)
        await viewer.page.goto(f"{url}{PRIVACY}")
        await expect(viewer.page.get_by_text("Your role does not allow you")).to_be_visible()
