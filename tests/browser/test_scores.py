"""Customers' scores in Chromium: the scale and a file's import, the score on its call, and which
flags were made only when it was there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import ONE_STAGE, PICTURES, process, visitor
from tests.browser.ledger import fill
from tests.browser.looks import look
from tests.browser.teams import people
from tests.kit.daemon import Site
from tests.kit.flagged import Past
from tests.kit.records import alias, call
from tests.kit.roster import nobody
from tests.kit.stores import SqliteStore

pytestmark = ONE_STAGE

MID = 60.0
"""Hours into a week: the same week in every zone."""

WEEKS = (1, 2, 3, 5)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Sue flags what she hears, Cas what the scores show him; Ann reports to Sue."""
    folder = tmp_path_factory.mktemp("scores")
    store = SqliteStore.in_folder(folder / "data")
    past = Past(store)
    calls = []
    for n in range(16):
        started = past.in_week(WEEKS[n % 4], MID + n / 10)
        times = {"started": started, "answered": started + 5_000, "ended": started + 60_000}
        who = {"agent_id": "bob", "agent_name": "Bob Agent"} if n % 2 else {}
        calls.append(call(n, call_id=f"7.{n}", **times, **who))
    (folder / "data").mkdir(mode=0o700, exist_ok=True)
    await fill(
        folder / "data" / "monitord.sqlite3", [*calls, *(alias(c.call_id, c) for c in calls)]
    )
    team = people().replace('name = "Ann Agent"\n', 'name = "Ann Agent"\nleader = "sue"\n')
    site = Site(ami_port=nobody(), secret="s", people=team, store=store)
    async with process(site.write(folder)) as started_url:
        for n, one in enumerate(calls[:14]):
            came = one.started + 3_600_000
            await past.score(one.id, came, 100 * (1 + n % 5))
            about = {"call": one.id, "call_id": one.call_id}
            agent = one.agent_id or ""
            await past.flags(agent, "sue", one.started + 90_000, good=1, **about)
            if n < 7:
                await past.flags(agent, "cas", came + 60_000, bad=1, **about)
        yield started_url


async def pick(page: Page, file: Path) -> None:
    """As people do, by the field's own button."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_label("CSV file").click()
    await (await chooser.value).set_files(file)


@pytest.mark.row("000-53")
async def test_who_flags_only_after_the_score(url: str, shared_browser: Browser) -> None:
    async with visitor(shared_browser, url) as ina:
        await ina.sign_in("ina")
        page = ina.page
        await page.goto(f"{url}/flags/balance")
        part = page.get_by_test_id("after-scores")
        await expect(part).to_be_visible()
        authors = part.get_by_test_id("after-authors")
        cas = authors.filter(has_text="Cas Leader")
        await expect(cas).to_contain_text("7 of 7")
        await expect(cas).to_contain_text("Nearly all after the score")
        sue = authors.filter(has_text="Sue Supervisor")
        await expect(sue).to_contain_text("0 of 14")
        await expect(sue).to_contain_text("Nothing to say")
        leader = part.get_by_test_id("after-leaders").filter(has_text="Sue Supervisor")
        await expect(leader).to_contain_text("4 of 11")
        await expect(part.get_by_test_id("after-agents")).to_have_count(2)
        rows = part.get_by_role("group", name="The numbers of the picture").locator("tbody tr")
        await expect(rows).to_have_count(8)
        assert await look(page, "scores-balance") == []
        await part.scroll_into_view_if_needed()
        await part.screenshot(path=PICTURES / "scores-balance-part.png")
        await page.get_by_label("Who reports to").select_option(label="Sue Supervisor")
        await expect(authors.filter(has_text="Cas Leader")).to_contain_text("4 of 4")
        await expect(authors.filter(has_text="Cas Leader")).to_contain_text("say nothing yet")


async def test_the_scale_and_a_file_with_its_preview(
    url: str, shared_browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "scores.csv"
    async with visitor(shared_browser, url) as ina:
        await ina.sign_in("ina")
        page = ina.page
        await page.goto(f"{url}/settings/scores")
        await expect(page.get_by_role("heading", level=1, name="Scores")).to_be_visible()
        await page.get_by_label("Highest").fill("1")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("greater than the lowest")
        await page.get_by_label("Highest").fill("10")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        wrong = await look(page, "scores-settings")

        lines = ("call;score;reference", "7.14;9;a", "7.0;8;b", "9.9;3;c", "7.1;11;d", ";4;e")
        file.write_text("\n".join(lines))
        await pick(page, file)
        part = page.get_by_test_id("score-import")
        await expect(part.get_by_text("2 lines are left out:")).to_be_visible()
        faults = part.get_by_role("group", name="2 lines are left out:").locator("tbody tr")
        await expect(faults.first).to_contain_text("must be from 1 to 10")
        await expect(faults.last).to_contain_text("must not be empty")
        await expect(part.get_by_text("Nothing is done yet.")).to_be_visible()
        wrong += await look(page, "scores-preview")
        await part.get_by_role("button", name="Import", exact=True).click()
        await expect(part.get_by_text("Done: 3 lines.")).to_be_visible()
        counts = part.locator(".counts tr")
        for row, n in ((0, "1"), (1, "1"), (2, "1"), (3, "0")):
            await expect(counts.nth(row).locator("td")).to_have_text(n)
        wrong += await look(page, "scores-imported")
        await pick(page, file)
        await expect(part.get_by_text("There is nothing new in this file.")).to_be_visible()
        assert wrong == []


async def test_on_the_call_the_score_comes_last(url: str, shared_browser: Browser) -> None:
    async with visitor(shared_browser, url) as ina:
        await ina.sign_in("ina")
        page = ina.page
        await page.goto(f"{url}/live-calls?call={call(3).id}")
        part = page.get_by_test_id("call-scores")
        await expect(part).to_contain_text("4 on a scale from 1 to 5")
        await expect(part).to_contain_text("asked after the call")
        await part.scroll_into_view_if_needed()
        await page.screenshot(path=PICTURES / "scores-call-part.png")
        titles = await page.locator("aside h3").all_inner_texts()
        assert titles[-3:] == ["Recording", "What happened", "What the customer said of it"]
        assert await look(page, "scores-call") == []
        await page.goto(f"{url}/flags")
        some = page.get_by_text("Made when the customer’s score was known")
        await expect(some).to_have_count(7)
