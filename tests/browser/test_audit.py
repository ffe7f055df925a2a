"""The auditor's page, in real Chromium on a daemon with a simulated call centre."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from monitord.audit import sheet
from monitord.simulator import Settings, Simulator, User
from tests.browser.conftest import Visitor, process, visitor
from tests.browser.looks import look
from tests.kit.centre import SECRET
from tests.kit.client import DEADLINE, Client
from tests.kit.daemon import Site
from tests.kit.ledger import read_audit
from tests.kit.stores import SqliteStore
from tests.test_api_audit import with_aldo

pytestmark = pytest.mark.browser


@dataclass
class House:
    url: str
    store: SqliteStore
    ended: str
    """Supervision that Sue disconnected."""


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """A day on record: supervisions, one of them disconnected, and a sign-in that failed."""
    store = SqliteStore.in_folder(folder / "data")
    settings = Settings(user=User(secret=SECRET), port=0, speed=0, seed=7, silent_share=0.0)
    async with Simulator(settings) as sim:
        site = Site(ami_port=sim.port, secret=SECRET, store=store, people=with_aldo())
        async with process(site.write(folder)) as url, Client(url) as sue:
            assert await sue.sign_in("sue", "wrong") == 401
            assert await sue.sign_in("sue") == 200
            async with sue.stream() as stream:
                await stream.until(lambda s: s.of("supervision"), "a supervision")
                await sim.advance(60)
                await stream.level()
                ended = next(s["id"] for s in stream.of("supervision") if s["state"] == "active")
                act = asyncio.create_task(sue.disconnect(ended))
                async with asyncio.timeout(DEADLINE):
                    while not act.done():
                        await sim.advance(0.05)
                        await asyncio.sleep(0.005)
                assert (await act)[0] == 200
            await sim.advance(30)
            yield House(url, store, ended)


async def auditing(aldo: Visitor) -> Page:
    await aldo.page.goto(f"{aldo.url}/audit")
    await aldo.fill_in("aldo")
    await aldo.page.wait_for_url("**/audit")
    await expect(aldo.page.get_by_role("heading", name="Audit", exact=True)).to_be_visible()
    return aldo.page


async def test_an_auditor_filters_reads_proves_and_exports(
    tmp_path: Path, browser: Browser
) -> None:
    async with house(tmp_path) as here, visitor(browser, here.url) as aldo:
        page = await auditing(aldo)
        menu = page.get_by_role("navigation", name="Main")
        await expect(menu.get_by_role("link", name="Audit")).to_have_attribute(
            "aria-current", "page"
        )
        log = page.get_by_role("region", name="Audit log")
        command = log.get_by_role("row").filter(
            has_text="Sue Supervisor asked to disconnect themselves"
        )
        await expect(command).to_contain_text("confirmed")
        await expect(log).to_contain_text("A sign-in as “sue” failed")
        assert await look(page, "audit") == []

        # Filtered by kind, in the address; a supervision is one entry with its end and its reason.
        await page.get_by_label("Kind", exact=True).select_option("supervision")
        await page.wait_for_url("**/audit?kind=supervision")
        await expect(command).to_have_count(0)
        row = log.get_by_role("row").filter(has_text="ended by Sue Supervisor: disconnected")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text(
            re.compile(r"(listened to|coached|barged into|took over)")
        )
        await expect(row).to_contain_text("call of •••")
        # How one began is known of those that began while the PBX was seen.
        begun = log.get_by_role("row").filter(has_text="by feature code or dialplan")
        await expect(begun.first).to_be_visible()

        # By keyboard: opened with all its fields, its number and its hash.
        opener = row.get_by_role("button")
        await opener.focus()
        await page.keyboard.press("Enter")
        await expect(opener).to_have_attribute("aria-expanded", "true")
        (newest,) = here.store.read(
            "SELECT n, hash FROM audit WHERE action = 'observe supervision'"
            f" AND target = '{here.ended}' ORDER BY n DESC LIMIT 1"
        )
        await expect(log).to_contain_text(newest["hash"])
        await expect(log).to_contain_text("rows say how it was seen")
        assert await look(page, "audit-open") == []
        await page.get_by_role("link", name="Link to this row").click()
        await page.wait_for_url(f"**/audit?row={newest['n']}")
        one = page.get_by_role("region", name=re.compile(r"^Row "))
        await expect(one).to_contain_text(newest["hash"])
        await page.get_by_role("button", name="Close this row").click()

        # A person, chosen by name.
        person = page.get_by_role("combobox", name="Done by", exact=True)
        await person.fill("sue")
        await page.get_by_role("option", name="Sue Supervisor").click()
        await page.wait_for_url("**/audit?actor=sue")
        await expect(log.get_by_role("row").nth(1)).to_contain_text("Sue Supervisor")
        await page.get_by_role("button", name="Clear filters").click()

        proof = page.get_by_role("region", name="Proof")
        await expect(proof).to_contain_text("Nobody has proved this log yet")
        await proof.get_by_role("button", name="Prove now").click()
        await expect(proof).to_contain_text("Whole on")
        await expect(proof).to_contain_text("Asked for by Aldo Auditor")

        await page.get_by_role("button", name="Export", exact=True).click()
        dialog = page.get_by_role("dialog")
        assert await look(page, "audit-export") == []
        async with page.expect_download() as waiting:
            await dialog.get_by_role("button", name="Export").click()
        await expect(dialog).to_contain_text("rows are complete in monitord-audit-")
        file = tmp_path / "export.jsonl"
        await (await waiting.value).save_as(file)
        assert (found := sheet.prove(file, None).summary).rows > 20 and found.first is not None
        assert found.first.n == 1
        await dialog.get_by_role("button", name="Close").click()
    acts = {r["action"] for r in read_audit(here.store, whole=True) if r["actor_id"] == "aldo"}
    assert acts >= {"view audit log", "prove log", "prove log outcome", "export", "export outcome"}


async def test_states_of_the_page(tmp_path: Path, browser: Browser) -> None:
    cut = re.compile(r"Failed to load resource")
    async with house(tmp_path) as here, visitor(browser, here.url, expected=cut) as aldo:
        page = await auditing(aldo)
        log = page.get_by_role("region", name="Audit log")
        await page.get_by_label("Supervision (id)").fill("nobody")
        await page.keyboard.press("Tab")
        await expect(log).to_contain_text("Nothing fits these filters")
        assert await look(page, "audit-no-match") == []
        await log.get_by_role("button", name="Clear filters").click()
        await expect(log).to_contain_text("signed in")

        await page.route("**/api/v1/audit/rows*", lambda route: route.abort())
        await page.get_by_role("button", name="Refresh").click()
        await expect(log.get_by_role("alert")).to_contain_text("could not be loaded")
        await expect(log).to_contain_text("signed in")
        assert await look(page, "audit-failed") == []
        await page.unroute("**/api/v1/audit/rows*")
        await log.get_by_role("button", name="Try again").click()
        await expect(log.get_by_role("alert")).to_have_count(0)

        with closing(sqlite3.connect(here.store.path)) as db, db:
            db.execute("DROP TRIGGER audit_no_update")
            db.execute("UPDATE audit SET at = at + 1 WHERE n = 7")
        proof = page.get_by_role("region", name="Proof")
        await proof.get_by_role("button", name="Prove now").click()
        await expect(proof).to_contain_text("Not as it was written")
        await expect(proof).to_contain_text("row 7 is not as it was written")
        assert await look(page, "audit-broken") == []
        await proof.get_by_role("button", name="Show row 7").click()
        await page.wait_for_url("**/audit?row=7")
        await expect(page.get_by_role("region", name="Row 7")).to_be_visible()


async def test_who_may_not_read_it_is_told_so(tmp_path: Path, browser: Browser) -> None:
    async with house(tmp_path) as here, visitor(browser, here.url) as ina:
        await ina.sign_in("ina")
        await expect(ina.page.get_by_role("link", name="Audit")).to_have_count(0)
        await ina.page.goto(f"{here.url}/audit")
        await expect(ina.page.get_by_role("heading")).to_have_text("You may not see this page")
        await expect(ina.page.get_by_role("main")).to_contain_text("read the audit log")
        assert await look(ina.page, "audit-not-allowed") == []
