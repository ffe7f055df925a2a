"""A moment of a call flagged in Chromium, on real Asterisk: by the keyboard alone while it runs,
over a killed browser, read and answered by the agent, reviewed."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.browser.conftest import Visitor, only22, process, visitor
from tests.browser.looks import look
from tests.browser.teams import site_with_teams
from tests.kit.browser import ARGUMENTS, find_chromium
from tests.kit.daemon import Site, password_hash
from tests.lab.scene import MONITOR, Call, Scene

pytestmark = pytest.mark.browser

SAYS = "Let her finish at “I just want it cancelled”, then offered the refund unasked."


def site(scene: Scene) -> Site:
    """Where Ann signs in as well, and Max sets what the site says of flags."""
    made = site_with_teams(scene)
    signs_in = 'role = "{}"\nlogin = "{}"\npassword_hash = "' + password_hash() + '"\n'
    name = 'name = "Ann Agent"\n'
    assert name in made.people
    made.people = made.people.replace(name, name + signs_in.format("agent", "ann"))
    made.people += '\n[[people]]\nid = "adm"\nname = "Adam Admin"\n'
    made.people += signs_in.format("administrator", "adm")
    return made


async def listened_to(scene: Scene, sue: Visitor) -> Call:
    """A call of Ann's that Tom listens to, selected on Sue's Coach Manager."""
    await sue.sign_in("sue")
    # or it would not have seen the call begin
    await expect(sue.page.get_by_test_id("connection")).to_contain_text("Live")
    call = await scene.customer_calls("5551234", campaign="spring")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    await sue.page.get_by_role("link", name="Tom Trainer").click()
    await expect(calls(sue.page).locator("tbody tr")).to_have_count(1)
    return call


def calls(page: Page) -> Locator:
    return page.get_by_role("region", name="Users", exact=True)


async def open_flags(page: Page) -> None:
    menu = page.get_by_role("navigation", name="Main")
    await menu.get_by_role("link", name="Flags").first.click()
    await expect(page.get_by_role("heading", level=1, name="Flags")).to_be_visible()


@only22
@pytest.mark.row("000-26", "000-27", "000-28")
async def test_by_the_keyboard_alone_while_the_call_runs(
    scene: Scene, tmp_path: Path, browser: Browser
) -> None:
    """The moment is that of the press; then six keys besides the words."""
    wrong: list[str] = []
    async with process(site(scene).write(tmp_path)) as url, visitor(browser, url) as sue:
        page = sue.page
        call = await listened_to(scene, sue)
        await page.keyboard.press("f")
        sheet = page.get_by_role("dialog")
        pinned = page.get_by_test_id("flag-pinned")
        await expect(pinned).to_have_text(re.compile(r"Pinned at 0:\d\d of the call"))
        moment = await pinned.inner_text()
        await page.keyboard.press("Control+Enter")
        await expect(sheet).to_contain_text("Say whether it was good work")
        await page.keyboard.press("ArrowRight")  # the second kind
        await page.keyboard.press("ArrowLeft")  # and back to the first
        await page.keyboard.press("Tab")
        await page.keyboard.type("Good call")
        await expect(page.get_by_test_id("flag-vague")).to_contain_text("few words")
        wrong += await look(page, "flag-vague")
        await page.keyboard.press("Control+A")
        await page.keyboard.type(SAYS)
        await expect(page.get_by_test_id("flag-vague")).to_have_count(0)
        await expect(sheet).to_contain_text("separate conversation")
        wrong += await look(page, "flag-composer")
        await scene.hangup(call.customer)
        await expect(sheet).to_contain_text("the flag can be saved all the same")
        await expect(pinned).to_have_text(moment)
        await page.keyboard.press("Control+Enter")
        await expect(sheet).to_have_count(0)
        await open_flags(page)
        flag = page.get_by_test_id("flag")
        await expect(flag).to_contain_text("Good work: Ann Agent")
        await expect(flag).to_contain_text(SAYS)
        await expect(flag).to_contain_text(moment.split()[2])
        wrong += await look(page, "flags")
        await flag.get_by_role("link", name=call.customer).click()
        await expect(page).to_have_url(re.compile(r"/history"))
        await expect(page.get_by_role("main")).to_contain_text("Ann Agent")
    assert wrong == []


@only22
@pytest.mark.row("000-16", "000-15")
async def test_a_killed_browser_costs_no_word(scene: Scene, tmp_path: Path) -> None:
    """Nor does a server that is away when it is saved."""
    profile = tmp_path / "profile"
    async with process(site(scene).write(tmp_path)) as url, async_playwright() as playwright:

        async def opened() -> Page:
            context = await playwright.chromium.launch_persistent_context(
                profile, executable_path=find_chromium(), args=list(ARGUMENTS), locale="en-GB"
            )
            page = context.pages[0]
            page.set_default_timeout(30_000)
            return page

        page = await opened()
        await listened_to(scene, Visitor(page, url))
        await page.keyboard.press("f")
        sheet = page.get_by_role("dialog")
        await expect(sheet.get_by_label("What did you notice?")).to_be_visible()
        await expect(sheet).to_contain_text("Not “good call”, but")
        await sheet.get_by_label("To work on").check()
        await sheet.get_by_label("What did you notice?").fill(SAYS)
        await sheet.get_by_label("Tone").check()
        pinned = await page.get_by_test_id("flag-pinned").inner_text()
        await kept(page, SAYS)
        killed(profile)

        page = await opened()
        await page.goto(url)
        if "/sign-in" in page.url:
            await Visitor(page, url).fill_in("sue")
        await page.get_by_role("button", name="Go on with it").click()
        await expect(sheet := page.get_by_role("dialog")).to_be_visible()
        await expect(sheet.get_by_label("What did you notice?")).to_have_value(SAYS)
        await expect(sheet.get_by_label("To work on")).to_be_checked()
        await expect(sheet.get_by_label("Tone")).to_be_checked()
        await expect(page.get_by_test_id("flag-pinned")).to_have_text(pinned)
        await page.context.set_offline(True)
        await sheet.get_by_role("button", name="Save the flag").click()
        await expect(sheet).to_contain_text("It is not saved yet")
        await expect(sheet.get_by_label("What did you notice?")).to_have_value(SAYS)
        await page.context.set_offline(False)
        await expect(sheet).to_have_count(0)  # sent by itself
        await expect(page.get_by_role("button", name="Go on with it")).to_have_count(0)
        await open_flags(page)
        await expect(page.get_by_test_id("flag")).to_have_count(1)
        await page.context.close()


async def kept(page: Page, words: str) -> None:
    """Wait until the browser has it, as it has a moment after the last key."""
    await page.wait_for_function(
        """(words) => new Promise((done) => {
          const asked = indexedDB.open("monitord", 1);
          asked.onsuccess = () => {
            const all = asked.result.transaction("drafts").objectStore("drafts").getAll();
            all.onsuccess = () => {
              asked.result.close();
              const [drafts] = all.result;
              done(drafts?.[0]?.comment === words && drafts[0].themes.length > 0);
            };
          };
        })""",
        arg=words,
    )


def killed(profile: Path) -> None:
    """All processes of the browser that has this profile, at once."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                told = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if f"--user-data-dir={profile}".encode() in told:
                os.kill(int(folder.name), signal.SIGKILL)


