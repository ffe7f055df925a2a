"""Live calls in Chromium, on a simulated call centre: whose they are, the panel that tells what
happened on one, and a flag on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from monitord.domain.words import AgentStatus, EndReason, SpyType
from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import ONE_STAGE, process, visitor
from tests.browser.ledger import MINUTE, daemon_on, fill, now
from tests.browser.looks import look, violations
from tests.kit.centre import SECRET
from tests.kit.daemon import Site
from tests.kit.records import alias, call, gap, segment, status, supervision
from tests.kit.roster import nobody
from tests.kit.teams import AGENTS_AT_ALL, SUPERVISORS_AT_ALL, people

pytestmark = ONE_STAGE

SAYS = "Let her finish at “I just want it cancelled”, then offered the refund unasked."
EVERYBODY = people().replace('login = "sue"', 'scope = "all"\nlogin = "sue"')
"""Sue is of team alpha, and may see everybody."""

HERS = re.compile("ALPHA|SUE|LEA|QAL")


@dataclass
class Place:
    sim: Simulator
    url: str


@asynccontextmanager
async def centre(folder: Path, **more: int) -> AsyncIterator[Place]:
    """Its time stands still but for what a test lets pass."""
    given = {"port": 0, "speed": 0, "seed": 7, "silent_share": 0.0, **more}
    async with Simulator(Settings(user=User(secret=SECRET), **given)) as sim:  # type: ignore[arg-type]
        await sim.advance(120)
        site = Site(ami_port=sim.port, secret=SECRET, people=EVERYBODY)
        async with process(site.write(folder)) as url:
            yield Place(sim, url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("live-calls")
    few = {"agents": AGENTS_AT_ALL, "supervisors": SUPERVISORS_AT_ALL}
    async with centre(folder, **few, supervisions=SUPERVISORS_AT_ALL) as made:
        yield made


def cards(page: Page) -> Locator:
    return page.get_by_test_id("live-call")


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary").or_(page.locator("dialog.panel-over"))


async def open_calls(page: Page) -> None:
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Live calls").click()
    await expect(page.get_by_role("heading", level=1, name="Live calls")).to_be_visible()
    await expect(cards(page).first).to_be_visible()


KEYS = "all => all.map(one => one.dataset.key)"


async def talking(place: Place, page: Page, *, heard: bool = False) -> Locator:
    """The card of the first call that talks, and to which somebody listens if so wanted; of that
    call also when others stand before it."""
    wanted = cards(page).filter(has_text="talking").filter(has_text=re.compile("ALPHA|BETA"))
    if heard:
        wanted = wanted.filter(has_text=re.compile("Monitor|Coach|Barge"))
    for _ in range(200):
        if await wanted.count():
            key = await wanted.first.evaluate("card => card.closest('li').dataset.key")
            return page.locator(f'li[data-key="{key}"]').get_by_test_id("live-call")
        await place.sim.advance(3)
        await page.wait_for_timeout(50)
    raise AssertionError("nobody talks")


@pytest.mark.row("000-08", "000-10", "000-11")
async def test_their_own_view_remembered_and_live_while_they_flag(
    place: Place, shared_browser: Browser
) -> None:
    async with visitor(shared_browser, place.url) as sue:
        page = sue.page
        view = page.get_by_label("View", exact=True)
        await sue.sign_in("sue")
        await open_calls(page)
        await expect(view).to_have_value("mine")
        await expect(page).to_have_title("Live calls · monitord")
        for text in await cards(page).all_inner_texts():
            assert HERS.search(text), text
        await view.select_option("All I may see")
        await expect(cards(page).filter(has_text="BETA").first).to_be_visible()
        every = [text for text in await cards(page).all_inner_texts() if not HERS.search(text)]
        assert every, "there is more than hers"
        await expect(page).to_have_url(re.compile(r"/live-calls\?view=all"))

        await view.select_option("Mine")
        await page.get_by_label("With a listener").check()
        await page.get_by_role("button", name="Saved", exact=True).click()
        dialog = page.get_by_role("dialog", name="Saved views")
        await dialog.get_by_label("Name").fill("Mine, heard")
        await dialog.get_by_role("button", name="Save this view").click()
        await expect(view.locator("option:checked")).to_have_text("Mine, heard")

    async with visitor(shared_browser, place.url) as again:
        page = again.page
        await again.sign_in("sue")
        await open_calls(page)
        view = page.get_by_label("View", exact=True)
        await expect(view.locator("option:checked")).to_have_text("Mine, heard")
        await expect(page.get_by_label("With a listener")).to_be_checked()
        # Coach Manager's own choice is another one.
        menu = page.get_by_role("navigation", name="Main")
        await menu.get_by_role("link", name="Coach Manager").click()
        await expect(view).to_have_value("mine")
        await menu.get_by_role("link", name="Live calls").click()
        await view.select_option("All I may see")
        await expect(page.get_by_label("With a listener")).not_to_be_checked()

        card = await talking(place, page)
        await card.locator("a.name").focus()
        await page.keyboard.press("f")
        composer = page.get_by_role("dialog", name=re.compile("^Flag a moment"))
        await composer.get_by_label("What did you notice?").fill("Half a sent")
        await composer.get_by_label("What did you notice?").focus()
        before = await page.locator("li[data-key]").evaluate_all(
            "all => all.map(x => x.dataset.key)"
        )
        for _ in range(200):
            await place.sim.advance(5)
            later = await page.locator("li[data-key]").evaluate_all(KEYS)
            if set(later) - set(before):
                break
            await page.wait_for_timeout(50)
        assert set(later) - set(before), "calls came while the flag was written"
        await expect(composer.get_by_label("What did you notice?")).to_have_value("Half a sent")
        await composer.get_by_role("button", name="Throw it away").click()


@pytest.mark.row("000-12", "000-13", "000-14")
async def test_a_card_opens_the_panel_that_tells_the_call(
    place: Place, shared_browser: Browser
) -> None:
    wrong: list[str] = []
    async with visitor(shared_browser, place.url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await open_calls(page)
        await expect(page.get_by_label("View", exact=True)).to_have_value("all")
        await ina.picture("live-calls-cards")
        card = await talking(place, page, heard=True)
        name = await card.locator("a.name").inner_text()
        key = await card.evaluate("card => card.closest('li').dataset.key")
        said = await card.locator("dd").all_inner_texts()
        await card.click(position={"x": 300, "y": 8})
        aside = page.get_by_role("complementary", name=f"Call of {name}")
        await expect(aside).to_be_visible()
        await expect(page).to_have_url(re.compile(f"call={key}"))
        box, whole = await aside.bounding_box(), page.viewport_size
        assert box and whole and box["x"] > whole["width"] / 2, "at the right"
        assert box["x"] + box["width"] == whole["width"]
        # Number, campaign, list and result as on the card; who listens; and the story.
        for value in said[2:6]:
            await expect(aside).to_contain_text(value)
        await expect(aside.get_by_role("region", name="Who listens now")).to_contain_text(
            re.compile("Monitor|Coach|Barge")
        )
        story = aside.get_by_test_id("call-story")
        await expect(story.get_by_role("listitem").first).to_contain_text("The call")
        await expect(story).to_contain_text(re.compile("(Monitor|Coach|Barge).*still on"))
        assert await aside.get_by_test_id("call-picture").locator("rect").count() >= 2
        wrong += await look(page, "live-calls-panel")
        await aside.get_by_role("button", name=f"Flag this moment of the call of {name}").click()
        composer = page.get_by_role("dialog", name=re.compile("^Flag a moment"))
        await expect(composer).to_contain_text("Pinned at")
        await page.keyboard.press("Escape")
        await expect(composer).to_have_count(0)
        await expect(aside).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(aside).to_have_count(0)
        await expect(card.locator("a.name")).to_be_focused()
        # By the keyboard, and from its link; and where it is over the list.
        await page.keyboard.press("Enter")
        await expect(aside).to_be_visible()
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.reload()
        dialog = page.get_by_role("dialog", name=f"Call of {name}")
        await expect(dialog).to_contain_text("The call")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(page).to_have_url(re.compile(r"/live-calls$"))
    assert wrong == []


@pytest.mark.row("000-20", "000-14")
async def test_the_card_shows_the_flag_that_was_saved(
    place: Place, shared_browser: Browser
) -> None:
    wrong: list[str] = []
    async with (
        visitor(shared_browser, place.url) as ina,
        visitor(shared_browser, place.url) as sue,
    ):
        for someone, login in ((ina, "ina"), (sue, "sue")):
            await someone.sign_in(login)
            await open_calls(someone.page)
            await someone.page.get_by_label("View", exact=True).select_option("All I may see")
        page = ina.page
        card = await talking(place, page)
        key = await card.evaluate("card => card.closest('li').dataset.key")
        await expect(card.get_by_test_id(re.compile("^flag-"))).to_have_count(0)
        await card.get_by_role("button", name=re.compile("^Flag the call of")).click()
        composer = page.get_by_role("dialog", name=re.compile("^Flag a moment"))
        await composer.get_by_role("radio", name="Good work").check()
        await composer.get_by_label("What did you notice?").fill(SAYS)
        await composer.get_by_role("button", name="Save the flag").click()
        await expect(composer).to_have_count(0)
        mark = card.get_by_test_id("flag-good")
        await expect(mark).to_have_text(re.compile("1$"))
        assert await mark.locator("svg").evaluate("x => getComputedStyle(x).color") == (
            "rgb(26, 107, 60)"
        )
        # Whoever else looks sees it too, and finds it in the call's story.
        other = sue.page.locator(f'li[data-key="{key}"]').get_by_test_id("live-call")
        await expect(other.get_by_test_id("flag-good")).to_be_visible()
        await sue.page.get_by_label("Flagged").check()
        await expect(sue.page.get_by_test_id("calls-count")).to_have_text(re.compile("^1 of"))
        await other.locator("a.name").click()
        for part in (panel(sue.page).get_by_test_id("call-flag"),
                     panel(sue.page).get_by_test_id("call-story")):  # fmt: skip
            await expect(part).to_contain_text(SAYS)
        wrong += await look(sue.page, "live-calls-flagged")
    assert wrong == []


async def test_rows_search_and_filters(place: Place, shared_browser: Browser) -> None:
    wrong: list[str] = []
    async with visitor(shared_browser, place.url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await open_calls(page)
        await page.get_by_role("radio", name="Rows").check()
        wrong += await look(page, "live-calls-rows")
        await page.reload()
        await expect(page.get_by_role("radio", name="Rows")).to_be_checked()
        await expect(cards(page).first).to_be_visible()
        name = await cards(page).locator("a.name").filter(has_text="ALPHA").first.inner_text()
        await page.keyboard.press("/")
        await page.keyboard.type(name.lower())
        await expect(cards(page)).to_have_count(1)
        await page.keyboard.press("Escape")
        await page.get_by_label("State", exact=True).select_option("ringing")
        for text in await cards(page).all_inner_texts():
            assert "ringing" in text
        await page.get_by_role("searchbox").fill("zzz")
        await expect(page.get_by_role("main")).to_contain_text("No call fits")
        wrong += await violations(page)
        await page.get_by_role("button", name="Clear them").click()
        await expect(page.get_by_role("searchbox")).to_have_value("")
        await expect(cards(page).first).to_be_visible()
    assert wrong == []


async def test_a_call_of_the_history_opens_the_same_panel(
    place: Place, shared_browser: Browser
) -> None:
    wrong: list[str] = []
    async with visitor(shared_browser, place.url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        for _ in range(200):
            await place.sim.advance(5)
            await page.goto(f"{place.url}/quality/quality-assurance/history?show=calls")
            rows = page.locator("tr[aria-rowindex]").filter(has_text="call ended")
            await expect(page.locator("tr[aria-rowindex]").nth(1)).to_be_visible()
            if await rows.count():
                break
        button = rows.first.get_by_role("button", name=re.compile("what happened$"))
        await button.click()
        dialog = page.get_by_role("dialog", name=re.compile("^Call"))
        await expect(dialog.get_by_test_id("call-story")).to_contain_text("The call ended")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(button).to_be_focused()
        await page.keyboard.press("Enter")
        wrong += await look(page, "history-call-panel")
        await dialog.get_by_role("button", name="Close this call").click()
        await expect(dialog).to_have_count(0)
        await rows.first.get_by_role("link", name="Supervisions").click()
        await expect(page).to_have_url(re.compile(r"history\?call="))
    assert wrong == []


async def test_a_long_list_draws_only_what_is_in_sight(
    tmp_path: Path, shared_browser: Browser
) -> None:
    async with (
        centre(tmp_path, agents=600, supervisors=20, supervisions=10) as made,
        visitor(shared_browser, made.url) as ina,
    ):
        page = ina.page
        await ina.sign_in("ina")
        await open_calls(page)
        drawn = page.locator("li[data-key]")
        many = int(await drawn.first.get_attribute("aria-setsize") or 0)
        assert many >= 200
        assert await drawn.count() < 40
        await page.keyboard.press("/")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("End")
        focused = page.locator("li[data-key]:has(a:focus)")
        await expect(focused).to_have_attribute("aria-posinset", str(many))
        await expect(focused).to_be_in_viewport()
        assert await drawn.count() < 40


async def test_nothing_to_show_and_nobody_who_may_not(
    tmp_path: Path, shared_browser: Browser
) -> None:
    wrong: list[str] = []
    site = Site(ami_port=nobody(), secret="s", people=EVERYBODY)
    async with (
        process(site.write(tmp_path)) as url,
        visitor(shared_browser, url, expected=re.compile("404")) as ina,
        visitor(shared_browser, url) as sue,
        visitor(shared_browser, url, expected=re.compile("403")) as agent,
    ):
        menu = ina.page.get_by_role("navigation", name="Main").get_by_role(
            "link", name="Live calls"
        )
        await ina.sign_in("ina")
        await menu.click()
        await expect(ina.page.get_by_role("main")).to_contain_text("No calls now")
        wrong += await look(ina.page, "live-calls-empty")
        await ina.page.goto(f"{url}/live-calls?call={'f' * 20}")
        await expect(panel(ina.page)).to_contain_text("There is no such call")
        await sue.sign_in("sue")
        await sue.page.goto(f"{url}/live-calls")
        await expect(sue.page.get_by_role("main")).to_contain_text("None of your agents has a call")
        await agent.page.goto(url)
        await agent.fill_in("alpha-1")
        await agent.page.wait_for_url("**/my-calls")
        await agent.page.goto(f"{url}/live-calls")
        await expect(agent.page.get_by_role("main")).to_contain_text("does not allow you")
    assert wrong == []


def begun(now: int) -> list[Any]:
    """A call of Ann's of ten minutes ago with all that the ledger can tell of one."""
    start = now - 10 * MINUTE
    phone = call(
        1,
        call_id="1795.1",
        campaign="spring",
        list="L1",
        result="SALE",
        started=start,
        answered=start + 20_000,
        ended=start + 5 * MINUTE,
        end_reason=EndReason.CALL_ENDED,
        talk_ms=4 * MINUTE,
        hold_ms=50_000,
        length_ms=5 * MINUTE,
    )
    about = {"call": phone.id, "call_id": phone.call_id}
    heard = supervision(1, started=start + MINUTE, ended=phone.ended, **about)
    held = {"started": start + 2 * MINUTE, "ended": start + 2 * MINUTE + 40_000}
    whole = {"started": start + 3 * MINUTE, "ended": phone.ended}
    after = held["ended"]
    return [
        *(phone, alias("1795.1", phone), alias("1795.2", phone), heard),
        segment(heard, 1, started=start + MINUTE, ended=start + 3 * MINUTE, **about),
        segment(heard, 2, type=SpyType.COACH, **about, **whole),
        status(1, status=AgentStatus.RINGING, started=start + 5_000, ended=start + 20_000),
        status(2, status=AgentStatus.IN_CALL, started=start + 20_000, ended=held["started"]),
        status(3, status=AgentStatus.ON_HOLD, **held),
        status(4, status=AgentStatus.IN_CALL, started=after, ended=phone.ended),
        status(5, status=AgentStatus.WRAP_UP, started=phone.ended, ended=now),
        gap(start + 4 * MINUTE, ended=start + 4 * MINUTE + 10_000, why="connection lost"),
    ]


