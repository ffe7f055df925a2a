"""Settings > People > Import, and a roster of thousands, in Chromium with the real daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import ONE_STAGE, visitor
from tests.browser.looks import look
from tests.browser.people import Here, open_as, roster_page, row_of
from tests.kit.roster import ROSTER, editor

pytestmark = ONE_STAGE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    async with roster_page(tmp_path_factory.mktemp("people")) as started:
        yield started


async def pick(page: Page, file: Path) -> None:
    """As people do, by the field's own button."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_label("File", exact=True).click()
    await (await chooser.value).set_files(file)


async def test_a_file_is_previewed_and_then_taken_over(
    here: Here, shared_browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    async with visitor(shared_browser, here.url) as admin:
        page = await open_as(admin, "max", "?part=import")
        await expect(page.get_by_role("region", name="What it would do")).to_be_visible()
        wrong = await look(page, "people-import")
        file.write_text("id;name;team;cadence\nann;Ann Other;Care;daily\n;Zoë New;Care;\n")
        await pick(page, file)
        faults = page.get_by_role("region", name="3 faults")
        await expect(faults.locator("tr").nth(1)).to_contain_text("cadence")
        await expect(faults.locator("tr").nth(1)).to_contain_text("weekly, bi-weekly, monthly")
        await expect(page.get_by_role("button", name="Take it over")).to_have_count(0)
        wrong += await look(page, "people-import-faults")

        file.write_text("id;name;team;cadence\nann;Ann Other;Care;monthly\n;Zoë New;Care;\n")
        await pick(page, file)
        await page.get_by_label("Make teams that do not exist yet").check()
        await expect(page.get_by_text("New teams: Care.")).to_be_visible()
        steps = page.get_by_role("region", name="What it would do")
        await expect(steps.locator("tr").nth(1)).to_contain_text("Ann Agent → Ann Other")
        wrong += await look(page, "people-import-preview")
        async with editor(here.url) as one:
            assert (await one.person("ann"))["name"] == "Ann Agent", "nothing is done yet"
        await page.get_by_role("button", name="Take it over").click()
        await expect(page.get_by_text("Taken over: 1 new, 1 changed.")).to_be_visible()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Export the roster as CSV").click()
        saved = tmp_path / "export.csv"
        await (await download.value).save_as(saved)
        assert "ann,Ann Other,care," in saved.read_text("utf-8-sig")
        await page.get_by_role("link", name="People", exact=True).last.click()
        await expect(row_of(page, "Zoë New")).to_contain_text("Care")
    assert wrong == []


async def test_thousands_by_the_keyboard(here: Here, shared_browser: Browser) -> None:
    lines = "".join(f"Agent Number {n:04},PJSIP/5{n:04}\n" for n in range(2_000))
    file = f"name,endpoints\n{lines}".encode()
    async with editor(here.url) as one:
        _, shown = await one.ask("POST", "/import/preview", file)
        await one.done("POST", "/import", file, token=shown["token"])
        rows, page_of_rows = 0, {"limit": "2000"}
        while True:
            found = await one.client.get(f"{ROSTER}/people", **page_of_rows)
            rows += sum(person["active"] for person in found["rows"])
            if found["next"] is None:
                break
            page_of_rows["cursor"] = found["next"]
    async with visitor(shared_browser, here.url) as admin:
        page = await open_as(admin, "max")
        table = page.get_by_role("table")
        await expect(table).to_have_attribute("aria-rowcount", str(rows + 1))
        assert await page.locator("tr[aria-rowindex]").count() < 200, "only those in sight"
        await page.locator("body").press("/")
        await expect(page.get_by_label("Search", exact=True)).to_be_focused()
        await page.keyboard.type("PJSIP/51234")
        await expect(table).to_have_attribute("aria-rowcount", "2")
        await expect(page.get_by_role("status").filter(has_text="of")).to_have_text(
            f"1 of {rows:,}"
        )
        await page.get_by_role("button", name="Change Agent Number 1234").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
