"""The balance of flags in Chromium: pictures with their numbers, advice, and the way to the log."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import PICTURES, process, visitor
from tests.browser.looks import look, violations
from tests.browser.teams import people
from tests.kit.daemon import Site
from tests.kit.flagged import Past
from tests.kit.roster import nobody
from tests.kit.stores import SqliteStore

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

MID = 60.0
"""Hours into a week: the same week in every zone."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder = tmp_path_factory.mktemp("balance")
    store = SqliteStore.in_folder(folder / "data")
    site = Site(ami_port=nobody(), secret="s", people=people(), store=store)
    async with process(site.write(folder)) as started:
        await weeks_of(Past(store))
        yield started


async def weeks_of(past: Past) -> None:
    """Ann's flags are many and good; Bob's few and of late all on what to work on, by Cas; of Cat
    nobody has said anything, and Dora has left."""
    for ago, good, bad in ((0, 13, 4), (1, 8, 3), (2, 7, 2), (3, 5, 4), (5, 6, 1)):
        await past.flags("ann", "sue", past.in_week(ago, MID), good=good, bad=bad)
        await past.calls("ann", past.in_week(ago, MID), 70)
    for ago, good, bad in ((1, 0, 3), (2, 0, 3), (3, 6, 0), (4, 5, 1)):
        await past.flags("bob", "cas", past.in_week(ago, MID), good=good, bad=bad)
        await past.calls("bob", past.in_week(ago, MID), 55)
    await past.calls("cat", past.in_week(1, MID), 40)
    await past.flags(
        *("dora", "sue", past.in_week(4, MID)), good=6, bad=5, agent_name="Dora Departed"
    )
    await past.calls("dora", past.in_week(4, MID), 18)


def agent(page: Page, name: str) -> Locator:
    return page.get_by_test_id("balance-agent").filter(has_text=name)


async def whole(page: Page, name: str) -> None:
    """A picture of what lies below the window's end as well, where the page scrolls by itself."""
    await page.set_viewport_size({"width": 1440, "height": 1700})
    await page.screenshot(path=PICTURES / f"{name}.png")
    await page.set_viewport_size({"width": 1440, "height": 900})


async def open_balance(page: Page) -> None:
    await (
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Flags").first.click()
    )
    await page.get_by_role("link", name="Balance").click()
    await expect(page.get_by_role("heading", level=1, name="Balance of flags")).to_be_visible()


