"""A talk about flags in Chromium, on a simulated call centre: who is due, the walk through the
calls, what is agreed, and the live calls that it lights up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import process, visitor
from tests.browser.looks import look
from tests.browser.test_live_calls import Place, centre
from tests.kit.daemon import Site
from tests.kit.roster import nobody
from tests.kit.teams import AGENTS_AT_ALL, SUPERVISORS_AT_ALL, people

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FLAG = """async ([call, polarity, comment, moment]) => {
  const id = [...crypto.getRandomValues(new Uint8Array(10))]
    .map((n) => n.toString(16).padStart(2, "0")).join("");
  const body = JSON.stringify({ id, call, polarity, comment, moment, themes: ["tone"] });
  const headers = { "content-type": "application/json" };
  const answer = await fetch("/api/v1/flags", { method: "POST", headers, body });
  return [answer.status, await answer.json()];
}"""
SAID = [
    ("good", "Let her finish at “I just want it cancelled”, then offered the refund."),
    ("bad", "Talked over him twice when he named the invoice."),
    ("good", "Said in 2 sentences what happens next, and by when."),
    ("good", "Asked for the number once, and read it back."),
    ("bad", "Put him on hold for 3 minutes without a word before."),
    ("good", "Named the fee of 12 before he asked."),
]


async def flagged(page: Page, place: Place) -> dict[str, Any]:
    """Six flags on a call of alpha-1's; gives what the server says of the last one."""
    url = "/api/v1/calls?limit=1&agent=alpha-1"
    for _ in range(60):
        found = await page.evaluate("async (url) => (await (await fetch(url)).json()).rows", url)
        if found and found[0]["answered"] is not None:
            break
        await place.sim.advance(10)
    call = found[0]
    for n, (polarity, comment) in enumerate(SAID):
        moment = call["answered"] + n * 500
        status, flag = await page.evaluate(FLAG, [call["id"], polarity, comment, moment])
        assert status == 201, flag
    return {**flag, "campaign": call["campaign"]}


def _flag_row(page: Page, n: int) -> Any:
    return page.get_by_test_id("walk-flag").nth(n)


