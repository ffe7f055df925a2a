"""Settings > People against the real daemon, in real Chromium, with the simulated centre as PBX."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import Visitor, process, visitor
from tests.browser.looks import look, too_wide
from tests.kit.axe import violations
from tests.kit.centre import SECRET
from tests.kit.daemon import Site
from tests.kit.ledger import read_audit
from tests.kit.roster import MAX, ROSTER, editor

pytestmark = pytest.mark.browser

PEOPLE = "/settings/people"
REFUSED = re.compile("the server responded with a status of 4")
"""The browser's own words on a refusal that the test is about."""


@dataclass(frozen=True)
class Here:
    url: str
    database: Path


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    """A daemon on a simulated centre whose agents mostly are on nobody's roster."""
    given = {"port": 0, "speed": 0, "seed": 7, "silent_share": 0.0, "agents": 12}
    async with Simulator(Settings(user=User(secret=SECRET), **given)) as sim:  # type: ignore[arg-type]
        site = Site(ami_port=sim.port, secret=SECRET, extra=MAX)
        async with process(site.write(tmp_path)) as url:
            yield Here(url, tmp_path / "data" / "monitord.sqlite3")


async def open_as(browser_visitor: Visitor, login: str, part: str = "") -> Page:
    await browser_visitor.sign_in(login)
    await browser_visitor.page.goto(f"{browser_visitor.url}{PEOPLE}{part}")
    return browser_visitor.page


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


@pytest.mark.row("000-09")
async def test_a_leader_their_direct_reports_and_how_often_they_meet(
    here: Here, browser: Browser
) -> None:
    """A team's cadence is that of its people, one person's own goes before it."""
    async with visitor(browser, here.url) as admin:
        page = await open_as(admin, "max", "?part=teams")
        await expect(page.get_by_text("There is no team yet")).to_be_visible()
        await page.get_by_role("button", name="Add a team").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Sales")
        await expect(dialog.get_by_label("One-to-ones")).to_have_value("weekly")
        await dialog.get_by_label("One-to-ones").select_option("bi-weekly")
        await save(page)
        await expect(page.get_by_role("status").first).to_contain_text("Sales is saved.")

        await page.get_by_role("link", name="People", exact=True).last.click()
        for name in ("Ann Agent", "Sid Silent"):
            await page.get_by_role("button", name=f"Change {name}").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Team").select_option("Sales")
            await choose(page, "Leader", "Sue Supervisor")
            if name == "Sid Silent":
                await dialog.get_by_label("One-to-ones").select_option("monthly")
            await save(page)
            await expect(dialog).to_have_count(0)
        ann, sid = row_of(page, "Ann Agent"), row_of(page, "Sid Silent")
        await expect(ann.locator("td").nth(2)).to_contain_text("Sue Supervisor")
        await expect(ann.locator("td").nth(5)).to_contain_text("bi-weekly")
        await expect(ann.locator("td").nth(5)).to_contain_text("as the team")
        await expect(sid.locator("td").nth(5)).to_have_text("monthly")
        sue = page.locator("tr").filter(has=page.get_by_role("button", name="Change Sue"))
        await expect(sue).to_contain_text("2 direct reports")
        tom = row_of(page, "Tom Trainer")
        await expect(tom.locator("td").nth(5)).to_have_text("weekly")

        await page.reload()
        await expect(ann.locator("td").nth(5)).to_contain_text("bi-weekly")
    async with editor(here.url) as one:
        rows = (await one.client.get(f"{ROSTER}/people", leader="sue"))["rows"]
        found = {r["id"]: r["cadence_in_force"] for r in rows}
        assert found == {"ann": "bi-weekly", "sid": "monthly"}


async def test_faults_stand_at_their_field(here: Here, browser: Browser) -> None:
    async with visitor(browser, here.url, expected=REFUSED) as admin:
        page = await open_as(admin, "max")
        await page.get_by_role("button", name="Add a person").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Zoë New")
        await dialog.get_by_label("Id").fill("ann")
        await save(page)
        field = dialog.get_by_label("Id")
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_be_focused()
        await expect(dialog).to_contain_text("is Ann Agent's already")
        assert await violations(page) == []
        await field.fill("")
        await dialog.get_by_label("Name").press("Enter")
        await expect(dialog).to_have_count(0)
        await expect(row_of(page, "Zoë New")).to_contain_text("zoe-new")


async def test_somebody_else_was_faster(here: Here, browser: Browser) -> None:
    async with visitor(browser, here.url, expected=REFUSED) as admin, editor(here.url) as other:
        page = await open_as(admin, "max")
        await page.get_by_role("button", name="Change Tom Trainer").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Tom Other")
        await other.done("PATCH", "/people/tom", {"hired": "2026-03-31"})
        await save(page)
        await expect(dialog.get_by_role("alert")).to_contain_text(
            "Somebody else changed the roster"
        )
        await expect(dialog.get_by_label("Name")).to_have_value("Tom Other")
        await save(page)
        await expect(dialog).to_have_count(0)
        await expect(row_of(page, "Tom Other")).to_contain_text("31 Mar 2026")


