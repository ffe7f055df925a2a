"""Names, numbers and variables from the telephone network that are made to do harm, from the bytes
of AMI to the pixels: nothing of them runs, turns the writing around or breaks the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import ONE_STAGE, Visitor, process, visitor
from tests.kit import hostile
from tests.kit.axe import violations
from tests.kit.daemon import Site

pytestmark = ONE_STAGE

SECRET = "a secret only for tests"
HISTORY = "/quality/quality-assurance/history"


@dataclass
class Place:
    sim: Simulator
    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    given = {"port": 0, "speed": 0, "seed": 7, "agents": 10, "supervisions": 4}
    settings = Settings(user=User(secret=SECRET), **given)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patched:
        hostile.take_over(patched)
        async with Simulator(settings) as sim:
            site = Site(ami_port=sim.port, secret=SECRET)
            site.people = hostile.people()
            async with process(site.write(tmp_path_factory.mktemp("hostile"))) as url:
                yield Place(sim, url)


async def harmless(someone: Visitor) -> str:
    """Nothing ran, nothing was made of a text, nothing sticks out; gives what is to be read."""
    page = someone.page
    assert await page.evaluate("() => window.owned") is None
    for made in ("img[src=x]", "img[src=y]", "svg[onload]", "a[href^=javascript]", "main script"):
        await expect(page.locator(made)).to_have_count(0)
    text: str = await page.evaluate("() => document.body.innerText")
    assert hostile.UNSHOWN.search(text) is None
    titles: list[str] = await page.evaluate(
        "() => [...document.querySelectorAll('[title],[aria-label]')]"
        ".map(e => (e.title ?? '') + (e.ariaLabel ?? ''))"
    )
    assert hostile.UNSHOWN.search("".join(titles)) is None
    outside: list[str] = await page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const wide = (e) => e.getBoundingClientRect().left + e.scrollWidth > width;
          return [...document.querySelectorAll("*")]
            .filter(wide)
            .map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 40)}`);
        }"""
    )
    assert outside == [], " | ".join(outside)
    return text


async def all_users(page: Page) -> None:
    users = page.get_by_role("region", name="Coaching / Monitoring Users", exact=True)
    await expect(users.locator("a.name").first).to_be_visible()


@pytest.mark.fault("injection")
@pytest.mark.parametrize(("width", "rounds"), [(1440, 4), (390, 2)])
async def test_live_and_past(
    place: Place, shared_browser: Browser, width: int, rounds: int
) -> None:
    async with visitor(shared_browser, place.url, width=width) as someone:
        page = someone.page
        await someone.sign_in("ina")
        await all_users(page)
        met = ""
        for _ in range(rounds):  # one supervisor after the other, while calls come and go
            names = page.locator("a.name")
            for n in range(await names.count()):
                await names.nth(n).click(force=True)
                await expect(page.get_by_test_id("selected-name")).to_be_visible()
                met += await harmless(someone)
                if width < 1000:
                    await page.go_back()
                    await all_users(page)
            await place.sim.advance(40)
        if width > 1000:
            await someone.picture(f"hostile-live-{width}")
        assert "<img src=" in met, "it was shown as the text that it is"
        assert "\ufffd" in met, "where something was, something is to be seen"

        for ledger in ("", "?show=calls", "?show=agent-status"):
            await page.goto(f"{place.url}{HISTORY}{ledger}")
            row = page.locator("tr[aria-rowindex]:not([aria-rowindex='1'])").first
            await expect(row).to_be_visible()
            met += await harmless(someone)
            await someone.picture(f"hostile-history{ledger[6:]}-{width}")
        assert hostile.IMAGE in met or hostile.IMAGE.replace("x ", "y ") in met
        if width > 1000:
            assert [v for v in await violations(page) if "contrast" not in v] == []


async def test_a_filter_by_such_a_name(place: Place, shared_browser: Browser) -> None:
    async with visitor(shared_browser, place.url) as someone:
        page = someone.page
        await someone.sign_in("ina")
        await page.goto(f"{place.url}{HISTORY}?show=agent-status")
        box = page.get_by_role("combobox", name="Agent")
        await box.fill("<")
        for name in (hostile.IMAGE, hostile.ANCHOR):
            await expect(page.get_by_role("option", name=name, exact=True)).to_be_visible()
        await harmless(someone)
        await someone.picture("hostile-filter-1440")
        await page.get_by_role("option", name=hostile.IMAGE, exact=True).click()
        await expect(box).to_have_value(hostile.IMAGE)
        rows = page.locator("tr[aria-rowindex]:not([aria-rowindex='1'])")
        await expect(rows.first).to_be_visible()
        await harmless(someone)