@only22
@pytest.mark.row("000-41", "000-44")
async def test_the_agent_is_told_reads_and_answers(
    scene: Scene, tmp_path: Path, browser: Browser
) -> None:
    wrong: list[str] = []
    async with (
        process(site(scene).write(tmp_path)) as url,
        visitor(browser, url) as adm,
        visitor(browser, url) as ann,
        visitor(browser, url) as sue,
    ):
        await adm.sign_in("adm")
        await adm.page.goto(f"{url}/settings/flags")
        await adm.page.get_by_label("Agents see flags on themselves").check()
        wrong += await look(adm.page, "flag-settings")
        await adm.page.get_by_role("button", name="Save").click()
        await expect(adm.page.get_by_role("status")).to_have_text("Saved.")

        await ann.page.goto(url)
        await ann.fill_in("ann")
        await ann.page.wait_for_url("**/my-calls")
        await expect(ann.page.get_by_role("main")).to_contain_text(
            "stands here, and you can answer"
        )
        await listened_to(scene, sue)
        await sue.page.keyboard.press("f")
        sheet = sue.page.get_by_role("dialog")
        await expect(sheet).to_contain_text("The agent sees this flag at once")
        await sheet.get_by_label("Good work").check()
        await sheet.get_by_label("What did you notice?").fill(SAYS)
        await sheet.get_by_role("button", name="Save the flag").click()
        await expect(calls(sue.page).get_by_test_id("flag-good")).to_be_visible()

        # without a reload, in words as well for those who do not see the screen
        mine = ann.page.get_by_test_id("flag")
        await expect(mine).to_contain_text(SAYS)
        await expect(ann.page.get_by_test_id("announcer")).to_contain_text("Sue Supervisor flagged")
        await open_flags(sue.page)
        await mine.get_by_role("button", name="Answer").click()
        await mine.get_by_label("I have a question").check()
        await mine.get_by_role("button", name="Send").click()
        await expect(mine).to_contain_text("Write your question")
        await mine.get_by_label("Your words").fill("Which refund was it?")
        wrong += await look(ann.page, "flags-on-me")
        await mine.get_by_role("button", name="Send").click()
        await expect(mine.get_by_test_id("flag-answer")).to_contain_text("Which refund was it?")
        answer = sue.page.get_by_test_id("flag-answer")
        await expect(answer).to_contain_text("Which refund was it?")
        wrong += await look(sue.page, "flags-answered")
    assert wrong == []


