"""The team view in Chromium: real daemon, real Asterisk; and a list of 2,000 agents."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import only22, process, visitor
from tests.browser.looks import look, violations
from tests.browser.teams import people, site_with_teams
from tests.kit.daemon import Site
from tests.kit.roster import nobody
from tests.lab.scene import Scene

pytestmark = pytest.mark.browser
without_pbx = pytest.mark.asyncio(loop_scope="module")


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Team").locator("tbody[data-key]").filter(has_text=name)


async def open_team(page: Page) -> None:
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Team").click()
    await expect(page.get_by_role("heading", level=1, name="Team")).to_be_visible()


@only22  # tests/asterisk shows on both that statuses, calls and supervisions are what they are
async def test_agents_with_their_day(scene: Scene, tmp_path: Path, browser: Browser) -> None:
    wrong: list[str] = []
    async with (
        process(site_with_teams(scene).write(tmp_path)) as url,
        visitor(browser, url) as ina,
    ):
        page = ina.page
        await ina.sign_in("ina")
        await open_team(page)
        ann = row(page, "Ann Agent")
        await expect(ann).to_contain_text("never")
        call = await scene.customer_calls_agent("5551234", "1001")
        spyer = await scene.supervisor_spies("2009", "PJSIP/1001-")
        await expect(ann).to_contain_text("in call")
        await expect(ann).to_contain_text(re.compile(r"Monitor\s*now, by\s*Lee Lead"))
        wrong += await look(page, "team-live")
        supervised = ann.locator('td[data-label="Supervised today"]')
        await expect(supervised).to_have_text(re.compile(r"^0:0[1-9]\s*$"))  # it runs
        await scene.hangup(spyer)
        await scene.hangup(call.customer)
        # Counted by the server, which is asked again by itself.
        await expect(ann).to_contain_text(re.compile(r"Monitor\s*by Lee Lead,"))
        await expect(ann.locator('td[data-label="Calls today"]')).to_have_text("1")
        await expect(supervised).to_have_text(re.compile(r"^0:0[1-9]\s*$"))
        groups = page.locator("tr.group")
        await expect(groups.first).to_contain_text("care")
        await page.get_by_role("searchbox").fill("sales")
        await expect(page.get_by_test_id("team-count")).to_have_text(re.compile("^1 of"))
        await page.get_by_role("searchbox").fill("zzz")
        await expect(page.get_by_role("main")).to_contain_text("No agent matches “zzz”.")
        wrong += await violations(page)
        await page.get_by_role("button", name="Clear the search").click()
        await page.get_by_label("Order of the agents").select_option("heard")
        await ann.get_by_role("link", name="Ann Agent: history").click()
        await expect(page).to_have_url(re.compile(r"/history\?agent=ann"))
        await expect(page.get_by_role("main")).to_contain_text("Lee Lead")
    assert wrong == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A daemon without a PBX, for what needs none."""
    site = Site(ami_port=nobody(), secret="s", people=people())
    async with process(site.write(tmp_path_factory.mktemp("team"))) as started:
        yield started


@without_pbx
async def test_only_the_own_team_and_nobody_who_may_not(url: str, shared_browser: Browser) -> None:
    expected = re.compile("403")
    async with (
        visitor(shared_browser, url) as cas,
        visitor(shared_browser, url, expected=expected) as auditor,
    ):
        await cas.sign_in("cas")
        await open_team(cas.page)
        names = cas.page.locator('td[role="cell"]:first-child')
        await expect(names).to_have_text(["Bob Agent", "Cat Agent"])
        await expect(cas.page.locator("tr.group")).to_have_count(0)
        await auditor.sign_in("max")
        menu = auditor.page.get_by_role("navigation", name="Main")
        await expect(menu.get_by_role("link", name="Coach Manager")).to_be_visible()
        await expect(menu.get_by_role("link", name="Team")).to_have_count(0)
        await auditor.page.goto(f"{url}/team")
        await expect(auditor.page.get_by_role("main")).to_contain_text(
            "Your role does not allow you to see the team view."
        )


@without_pbx
async def test_two_thousand_agents_and_none(url: str, shared_browser: Browser) -> None:
    wrong: list[str] = []
    async with visitor(shared_browser, url, expected=re.compile("503")) as ina:
        page = ina.page
        await ina.sign_in("ina")
        agents = [
            {"id": f"a{n}", "name": f"Agent {n}", "team": f"t{n % 10}", "calls": n % 40,
             "supervised_ms": n * 1000, "last": None}
            for n in range(2000)
        ]  # fmt: skip
        teams = [{"id": f"t{n}", "name": f"Team {n}"} for n in range(10)]
        many = {"at": 1_790_000_000_000, "begin": 1_789_950_000_000, "teams": teams}

        async def answer(route: Route) -> None:
            await route.fulfill(body=json.dumps({**many, "agents": agents}))

        await page.route("**/api/v1/team?*", answer)
        await open_team(page)
        await expect(page.get_by_test_id("team-count")).to_have_text("2,000 agents")
        table = page.get_by_role("table", name="Team")
        await expect(table).to_have_attribute("aria-rowcount", "2011")
        assert await page.locator("tbody[data-key]").count() < 120
        await table.locator("a").first.focus()
        last = row(page, "Agent 1999")
        async with asyncio.timeout(30):
            while not await last.is_visible():  # what was guessed of the heights is put right
                await page.keyboard.press("End")
        await expect(table.get_by_role("columnheader").first).to_be_in_viewport()
        await page.get_by_role("searchbox").fill("agent 1777")
        await expect(page.get_by_test_id("team-count")).to_have_text("1 of 2,000 agents")

        agents = []
        await page.reload()
        await expect(page.get_by_role("main")).to_contain_text("Nobody is in your reach yet")
        wrong += await look(page, "team-empty")

        async def fail(route: Route) -> None:
            body = json.dumps({"error": "unavailable", "message": "Try later.", "field": None})
            await route.fulfill(status=503, body=body)

        await page.unroute("**/api/v1/team?*")
        await page.route("**/api/v1/team?*", fail)
        await page.reload()
        await expect(page.get_by_role("main")).to_contain_text("The team could not be loaded.")
        wrong += await look(page, "team-failed")
        await page.unroute("**/api/v1/team?*")
        await page.get_by_role("button", name="Try again").click()
        await expect(row(page, "Ann Agent")).to_be_visible()
    assert wrong == []
