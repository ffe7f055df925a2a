"""The history: section 5 of Coach Manager and the History page, in real Chromium."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visitor, visitor
from tests.browser.ledger import (
    ALL,
    CAMPAIGNS,
    HOUR,
    MINUTE,
    SUES,
    TYPES,
    daemon_on,
    fill,
    now,
    past,
)
from tests.kit.axe import violations
from tests.kit.centre import until
from tests.kit.ledger import read_audit, read_ledger
from tests.lab.scene import COACH, MONITOR, Scene

pytestmark = pytest.mark.browser

HISTORY = "/quality/quality-assurance/history"
SECTION = "Coaching / Monitoring History"


@dataclass(frozen=True)
class Past:
    """A daemon with a long ledger."""

    url: str
    at: int
    """When its newest rows were an hour old, ms UTC."""
    database: Path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """A ledger written once, and its time."""
    at = now()
    database = tmp_path_factory.mktemp("past") / "monitord.sqlite3"
    asyncio.run(fill(database, past(at)))
    return at, database


@pytest.fixture
async def old(filled: tuple[int, Path], tmp_path: Path) -> AsyncIterator[Past]:
    at, database = filled
    async with daemon_on(database, tmp_path) as url:
        yield Past(url, at, tmp_path / "data" / "monitord.sqlite3")


def shown(ms: int) -> str:
    """As the page of a British viewer has it."""
    at = datetime.fromtimestamp(ms / 1000, ZoneInfo("Europe/London"))
    return f"{at.day} {at:%b %Y, %H:%M:%S}"


def rows_of(place: Page | Locator) -> Locator:
    """Without the row of the columns' names."""
    return place.locator("tr[aria-rowindex]:not([aria-rowindex='1'])")


async def section_of(sue: Visitor, user: str) -> Locator:
    await sue.page.goto(f"{sue.url}/quality/quality-assurance/coach-manager?user={user}")
    section = sue.page.get_by_role("region", name=SECTION)
    await expect(rows_of(section).first).to_be_visible()
    return section


@pytest.mark.row("003-04", "003-31")
async def test_several_hundred_are_paged_to_the_very_last(old: Past, browser: Browser) -> None:
    async with visitor(browser, old.url) as sue:
        await sue.sign_in("sue")
        section = await section_of(sue, "sue")
        more = section.get_by_role("button", name="Show more")
        for loaded in range(25, SUES, 25):
            await expect(section).to_contain_text(f"{loaded} shown, older ones follow")
            await more.click()
        await expect(section).to_contain_text(f"All {SUES} shown")
        await expect(more).to_have_count(0)
        await expect(section.get_by_role("table")).to_have_attribute("aria-rowcount", str(SUES + 1))

        # Only rows in sight are drawn: all of them are met on the way up.
        met: dict[int, str] = {}
        box = sue.page.locator(".detail")
        await box.evaluate("box => box.scrollTo(0, box.scrollHeight)")
        await expect(rows_of(section).last).to_have_attribute("aria-rowindex", str(SUES + 1))
        while 2 not in met:
            # In one go: rows come and go while one looks.
            drawn = await rows_of(section).evaluate_all(
                "rows => rows.map(r => [r.ariaRowIndex, r.querySelectorAll('td')[1].innerText])"
            )
            met |= {int(place): started for place, started in drawn}
            assert len(met) <= SUES
            if 2 not in met:
                await box.evaluate("box => box.scrollBy(0, -700)")
                await expect(rows_of(section).first).not_to_have_attribute(
                    "aria-rowindex", str(drawn[0][0])
                )
        assert sorted(met) == list(range(2, SUES + 2))
        expected = [shown(old.at - HOUR - n * 20 * MINUTE) for n in range(SUES)]
        assert [met[n] for n in sorted(met)] == expected, (
            "each supervision is one row, newest first"
        )


