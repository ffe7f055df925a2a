"""Settings > People as tests see it: a daemon on the simulated centre, its table and its forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import Visitor, process
from tests.kit.centre import SECRET
from tests.kit.daemon import Site
from tests.kit.roster import MAX

PEOPLE = "/settings/people"
REFUSED = re.compile("the server responded with a status of 4|net::ERR_FAILED")
"""The browser's own words on a refusal, or no answer, that the test is about."""


@dataclass(frozen=True)
class Here:
    url: str
    database: Path


@asynccontextmanager
async def roster_page(folder: Path) -> AsyncIterator[Here]:
    """A daemon on a simulated centre whose agents mostly are on nobody's roster."""
    given = {"port": 0, "speed": 0, "seed": 7, "silent_share": 0.0, "agents": 12}
    async with Simulator(Settings(user=User(secret=SECRET), **given)) as sim:  # type: ignore[arg-type]
        site = Site(ami_port=sim.port, secret=SECRET, extra=MAX)
        async with process(site.write(folder)) as url:
            yield Here(url, folder / "data" / "monitord.sqlite3")


async def open_as(browser_visitor: Visitor, login: str, part: str = "") -> Page:
    """Signs in where they want to go."""
    page, url = browser_visitor.page, f"{browser_visitor.url}{PEOPLE}{part}"
    await page.goto(url)
    await browser_visitor.fill_in(login)
    await page.wait_for_url(url)
    return page


def row_of(page: Page, name: str) -> Locator:
    return page.locator("tr[aria-rowindex]").filter(has_text=name)


async def save(page: Page, button: str = "Save") -> None:
    await page.get_by_role("dialog").last.get_by_role("button", name=button, exact=True).click()


async def choose(page: Page, field: str, name: str) -> None:
    """Somebody in a field for people, by the keyboard."""
    box = page.get_by_role("dialog").last.get_by_role("combobox", name=field)
    await box.fill(name)
    await expect(page.get_by_role("option", name=name)).to_have_count(1)
    await box.press("ArrowDown")
    await box.press("Enter")
    await expect(box).to_have_value(name)