async def test_roles_and_who_has_left(here: Here, browser: Browser) -> None:
    async with visitor(browser, here.url, expected=REFUSED) as admin:
        page = await open_as(admin, "max")
        await page.get_by_role("button", name="Change Ina Viewer").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("checkbox", name="auditor").check()
        await dialog.get_by_label("On whom, as auditor").select_option(
            "own team and direct reports"
        )
        await save(page)
        await expect(row_of(page, "Ina Viewer")).to_contain_text("QA manager, auditor")
        await page.get_by_role("button", name="Change Tom Trainer").click()
        await dialog.get_by_role("checkbox", name="Has left").check()
        await save(page)
        await expect(row_of(page, "Tom Trainer")).to_have_count(0)
        await page.get_by_label("Show those who have left").check()
        await expect(row_of(page, "Tom Trainer")).to_contain_text("has left")
        # the last who can give roles stays
        await page.get_by_role("button", name="Change Max Minder").click()
        await dialog.get_by_role("checkbox", name="administrator").uncheck()
        await save(page)
        await expect(dialog).to_contain_text("make another administrator first")
    async with editor(here.url) as one:
        assert (await one.person("ina"))["roles"][-1]["scope"] == "own team"
    actions = [(r["action"], r["target"]) for r in read_audit(here.database)]
    assert ("give roles", "ina") in actions and ("change person", "tom") in actions


async def test_endpoints_that_were_seen_and_whose_they_are(here: Here, browser: Browser) -> None:
    async with visitor(browser, here.url, expected=REFUSED) as admin:
        page = await open_as(admin, "max", "?part=endpoints")
        seen = page.get_by_role("region", name="Seen and nobody’s")
        rows = seen.locator("tr[aria-rowindex]:not([aria-rowindex='1'])")
        await expect(rows.first).to_be_visible()
        first = rows.first
        endpoint = await first.locator("strong").inner_text()
        await expect(first).to_contain_text("queue member")
        name = await first.locator("td").nth(1).inner_text()
        await page.get_by_role("button", name=f"Confirm {endpoint}").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("Name")).to_have_value(name)
        await save(page, "Confirm")
        await expect(dialog).to_have_count(0)
        owned = page.get_by_role("region", name="Owned")
        await expect(owned.locator("tr").filter(has_text=endpoint)).to_contain_text(name)
        await expect(seen.get_by_text(endpoint, exact=True)).to_have_count(0)

        await expect(seen.get_by_text(endpoint, exact=True)).to_have_count(0)
        # the next is somebody's who is there
        other = await rows.first.locator("strong").inner_text()
        await page.get_by_role("button", name=f"Confirm {other}").click()
        await dialog.get_by_label("Somebody on the roster").check()
        await choose(page, "Who", "Tom Trainer")
        await save(page, "Confirm")
        await expect(owned.locator("tr").filter(has_text=other)).to_contain_text("Tom Trainer")

        await expect(seen.get_by_text(other, exact=True)).to_have_count(0)
        away = await rows.first.locator("strong").inner_text()
        await page.get_by_role("button", name=f"Dismiss {away}").click()
        await expect(page.get_by_text(f"{away} is proposed no more.")).to_be_visible()
        await page.get_by_label("Show dismissed ones").check()
        await expect(rows).to_have_count(1)
        await page.get_by_role("button", name=f"Propose {away} again").click()
        await expect(seen).to_contain_text("No endpoint is dismissed.")

        # changes hands, from a time on
        await page.get_by_role("button", name="Give an endpoint").click()
        await dialog.get_by_label("Endpoint").fill("PJSIP/1001")
        await choose(page, "Whose", "Sid Silent")
        await dialog.get_by_label("From when on").fill("2026-03-31T08:00")
        await save(page)
        await expect(dialog).to_have_count(0)
        await page.get_by_label("Show past ones").check()
        hands = owned.locator("tr").filter(has_text="PJSIP/1001")
        await expect(hands.nth(0)).to_contain_text("Ann Agent")
        await expect(hands.nth(0)).to_contain_text("31 Mar 2026")
        await expect(hands.nth(1)).to_contain_text("Sid Silent")