@pytest.mark.row("003-32", "003-33", "003-34")
async def test_type_start_and_end_of_each_row(old: Past, browser: Browser) -> None:
    async with visitor(browser, old.url) as sue:
        await sue.sign_in("sue")
        section = await section_of(sue, "tom")
        headings = ["Type", "Start", "End", "Length", "Target user", "Target campaign"]
        await expect(section.get_by_role("columnheader")).to_have_text(headings)
        for n in (1, 3, 5, 7):
            started = old.at - HOUR - n * 10 * MINUTE
            row = rows_of(section).filter(has_text=shown(started))
            cells = row.get_by_role("cell")
            await expect(cells.nth(0)).to_have_text(TYPES[n % 4].value)
            await expect(cells.nth(1)).to_have_text(shown(started))
            await expect(cells.nth(2)).to_contain_text(shown(started + (2 + n % 7) * MINUTE))
        # What is not exactly known says so.
        row = rows_of(section).filter(has_text="at least Coach")
        await expect(row).to_contain_text("at or before")
        await expect(row).to_contain_text("between")
        section = await section_of(sue, "sue")
        for n in (0, 2):
            row = rows_of(section).filter(has_text=shown(old.at - HOUR - n * 10 * MINUTE))
            await expect(row.get_by_role("cell").nth(0)).to_have_text(TYPES[n % 4].value)


@pytest.mark.row("003-30", "003-35", "003-36")
async def test_length_and_target_of_the_selected_user_alone(old: Past, browser: Browser) -> None:
    async with visitor(browser, old.url) as sue:
        await sue.sign_in("sue")
        section = await section_of(sue, "sue")
        for n in range(0, 20, 2):
            row = rows_of(section).filter(has_text=shown(old.at - HOUR - n * 10 * MINUTE))
            cells = row.get_by_role("cell")
            await expect(cells.nth(3)).to_have_text(f"{2 + n % 7}:00")
            await expect(cells.nth(4)).to_have_text("Sid Silent" if n % 3 == 0 else "Ann Agent")
        others = shown(old.at - HOUR - 10 * MINUTE)
        await expect(rows_of(section).filter(has_text=others)).to_have_count(0)

        # Its own filters, folded up until they are wanted.
        await expect(section.get_by_role("search")).to_have_count(0)
        await section.get_by_role("button", name="Filter").click()
        await section.get_by_label("Type", exact=True).select_option("Barge")
        await section.get_by_role("combobox", name="Target user").fill("sid")
        await sue.page.get_by_role("option", name="Sid Silent").click()
        fitting = [n for n in range(0, SUES * 2, 2) if n % 4 == 2 and n % 3 == 0]
        first = shown(old.at - HOUR - fitting[0] * 10 * MINUTE)
        await expect(rows_of(section).first).to_contain_text(first)
        while await section.get_by_role("button", name="Show more").count():
            await section.get_by_role("button", name="Show more").click()
            await expect(section.locator(".end button[aria-disabled]")).to_have_count(0)
        await expect(section).to_contain_text(f"All {len(fitting)} shown")
        await expect(section.get_by_role("button", name="Filter (2)")).to_be_visible()

        await section.get_by_role("button", name="Export").click()
        async with sue.page.expect_download() as download:
            await sue.page.get_by_role("button", name="Export", exact=True).last.click()
        exported = (await (await download.value).path()).read_bytes()
        rows = list(csv.DictReader(io.StringIO(exported.decode("utf-8-sig"), newline="")))
        assert {(r["supervisor_id"], r["type"], r["agent_id"]) for r in rows} == {
            ("sue", "Barge", "sid")
        }
        assert len(rows) == len(fitting)
        await sue.page.get_by_role("button", name="Close").click()
        await sue.picture("history-section-5")