@only22
@pytest.mark.row("000-36", "000-37")
async def test_review_change_and_take_off(scene: Scene, tmp_path: Path, browser: Browser) -> None:
    wrong: list[str] = []
    async with process(site(scene).write(tmp_path)) as url, visitor(browser, url) as sue:
        page = sue.page
        call = await listened_to(scene, sue)
        await open_flags(page)
        await expect(page.get_by_role("main")).to_contain_text("No flags here")
        wrong += await look(page, "flags-empty")
        await scene.hangup(call.customer)
        # one from the history, where the moment is typed
        await page.goto(f"{url}/quality/quality-assurance/history?show=calls")
        await page.get_by_role("button", name="Flag the call of Ann Agent").click()
        sheet = page.get_by_role("dialog")
        await sheet.get_by_label("Moment").fill("59:59")
        await expect(sheet).to_contain_text("must be like 2:10")
        await sheet.get_by_label("Moment").fill("0:00")
        await sheet.get_by_label("To work on").check()
        await sheet.get_by_label("What did you notice?").fill("Talked over her twice.")
        wrong += await look(page, "flag-from-history")
        await sheet.get_by_role("button", name="Save the flag").click()
        await expect(sheet).to_have_count(0)

        await open_flags(page)
        flag = page.get_by_test_id("flag")
        await flag.get_by_role("button", name="Change").click()
        await sheet.get_by_label("What did you notice?").fill("Talked over her at “but my order”.")
        await sheet.get_by_role("button", name="Save the flag").click()
        await expect(flag).to_contain_text("but my order")
        await flag.get_by_text("Show what it said before").click()
        await expect(flag.get_by_test_id("flag-version")).to_contain_text("Talked over her twice.")
        await flag.get_by_role("button", name="Reviewed: the flag on Ann Agent").click()
        await expect(flag).to_have_count(0)
        await page.get_by_role("combobox", name="State").select_option("reviewed")
        await expect(flag).to_contain_text("Reviewed by Sue Supervisor")
        await flag.get_by_role("button", name="Open again").click()
        await page.get_by_role("combobox", name="State").select_option("open")
        await flag.get_by_role("button", name="Take off the flag on Ann Agent").click()
        ask = page.get_by_role("dialog")
        await ask.get_by_label("Why (optional)").fill("It was another call")
        await ask.get_by_role("button", name="Take off").click()
        await expect(flag).to_have_count(0)
        await page.get_by_role("combobox", name="State").select_option("taken off")
        await expect(flag).to_contain_text("It was another call")
        # what the filters show, as a file
        await page.get_by_role("button", name="Export").click()
        await expect(ask).to_contain_text("Export flags")
        wrong += await look(page, "flags-export")
        async with page.expect_download() as download:
            await ask.get_by_role("button", name="Export").click()
        await expect(ask).to_contain_text("1 rows are complete")
        body = (await (await download.value).path()).read_text("utf-8-sig")
        (line,) = csv.DictReader(io.StringIO(body, newline=""))
        assert line["state"] == "taken off" and line["settled_why"] == "It was another call"
        assert line["agent_name"] == "Ann Agent"
    assert wrong == []