async def pick(page: Page, file: Path) -> None:
    """As people do, by the field's own button."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_label("File", exact=True).click()
    await (await chooser.value).set_files(file)


async def test_a_file_is_previewed_and_then_taken_over(
    here: Here, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    async with visitor(browser, here.url) as admin:
        page = await open_as(admin, "max", "?part=import")
        file.write_text("id;name;team;cadence\nann;Ann Other;Care;daily\n;Zoë New;Care;\n")
        await pick(page, file)
        faults = page.get_by_role("region", name="3 faults")
        await expect(faults.locator("tr").nth(1)).to_contain_text("cadence")
        await expect(faults.locator("tr").nth(1)).to_contain_text("weekly, bi-weekly, monthly")
        await expect(page.get_by_role("button", name="Take it over")).to_have_count(0)
        assert await look(page, "people-import-faults") == []

        file.write_text("id;name;team;cadence\nann;Ann Other;Care;monthly\n;Zoë New;Care;\n")
        await pick(page, file)
        await page.get_by_label("Make teams that do not exist yet").check()
        await expect(page.get_by_text("New teams: Care.")).to_be_visible()
        steps = page.get_by_role("region", name="What it would do")
        await expect(steps.locator("tr").nth(1)).to_contain_text("Ann Agent → Ann Other")
        assert await look(page, "people-import-preview") == []
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


async def test_who_may_not_sees_no_way_there(here: Here, browser: Browser) -> None:
    async with visitor(browser, here.url) as sue:
        page = await open_as(sue, "sue")
        await expect(page.get_by_role("heading", name="You may not see this page")).to_be_visible()
        menu = page.get_by_role("navigation", name="Main")
        await expect(menu.get_by_role("link", name="People")).to_have_count(0)
    async with visitor(browser, here.url) as ina:  # sees, and changes nothing
        page = await open_as(ina, "ina")
        await expect(row_of(page, "Ann Agent")).to_be_visible()
        await expect(page.get_by_role("button", name="Add a person")).to_have_count(0)
        await expect(page.get_by_role("button", name="Change Ann Agent")).to_have_count(0)
        for part in ("teams", "endpoints", "import"):
            await page.goto(f"{ina.url}{PEOPLE}?part={part}")
            await expect(page.get_by_role("heading", name="People")).to_be_visible()
        await expect(page.get_by_label("File", exact=True)).to_have_count(0)


async def test_thousands_by_the_keyboard(here: Here, browser: Browser) -> None:
    lines = "".join(f"Agent Number {n:04},PJSIP/5{n:04}\n" for n in range(2_000))
    file = f"name,endpoints\n{lines}".encode()
    async with editor(here.url) as one:
        _, shown = await one.ask("POST", "/import/preview", file)
        await one.done("POST", "/import", file, token=shown["token"])
    async with visitor(browser, here.url) as admin:
        page = await open_as(admin, "max")
        table = page.get_by_role("table")
        await expect(table).to_have_attribute("aria-rowcount", "2007")
        assert await page.locator("tr[aria-rowindex]").count() < 200, "only those in sight"
        await page.locator("body").press("/")
        await expect(page.get_by_label("Search", exact=True)).to_be_focused()
        await page.keyboard.type("PJSIP/51234")
        await expect(table).to_have_attribute("aria-rowcount", "2")
        await expect(page.get_by_role("status").filter(has_text="of")).to_have_text("1 of 2,006")
        await page.get_by_role("button", name="Change Agent Number 1234").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_it_looks_right(here: Here, browser: Browser) -> None:
    """Pictures and axe, wide and narrow, light and dark."""
    async with editor(here.url) as one:
        await one.done("POST", "/teams", {"name": "Customer Care"})
        await one.done("POST", "/teams", {"name": "Sales", "cadence": "bi-weekly"})
        for key, team in (("ann", "customer-care"), ("sid", "sales")):
            await one.done("PATCH", f"/people/{key}", {"team": team, "leader": "sue"})
        await one.done("PATCH", "/people/ann", {"hired": "2024-02-29", "cadence": "monthly"})
        given = {"endpoint": "PJSIP/1001", "person": "tom", "since": 1_774_000_000_000}
        await one.done("POST", "/ownerships", given)
    async with visitor(browser, here.url) as admin:
        page = await open_as(admin, "max")
        await expect(row_of(page, "Ann Agent")).to_be_visible()
        wrong = await look(page, "people")
        await page.get_by_role("button", name="Change Ann Agent").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        wrong += await look(page, "people-change")
        await page.keyboard.press("Escape")
        for part in ("teams", "endpoints", "import"):
            await page.goto(f"{admin.url}{PEOPLE}?part={part}")
            place = page.locator("main section").first
            await expect(place).to_be_visible()
            if part == "endpoints":
                await expect(page.get_by_role("button", name="Confirm PJSIP").first).to_be_visible()
            wrong += await look(page, f"people-{part}")
        await page.goto(f"{admin.url}{PEOPLE}?part=endpoints")
        await page.get_by_role("button", name="Confirm PJSIP").first.click()
        wrong += await look(page, "people-confirm")
        assert wrong == [] and not await too_wide(page)