@pytest.mark.row("003-30", "003-31", "003-37")
async def test_the_campaign_stays_what_it_was(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    """On real Asterisk: two supervisions of a call whose campaign changes in between and after."""
    async with visitor(browser, daemon_url) as sue:
        page = sue.page
        call = await scene.customer_calls("5551234", campaign="spring")
        for kind, campaign in ((COACH, "spring"), (MONITOR, "summer")):
            await scene.set_var(call.customer, "CAMPAIGN", campaign)
            if campaign == "spring":
                await sue.sign_in("sue")
            spy = await scene.supervisor_dials("2002", kind, "1001")
            link = page.get_by_role("link", name="Tom Trainer")
            await expect(link).to_be_visible()
            await link.click()
            section = page.get_by_role("region", name=SECTION)
            live = rows_of(section).filter(has_text="running")
            await expect(live).to_have_count(1)
            await expect(live).to_contain_text(campaign)
            await scene.hangup(spy)
            await expect(link).to_have_count(0)
            await expect(live).to_have_count(0)
        await scene.set_var(call.customer, "CAMPAIGN", "autumn")
        await scene.supervisor_dials("2001", MONITOR, "1001")
        await expect(page.get_by_role("link", name="Sue Supervisor")).to_be_visible()
        await page.reload()
        kept = rows_of(page.get_by_role("region", name=SECTION))
        await expect(kept).to_have_count(2)  # a row each, and none of the other supervisor's
        await expect(kept.nth(0)).to_contain_text("Monitor")
        await expect(kept.nth(0)).to_contain_text("summer")
        await expect(kept.nth(1)).to_contain_text("Coach")
        await expect(kept.nth(1)).to_contain_text("spring")
        await expect(page.get_by_role("region", name=SECTION)).not_to_contain_text("autumn")

        # The same on the History page, found by the Call ID.
        await page.get_by_role("navigation").get_by_role("link", name="History").click()
        await page.get_by_label("Call ID").fill(call.customer)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("3 found")).to_be_visible()
        await page.get_by_role("combobox", name="Campaign").fill("spr")
        await page.get_by_role("option", name="spring").click()
        await expect(page.get_by_text("1 found")).to_be_visible()
        await scene.hangup(call.customer)


async def test_the_address_is_the_view(old: Past, browser: Browser) -> None:
    async with visitor(browser, old.url) as sue:
        page = sue.page
        await sue.sign_in("sue")
        await page.get_by_role("link", name="History").click()
        await expect(page.get_by_text(f"{ALL + 1:,} found")).to_be_visible()
        await expect(page).to_have_title("Supervisions · History · monitord")

        await page.keyboard.press("/")
        await expect(page.get_by_label("When", exact=True)).to_be_focused()
        await page.get_by_role("combobox", name="Supervisor").fill("train")
        await page.get_by_role("option", name="Tom Trainer").wait_for()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile(r"\?supervisor=tom$"))
        await page.get_by_label("Type", exact=True).select_option("Coach")
        of_tom = [n for n in range(ALL) if not (n < SUES * 2 and n % 2 == 0)]
        coaches = sum(n % 4 == 1 for n in of_tom) + 1
        await expect(page.get_by_text(f"{coaches} found")).to_be_visible()
        await expect(page.get_by_text("at least Coach")).to_be_visible()

        await page.get_by_label("Type", exact=True).select_option("Barge-Kick")
        kicks = sum(n % 4 == 3 for n in of_tom)
        await expect(page.get_by_text(f"{kicks} found")).to_be_visible()
        await page.get_by_text("or possibly so").click()
        await expect(page.get_by_text(f"{kicks + 1} found")).to_be_visible()
        address = page.url

        await page.go_back()
        await expect(page.get_by_text(f"{kicks} found")).to_be_visible()
        await page.go_back()
        await expect(page.get_by_text(f"{coaches} found")).to_be_visible()
        await page.go_forward()
        await expect(page.get_by_label("Type", exact=True)).to_have_value("Barge-Kick")
        async with visitor(browser, old.url) as ina:
            await ina.sign_in("ina")
            await ina.page.goto(address)
            await expect(ina.page.get_by_text(f"{kicks + 1} found")).to_be_visible()
            await expect(ina.page.get_by_role("combobox", name="Supervisor")).to_have_value(
                "Tom Trainer"
            )

        # Remembered under a name, and opened again from nothing.
        await page.goto(address)
        await page.get_by_role("button", name="Views").click()
        await page.get_by_label("Name").fill("Tom took over")
        await page.get_by_role("button", name="Save this view").click()
        await page.goto(old.url + HISTORY)
        await page.get_by_role("button", name="Views").click()
        await page.get_by_role("button", name="Tom took over", exact=True).click()
        await expect(page.get_by_text(f"{kicks + 1} found")).to_be_visible()
        await page.get_by_role("button", name="Clear filters").click()
        await expect(page.get_by_text(f"{ALL + 1:,} found")).to_be_visible()