@pytest.mark.row("000-33", "000-34", "000-58")
async def test_a_talk(tmp_path: Path, shared_browser: Browser) -> None:
    wrong: list[str] = []
    few = {"agents": AGENTS_AT_ALL, "supervisors": SUPERVISORS_AT_ALL}
    async with centre(tmp_path, **few) as place, visitor(shared_browser, place.url) as lea:
        page = lea.page
        await lea.sign_in("lea")
        flag = await flagged(page, place)
        await (
            page.get_by_role("navigation", name="Main")
            .get_by_role("link", name="Flags")
            .first.click()
        )
        await page.get_by_role("link", name="Talks about flags").click()
        due = page.get_by_test_id("review-due")
        await expect(due).to_have_count(2)
        first = due.first
        await expect(first).to_contain_text("ALPHA-1 the person")
        await expect(first).to_contain_text("weekly")
        await expect(first.locator('td[data-label="Open flags"]')).to_have_text("6")
        wrong += await look(page, "talks")
        # the preparation
        await first.get_by_role("link", name="Prepare the talk with ALPHA-1 the person").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "Talk with ALPHA-1 the person"
        )
        await expect(page.get_by_test_id("walk-flag")).to_have_count(6)
        await expect(page.get_by_text("Nothing is open.")).to_be_visible()
        await expect(page.get_by_text("6 chosen.")).to_be_visible()
        await _flag_row(page, 0).get_by_role("checkbox").uncheck()
        await expect(page.get_by_text("5 chosen.")).to_be_visible()
        wrong += await look(page, "talk-prepare")
        await page.get_by_role("button", name="Begin the talk").click()
        # the walk: the call stands before what was noted about it
        await expect(page.get_by_text("Moment 1 of 5", exact=True)).to_be_visible()
        call = page.get_by_test_id("talk-call")
        await expect(call).to_contain_text("The moment is at")
        await expect(call.get_by_test_id("call-picture")).to_be_visible()
        order = await page.evaluate(
            """() => {
              const call = document.querySelector("[data-testid=talk-call]");
              const flag = document.querySelector("[data-testid=flag]");
              return call.compareDocumentPosition(flag) & Node.DOCUMENT_POSITION_FOLLOWING;
            }"""
        )
        assert order, "the call comes first"
        for _, comment in SAID:
            await expect(call).not_to_contain_text(comment)
        await expect(page.get_by_test_id("flag")).to_contain_text(SAID[0][1])
        assert "score" not in (await page.locator("main").inner_text()).lower()
        wrong += await look(page, "talk-walk")
        await page.get_by_role("button", name="Reviewed, next").click()
        await expect(page.get_by_text("Moment 2 of 5", exact=True)).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("Moment 2 of 5", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Moment 1 of 5, Reviewed")).to_be_visible()
        await page.get_by_role("button", name="Leave it open, next").click()
        for n in (3, 4, 5):
            await expect(page.get_by_text(f"Moment {n} of 5", exact=True)).to_be_visible()
            await page.get_by_role("button", name="Reviewed, next").click()
        # what is agreed, and what to look for
        await expect(page.get_by_role("heading", name="What will you work on")).to_be_focused()
        end = page.get_by_role("button", name="End without agreeing on anything")
        await expect(end).to_be_visible()
        await page.get_by_role("textbox", name="First thing").fill("Let him finish, then answer.")
        await page.get_by_role("checkbox", name="Light up calls that match").first.check()
        await page.get_by_role("button", name="End the talk").click()
        await expect(page.get_by_role("alert").filter(has_text="Say which calls")).to_be_visible()
        await page.get_by_label("Campaign").fill(flag["campaign"].upper())
        await page.reload()  # nothing typed is lost
        await expect(page.get_by_role("textbox", name="First thing")).to_have_value(
            "Let him finish, then answer."
        )
        wrong += await look(page, "talk-agree")
        await page.get_by_role("button", name="End the talk").click()
        ended = page.get_by_test_id("talk-ended")
        await expect(ended).to_contain_text("Let him finish, then answer.")
        await expect(ended).to_contain_text("1 flag stays open.")
        wrong += await look(page, "talk-ended")
        # the next calls of that campaign stand out, hers alone
        await (
            page.get_by_role("navigation", name="Main")
            .get_by_role("link", name="Live calls")
            .click()
        )
        lit = page.get_by_test_id("live-call").filter(has=page.get_by_test_id("in-focus"))
        for _ in range(60):
            if await lit.count():
                break
            await place.sim.advance(15)
            await page.wait_for_timeout(100)
        await expect(lit.first).to_contain_text("ALPHA-1 the person")
        assert (
            await lit.count()
            <= await page.get_by_test_id("live-call").filter(has_text="ALPHA-1 the person").count()
        )
        wrong += await look(page, "live-calls-in-focus")
        # it stands at the top of the next talk, with flags before and since
        await page.goto(f"{place.url}/flags/review?agent=alpha-1")
        agreed = page.get_by_test_id("commitment")
        await expect(agreed).to_contain_text("Let him finish, then answer.")
        await expect(page.get_by_test_id("focus")).to_contain_text(
            f"campaign {flag['campaign'].upper()}"
        )
        await expect(page.get_by_test_id("focus-weeks")).to_be_visible()
        wrong += await look(page, "talk-prepare-again")
        await agreed.get_by_role("button", name="Kept").click()
        await expect(agreed).to_have_count(0)
        await expect(page.get_by_test_id("focus")).to_have_count(0)
        await expect(page.get_by_role("status").filter(has_text="Noted: kept.")).to_be_visible()
    assert not wrong, "\n".join(wrong)


@pytest.mark.row("000-50")
async def test_a_theme_of_the_week(tmp_path: Path, shared_browser: Browser) -> None:
    wrong: list[str] = []
    site = Site(ami_port=nobody(), secret="s", people=people())
    async with process(site.write(tmp_path)) as url, visitor(shared_browser, url) as ina:
        page = ina.page
        await ina.sign_in("ina")
        await page.goto(f"{url}/settings/flags")
        await page.get_by_label(re.compile("this week")).select_option("De-escalation")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        wrong += await look(page, "theme-weeks")
        await page.goto(f"{url}/flags")
        await expect(page.get_by_text("Theme of this week: De-escalation")).to_be_visible()
        await page.goto(f"{url}/flags/review")
        await expect(page.get_by_text("Theme of this week: De-escalation")).to_be_visible()
        wrong += await look(page, "talks-nothing-open")
    assert not wrong, "\n".join(wrong)