@pytest.mark.row("000-24", "000-29", "000-30")
async def test_share_and_band_as_pictures_with_numbers(url: str, shared_browser: Browser) -> None:
    wrong: list[str] = []
    async with visitor(shared_browser, url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await open_balance(page)
        names = page.get_by_test_id("balance-agent").locator("td:first-child")
        await expect(names).to_have_text(
            [re.compile(n) for n in ("Ann Agent", "Bob Agent", "Cat Agent", "Dora Departed.*no")]
        )
        ann = agent(page, "Ann Agent")
        await expect(ann.locator('td[data-label="This week"]')).to_have_text(
            re.compile(r"17\s*11 last week")
        )
        await expect(ann.locator('td[data-label="On good work"]')).to_have_text(
            re.compile(r"73%\s*39 of 53")
        )
        await expect(ann.locator("svg")).to_have_count(2)
        await expect(ann).to_contain_text("Many flags. More than 15 in a week are too much")
        cat = agent(page, "Cat Agent")
        await expect(cat).to_contain_text("Few flags.")
        await expect(cat).to_contain_text("no flags")
        weeks = page.get_by_role("table", name="Over time").locator("tbody tr")
        await expect(weeks).to_have_count(8)
        await expect(weeks.first).to_have_text(re.compile(r"now\s*13\s*4\s*76%"))
        await expect(page.get_by_role("img", name="Share of good work by week")).to_be_visible()
        wrong += await look(page, "flag-balance")
        await whole(page, "flag-balance-whole")
        await page.mouse.move(700, 700)
        await page.mouse.wheel(0, 5000)
        await expect(page.get_by_role("heading", name="How this is counted")).to_be_in_viewport()
        await page.get_by_role("combobox", name="Order").select_option("advice")
        await expect(names.last).to_have_text("Dora Departed no longer here")
        await page.get_by_role("combobox", name="Time").select_option("26")
        await expect(weeks).to_have_count(26)
        wrong += await look(page, "flag-balance-26-weeks")
        await page.reload()
        await expect(weeks).to_have_count(26)
    assert wrong == []


@pytest.mark.row("000-22", "000-56", "000-57")
async def test_advice_to_whoever_flags(url: str, shared_browser: Browser) -> None:
    async with visitor(shared_browser, url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await open_balance(page)
        authors = page.get_by_test_id("balance-author")
        cas = authors.filter(has_text="Cas Leader")
        await expect(cas).to_contain_text("Only what to work on.")
        await expect(cas).to_contain_text("flag what goes well next")
        await cas.get_by_text("Numbers").click()
        lines = cas.get_by_role("listitem").filter(has_text="on good work")
        await expect(lines).to_have_text(
            [re.compile(x) for x in ("5 of 6", "6 of 6", "0 of 3", "0 of 3")]
        )
        await expect(authors.filter(has_text="Sue")).not_to_contain_text("Only what")
        dora = agent(page, "Dora Departed")
        await expect(dora.locator('td[data-label="Flags per call handled"]')).to_have_text(
            re.compile(r"61%\s*11 in 18 calls")
        )
        await expect(dora).to_contain_text("Most calls are flagged.")
        await expect(dora).to_contain_text("6 more on good work would say what goes well, too")
        wrong = await violations(page)
    assert wrong == []


@pytest.mark.row("000-23")
async def test_from_the_numbers_to_the_agents_log(url: str, shared_browser: Browser) -> None:
    async with visitor(shared_browser, url) as sue:
        page = sue.page
        await sue.sign_in("sue")
        await open_balance(page)
        await page.get_by_role("link", name="Bob Agent: all flags").click()
        await expect(page).to_have_url(re.compile(r"/flags\?agent=bob&state=$"))
        await expect(page.get_by_test_id("flag")).to_have_count(18)
        await expect(page.get_by_role("combobox", name="State")).to_have_value("")


async def test_empty_failed_led_and_a_large_centre(url: str, shared_browser: Browser) -> None:
    wrong: list[str] = []
    expected = re.compile("503")
    async with visitor(shared_browser, url, expected=expected) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await open_balance(page)
        await expect(page.get_by_test_id("balance-agent")).to_have_count(4)
        async with page.expect_response("**/api/v1/flags/balance?*") as asked:
            await page.reload()
        real = await (await asked.value).json()
        told = dict(real)
        status = 200

        async def answer(route: Route) -> None:
            await route.fulfill(status=status, body=json.dumps(told))

        await page.route("**/api/v1/flags/balance?*", answer)
        none = {"good": 0, "bad": 0, "calls": 30}
        told |= {"total": [none] * 8, "authors": []}
        await page.reload()
        await expect(page.get_by_role("main")).to_contain_text("No flags in this time")
        wrong += await look(page, "flag-balance-empty")
        told |= {"agents": []}
        await page.reload()
        await expect(page.get_by_role("main")).to_contain_text("No agents here")
        one = real["agents"][0]
        many = [
            {**one, "who": {"id": f"a{n}", "name": f"Agent {n} of a long name"}} for n in range(500)
        ]
        told = {**real, "agents": many, "more": 1500}
        await page.reload()
        await expect(page.get_by_test_id("balance-agent")).to_have_count(500)
        await expect(page.get_by_role("main")).to_contain_text("there are 1,500 more")
        told = {**real, "leaders": [{"id": "lee", "name": "Lee Lead"}]}
        await page.reload()
        async with page.expect_request(lambda r: "balance?" in r.url and "leader=lee" in r.url):
            await page.get_by_role("combobox", name="Who reports to").select_option("Lee Lead")
        await expect(page).to_have_url(re.compile(r"/flags/balance\?leader=lee$"))
        await page.get_by_role("combobox", name="Who reports to").select_option("Anybody")
        await expect(page).to_have_url(re.compile(r"/flags/balance$"))
        status, told = 503, {"error": "unavailable", "message": "Try later.", "field": None}
        await page.reload()
        await expect(page.get_by_role("main").get_by_role("alert")).to_contain_text(
            "could not be read. Try later."
        )
        await page.unroute("**/api/v1/flags/balance?*")
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_test_id("balance-agent")).to_have_count(4)
    assert wrong == []