async def test_rows_segments_gaps_and_the_call_they_belong_to(old: Past, browser: Browser) -> None:
    async with visitor(browser, old.url) as sue:
        page = sue.page
        await sue.sign_in("sue")
        await page.goto(old.url + HISTORY)
        table = page.get_by_role("table", name="Supervisions")
        gap = rows_of(table).filter(has_text="could not be seen")
        await expect(gap).to_have_count(1)
        # All in one look: a row that comes on top moves the others on.
        drawn = await rows_of(table).evaluate_all(
            "rows => rows.map(r => [Number(r.ariaRowIndex), r.innerText])"
        )
        places = [
            next(place for place, said in drawn if text in said)
            for text in (
                shown(old.at - HOUR - 20 * MINUTE),
                "could not be seen",
                shown(old.at - HOUR - 30 * MINUTE),
            )
        ]
        assert places[1:] == [places[0] + 1, places[0] + 2], "it stands where it began"

        await page.get_by_role("button", name=re.compile("^Segments of Coach")).nth(1).click()
        segments = page.get_by_role("table", name="Segments")
        for value in ("Monitor", "Coach", "+44 20 7946 0001", "summer", "L1", "CALLBACK", "1:30"):
            await expect(segments).to_contain_text(value)

        # By scrolling to the end nothing is left out, though little is drawn.
        pane = page.locator("section.pane")
        await expect(async_end := page.get_by_text("shown, older ones follow")).to_have_count(1)
        while (said := await async_end.all_inner_texts()) != []:
            await pane.evaluate("pane => pane.scrollTo(0, pane.scrollHeight)")
            await expect(page.get_by_text(said[0], exact=True)).to_have_count(0)
        await expect(page.get_by_text(f"All {ALL + 1:,} shown")).to_be_visible()
        assert await rows_of(table).count() < 100
        oldest = rows_of(table).filter(has_text=shown(old.at - HOUR - (ALL - 1) * 10 * MINUTE))
        await expect(oldest).to_have_attribute("aria-rowindex", str(ALL + 3))

        await oldest.get_by_role("link").click()
        await expect(page.get_by_role("table", name="Calls")).to_contain_text("+44 20 7946 2999")
        await expect(page.get_by_text("1 found")).to_be_visible()
        await rows_of(page).get_by_role("link").click()
        await expect(page.get_by_role("table", name="Supervisions")).to_contain_text("Tom Trainer")

        await page.get_by_role("link", name="Calls", exact=True).click()
        await page.get_by_role("button", name="Clear filters").click()
        await page.get_by_label("Phone number").fill("+44 20 7946 0042")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("1 found")).to_be_visible()
        await page.get_by_role("link", name="Agent status").click()
        await page.get_by_label("Status", exact=True).select_option("paused")
        await expect(page.get_by_text(f"{ALL // 2:,} found")).to_be_visible()
        await expect(rows_of(page).first).to_contain_text("lunch")
        await page.get_by_label("When", exact=True).select_option("between")
        start = datetime.fromtimestamp(
            (old.at - HOUR - 30 * MINUTE) / 1000, ZoneInfo("Europe/London")
        )
        await page.get_by_label("From").fill(f"{start:%Y-%m-%dT%H:%M}")
        await page.get_by_label("From").press("Tab")
        await expect(page.get_by_text("2 found")).to_be_visible()


