"""Settings > People against the real daemon, in real Chromium, with the simulated centre as PBX."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import ONE_STAGE, visitor
from tests.browser.looks import look
from tests.browser.people import (
    PEOPLE,
    REFUSED,
    Here,
    choose,
    open_as,
    roster_page,
    row_of,
    save,
)
from tests.kit.axe import violations
from tests.kit.ledger import read_audit
from tests.kit.roster import ROSTER, editor

pytestmark = ONE_STAGE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    async with roster_page(tmp_path_factory.mktemp("people")) as started:
        yield started


@pytest.mark.row("000-09")
async def test_a_leader_their_direct_reports_and_how_often_they_meet(
    here: Here, shared_browser: Browser
) -> None:
    """A team's cadence is that of its people, one person's own goes before it."""
    async with visitor(shared_browser, here.url) as admin:
        page = await open_as(admin, "max", "?part=teams")
        await expect(page.get_by_text("There is no team yet")).to_be_visible()
        await page.get_by_role("button", name="Add a team").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Sales")
        await expect(dialog.get_by_label("One-to-ones")).to_have_value("weekly")
        await dialog.get_by_label("One-to-ones").select_option("bi-weekly")
        await save(page)
        await expect(page.get_by_role("status").first).to_contain_text("Sales is saved.")
        await expect(page.get_by_role("button", name="Change Sales")).to_be_visible()
        wrong = await look(page, "people-teams")

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
        wrong += await look(page, "people")
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
    assert wrong == []


async def test_faults_stand_at_their_field(here: Here, shared_browser: Browser) -> None:
    async with visitor(shared_browser, here.url, expected=REFUSED) as admin:
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


async def test_somebody_else_was_faster(here: Here, shared_browser: Browser) -> None:
    async with (
        visitor(shared_browser, here.url, expected=REFUSED) as admin,
        editor(here.url) as other,
    ):
        await other.done("POST", "/people", {"name": "Fay Slower", "id": "fay"})
        page = await open_as(admin, "max")
        await page.get_by_role("button", name="Change Fay Slower").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Fay Other")
        await other.done("PATCH", "/people/fay", {"hired": "2026-03-31"})
        await save(page)
        await expect(dialog.get_by_role("alert")).to_contain_text(
            "Somebody else changed the roster"
        )
        await expect(dialog.get_by_label("Name")).to_have_value("Fay Other")
        await save(page)
        await expect(dialog).to_have_count(0)
        await expect(row_of(page, "Fay Other")).to_contain_text("31 Mar 2026")


async def test_roles_and_who_has_left(here: Here, shared_browser: Browser) -> None:
    async with (
        visitor(shared_browser, here.url, expected=REFUSED) as admin,
        editor(here.url) as one,
    ):
        await one.done("POST", "/people", {"name": "Lea Leaver", "id": "lea"})
        page = await open_as(admin, "max")
        await page.get_by_role("button", name="Change Ina Viewer").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("checkbox", name="auditor").check()
        await dialog.get_by_label("On whom, as auditor").select_option(
            "own team and direct reports"
        )
        await save(page)
        await expect(row_of(page, "Ina Viewer")).to_contain_text("QA manager, auditor")
        await page.get_by_role("button", name="Change Lea Leaver").click()
        await dialog.get_by_role("checkbox", name="Has left").check()
        await save(page)
        await expect(row_of(page, "Lea Leaver")).to_have_count(0)
        await page.get_by_label("Show those who have left").check()
        await expect(row_of(page, "Lea Leaver")).to_contain_text("has left")
        # the last who can give roles stays
        await page.get_by_role("button", name="Change Max Minder").click()
        await dialog.get_by_role("checkbox", name="administrator").uncheck()
        await save(page)
        await expect(dialog).to_contain_text("make another administrator first")
        assert (await one.person("ina"))["roles"][-1]["scope"] == "own team"
    actions = [(r["action"], r["target"]) for r in read_audit(here.database)]
    assert ("give roles", "ina") in actions and ("change person", "lea") in actions


async def test_endpoints_that_were_seen_and_whose_they_are(
    here: Here, shared_browser: Browser
) -> None:
    async with visitor(shared_browser, here.url, expected=REFUSED) as admin:
        page = await open_as(admin, "max", "?part=endpoints")
        seen = page.get_by_role("region", name="Seen and nobody’s")
        rows = seen.locator("tr[aria-rowindex]:not([aria-rowindex='1'])")
        await expect(rows.first).to_be_visible()
        first = rows.first
        endpoint = await first.locator("strong").inner_text()
        await expect(first).to_contain_text("queue member")
        name = await first.locator("td").nth(1).inner_text()
        wrong = await look(page, "people-endpoints")
        await page.get_by_role("button", name=f"Confirm {endpoint}").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("Name")).to_have_value(name)
        wrong += await look(page, "people-confirm")
        await save(page, "Confirm")
        await expect(dialog).to_have_count(0)
        owned = page.get_by_role("region", name="Owned")
        # as far down as the list is, only what is in sight is drawn
        await owned.get_by_role("heading").scroll_into_view_if_needed()
        await owned.locator("tr").nth(1).scroll_into_view_if_needed()
        await expect(owned.locator("tr").filter(has_text=endpoint)).to_contain_text(name)
        await expect(seen.get_by_text(endpoint, exact=True)).to_have_count(0)
        # the next is somebody's who is there
        other = await rows.first.locator("strong").inner_text()
        await page.get_by_role("button", name=f"Confirm {other}").click()
        await dialog.get_by_label("Somebody on the roster").check()
        await choose(page, "Who", "Tom Trainer")
        await save(page, "Confirm")
        await owned.locator("tr").nth(1).scroll_into_view_if_needed()
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
        await owned.locator("tr").nth(1).scroll_into_view_if_needed()
        hands = owned.locator("tr").filter(has_text="PJSIP/1001")
        await expect(hands.nth(0)).to_contain_text("Ann Agent")
        await expect(hands.nth(0)).to_contain_text("31 Mar 2026")
        await expect(hands.nth(1)).to_contain_text("Sid Silent")
    assert wrong == []


async def test_who_may_not_sees_no_way_there(here: Here, shared_browser: Browser) -> None:
    async with visitor(shared_browser, here.url) as sue:
        page = await open_as(sue, "sue")
        await expect(page.get_by_role("heading", name="You may not see this page")).to_be_visible()
        menu = page.get_by_role("navigation", name="Main")
        await expect(menu.get_by_role("link", name="People")).to_have_count(0)
    async with visitor(shared_browser, here.url) as ina:  # sees, and changes nothing
        page = await open_as(ina, "ina")
        await expect(row_of(page, "Ann Agent")).to_be_visible()
        await expect(page.get_by_role("button", name="Add a person")).to_have_count(0)
        await expect(page.get_by_role("button", name="Change Ann Agent")).to_have_count(0)
        for part in ("teams", "endpoints", "import"):
            await page.goto(f"{ina.url}{PEOPLE}?part={part}")
            await expect(page.get_by_role("heading", name="People")).to_be_visible()
        await expect(page.get_by_label("File", exact=True)).to_have_count(0)
        await expect(page.get_by_role("button", name="Make a sign-in link")).to_have_count(0)


async def test_a_link_by_which_somebody_sets_their_password(
    here: Here, shared_browser: Browser
) -> None:
    """Made on the person, shown once, and it works."""
    async with (
        editor(here.url) as one,
        visitor(shared_browser, here.url, expected=REFUSED) as admin,
        visitor(shared_browser, here.url) as kim,
    ):
        await one.done("POST", "/people", {"name": "Kim Invited", "id": "kim"})
        await one.done("PUT", "/people/kim/roles", {"roles": [{"role": "supervisor"}]})
        page = await open_as(admin, "max")
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_role("button", name="Change Kim Invited").click()
        person = page.get_by_role("dialog", name="Change Kim Invited")
        await expect(person).to_be_visible()
        wrong = await look(page, "people-change")
        await person.get_by_role("button", name="Make a sign-in link").click()
        dialog = page.get_by_role("dialog", name="Sign-in link for Kim Invited")
        login = dialog.get_by_label("Login")
        for given, rule in (("", "must be given"), ("MAX", "is somebody else's")):
            await login.fill(given)
            await save(page, "Make the link")
            await expect(login).to_have_attribute("aria-invalid", "true")
            await expect(login).to_be_focused()
            await expect(dialog).to_contain_text(rule)
        wrong += await look(page, "people-link-new")
        await login.fill("kim")
        await login.press("Enter")
        made = dialog.get_by_label("Link")
        await expect(made).to_have_value(re.compile(rf"{here.url}/sign-in/link#\S{{20,}}"))
        await expect(dialog).to_contain_text(re.compile(r"Works until .*20\d\d.*, Europe/London"))
        wrong += await look(page, "people-link")
        await dialog.get_by_role("button", name="Copy").click()
        await expect(dialog.get_by_text("Copied.")).to_be_visible()
        link = await made.input_value()
        assert await page.evaluate("navigator.clipboard.readText()") == link
        await dialog.get_by_role("button", name="Done").click()
        await expect(dialog).to_have_count(0)
        await expect(person.get_by_label("Login")).to_have_value("kim")
        assert link.partition("#")[2] not in await page.content()

        # Kim chooses a password, and is in.
        await kim.page.goto(link)
        await expect(kim.page.get_by_label("Login")).to_have_value("kim")
        for label in ("New password", "The same once more"):
            await kim.page.get_by_label(label, exact=True).fill("a new and long password")
        await kim.page.get_by_role("button", name="Set password and sign in").click()
        await kim.page.wait_for_url("**/coach-manager*")
        await expect(kim.page.locator(".viewer")).to_contain_text("Kim Invited")

        # For somebody who has a login nothing is asked; and an answer that never came is told so.
        await person.get_by_role("button", name="Make a sign-in link").click()
        await expect(dialog).to_contain_text("Login kim")
        await page.route("**/api/v1/people/kim/link", lambda route: route.abort())
        await save(page, "Make the link")
        await expect(dialog.get_by_role("alert")).to_contain_text("whether a link was made")
    actions = [(r["action"], r["target"]) for r in read_audit(here.database)]
    assert actions.count(("make sign-in link", "kim")) == 1
    assert wrong == []