@pytest.mark.row("000-13")
async def test_the_story_of_a_past_call(tmp_path: Path, shared_browser: Browser) -> None:
    """Read to the end: what was, when, how long, and what nobody knows."""
    wrong: list[str] = []
    await fill(tmp_path / "ledger.sqlite3", begun(now()))
    async with (
        daemon_on(tmp_path / "ledger.sqlite3", tmp_path) as url,
        visitor(shared_browser, url) as ina,
    ):
        page = ina.page
        await ina.sign_in("ina")
        await page.goto(f"{url}/quality/quality-assurance/history?show=calls")
        await page.get_by_role("button", name="Flag the call of Ann Agent").click()
        composer = page.get_by_role("dialog", name=re.compile("^Flag a moment"))
        await composer.get_by_role("textbox", name=re.compile("^Moment")).fill("3:30")
        await composer.get_by_role("radio", name="To work on").check()
        await composer.get_by_label("What did you notice?").fill(SAYS)
        await composer.get_by_role("button", name="Save the flag").click()
        await expect(composer).to_have_count(0)
        await page.get_by_role("button", name="Call 1795.1: what happened").click()
        dialog = page.get_by_role("dialog", name="Call of Ann Agent")
        lines = dialog.get_by_test_id("call-story").get_by_role("listitem")
        await expect(lines).to_have_text(
            [
                re.compile("^0:00.*The call began"),
                re.compile("^0:05.*telephone: ringing, for 0:15"),
                re.compile("^0:20.*Ann Agent answered"),
                re.compile("^0:20.*telephone: in a call, for 1:40"),
                re.compile("^1:00.*Sue Supervisor: Monitor, for 2:00"),
                re.compile("^2:00.*telephone: on hold, for 0:40"),
                re.compile("^2:40.*telephone: in a call, for 2:20"),
                re.compile("^3:00.*Sue Supervisor: Coach, for 2:00"),
                re.compile(f"^3:30.*Flag by Ina Viewer, To work on: {re.escape(SAYS)}"),
                re.compile("^4:00.*PBX could not be seen: connection lost, for 0:10"),
                re.compile("^5:00.*The call ended$"),
            ]
        )
        await expect(dialog).to_contain_text(
            "on hold for 0:50 in all; the agent’s telephone showed 0:40 of it"
        )
        for text in ("5551234", "spring", "L1", "SALE", "support"):
            await expect(dialog.get_by_role("region", name="The call")).to_contain_text(text)
        wrong += await look(page, "call-story")
        await dialog.get_by_test_id("call-story").scroll_into_view_if_needed()
        await ina.picture("call-story-strip")
    assert wrong == []