async def test_an_export_is_whole_or_can_be_seen_not_to_be(old: Past, browser: Browser) -> None:
    async with visitor(browser, old.url) as sue:
        page = sue.page
        await sue.sign_in("sue")
        await page.goto(old.url + HISTORY)
        held = read_ledger(old.database)["supervisions"]
        for kind in ("CSV, for spreadsheets", "JSON, for programs"):
            await page.get_by_role("button", name="Export").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label(kind).check()
            async with page.expect_download() as download:
                await dialog.get_by_role("button", name="Export").click()
            await expect(dialog).to_contain_text(f"{ALL + 1:,} rows are complete")
            body = (await (await download.value).path()).read_text("utf-8-sig")
            if kind.startswith("CSV"):
                ids = [r["id"] for r in csv.DictReader(io.StringIO(body, newline=""))]
            else:
                ids = [e["supervision"]["id"] for e in json.loads(body)["entries"]]
            assert ids == [r["id"] for r in sorted(held, key=lambda r: -r["started"])]
            await dialog.get_by_role("button", name="Close").click()

        # Over a slow line there is time to see how far it is, and to stop it.
        wire = await page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": 20, "downloadThroughput": 60_000}
        await wire.send("Network.enable")
        await wire.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
        await page.get_by_role("button", name="Export").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Export").click()
        await expect(dialog).to_contain_text(re.compile(rf"[1-9]\d* of {ALL + 1:,} rows"))
        await sue.picture("history-export")
        await dialog.get_by_role("button", name="Stop the export").click()
        await expect(dialog).to_contain_text("No file was saved")
        await wire.send(
            "Network.emulateNetworkConditions",
            {**slow, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        await dialog.get_by_role("button", name="Close").click()

    def outcomes() -> list[str]:
        rows = read_audit(old.database)
        return [r["detail"]["outcome"] for r in rows if r["action"] == "export outcome"]

    await until(lambda: len(outcomes()) >= 3, "three outcomes in the audit log")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_state_is_accessible(old: Past, browser: Browser, dark: bool) -> None:
    theme = "dark" if dark else "light"
    for width in (1440, 390):
        async with visitor(browser, old.url, width=width, dark=dark) as sue:
            page = sue.page
            await sue.sign_in("sue")
            found: dict[str, list[str]] = {}

            async def look(
                name: str, sue: Visitor = sue, page: Page = page, width: int = width,
                found: dict[str, list[str]] = found,
            ) -> None:  # fmt: skip
                if said := await violations(page):
                    found[name] = said
                over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert over <= 0, f"{name} scrolls sideways by {over} px"
                await sue.picture(f"history-{name}-{width}-{theme}")

            async def filters(page: Page = page, width: int = width) -> None:
                if width == 390:
                    await page.get_by_role("button", name="Filters").click()

            await page.goto(old.url + HISTORY)
            opener = page.get_by_role("button", name=re.compile("^Segments of"))
            await expect(opener.nth(1)).to_be_visible()
            await look("loaded")
            await opener.nth(1).click()
            await expect(page.get_by_text("No segments are on record.")).to_be_visible()
            await opener.nth(0).click()
            await expect(page.get_by_role("table", name="Segments").first).to_be_visible()
            await look("open")
            await filters()
            await page.get_by_label("When", exact=True).select_option("last7")
            await page.get_by_label("Type", exact=True).select_option("Coach")
            await page.get_by_role("combobox", name="Campaign").click()
            offered = page.get_by_role("listbox", name="Campaign").get_by_role("option")
            await expect(offered).to_have_count(len(CAMPAIGNS) - 1)
            await page.keyboard.press("ArrowDown")
            await look("filter")
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="Export").click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            await look("export")
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="Views").click()
            await look("views")
            for ledger in ("calls", "agent-status"):
                await page.goto(f"{old.url}{HISTORY}?show={ledger}&range=last7")
                await expect(rows_of(page).nth(2)).to_be_visible()
                await look(ledger)
            await page.goto(f"{old.url}{HISTORY}?agent=nobody")
            await expect(page.get_by_text("Nothing fits these filters")).to_be_visible()
            await look("nothing-fits")

            await page.route("**/api/v1/supervisions?*", lambda route: route.abort())
            await page.goto(old.url + HISTORY)
            await expect(page.get_by_role("button", name="Try again")).to_be_visible()
            await look("error")
            await page.unroute("**/api/v1/supervisions?*")
            await page.get_by_role("button", name="Try again").click()
            await expect(opener.first).to_be_visible()
            sue.faults[:] = [f for f in sue.faults if "ERR_FAILED" not in f]
            assert found == {}


async def test_before_anything_is_on_record(tmp_path: Path, browser: Browser) -> None:
    await fill(tmp_path / "empty", [])
    async with daemon_on(tmp_path / "empty", tmp_path) as url, visitor(browser, url) as sue:
        await sue.sign_in("sue")
        await sue.page.goto(url + HISTORY)
        await expect(sue.page.get_by_text("No supervision is on record yet")).to_be_visible()
        assert await violations(sue.page) == []
        await sue.picture("history-empty")
