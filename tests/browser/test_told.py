"""An agent and a supervisor at once, in Chromium on real Asterisk: who listens, and why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Visitor, only22, process, visitor
from tests.browser.looks import look
from tests.browser.teams import site_with_teams
from tests.kit.daemon import Site, password_hash
from tests.lab.scene import COACH, MONITOR, Scene

pytestmark = pytest.mark.browser

POLICY = """
[told]
when = { Monitor = "after the call", Coach = "start and end" }
who = true
reason = true

[reason]
ask = { Monitor = "asked", Coach = "required" }
"""


def site(scene: Scene, policy: str) -> Site:
    made = site_with_teams(scene, extra=policy)
    name = 'name = "Ann Agent"\n'
    assert name in made.people
    made.people = made.people.replace(
        name, f'{name}role = "agent"\nlogin = "ann"\npassword_hash = "{password_hash()}"\n'
    )
    return made


async def sign_in(someone: Visitor, login: str) -> None:
    await someone.page.goto(someone.url)
    await someone.fill_in(login)
    await someone.page.wait_for_url("**/my-calls")


@only22
async def test_the_agent_is_told_and_the_supervisor_is_asked(
    scene: Scene, tmp_path: Path, browser: Browser
) -> None:
    wrong: list[str] = []
    async with (
        process(site(scene, POLICY).write(tmp_path)) as url,
        visitor(browser, url) as ann,
        visitor(browser, url) as sue,
    ):
        await sign_in(ann, "ann")
        await sue.sign_in("sue")
        now, past = ann.page.get_by_test_id("told-now"), ann.page.get_by_test_id("told-past")
        said = ann.page.get_by_test_id("announcer")
        await expect(ann.page.get_by_test_id("told-nobody")).to_be_visible()
        await expect(ann.page.get_by_text("Nothing yet")).to_be_visible()
        wrong += await look(ann.page, "my-calls-empty")
        navigation = ann.page.get_by_role("navigation")
        await expect(navigation.get_by_role("link")).to_have_text(["My calls", "Sign-in"])

        call = await scene.customer_calls_agent("5551234", "1001")
        coaching = await scene.supervisor_dials("2001", COACH, "1001")
        await expect(now).to_contain_text("Sue Supervisor")
        await expect(now).to_contain_text("can whisper to you")
        await expect(said).to_contain_text("Sue Supervisor is listening and can whisper to you")
        wrong += await look(ann.page, "my-calls-now")
        # The supervisor's page plays no part in it: it is closed before the end.
        await sue.page.goto("about:blank")
        await scene.hangup(coaching)
        await expect(now).to_have_count(0)
        await expect(said).to_contain_text("Sue Supervisor is no longer on your line")
        await expect(past).to_have_count(1)
        await expect(past).to_contain_text("no reason given")

        listening = await scene.supervisor_dials("2001", MONITOR, "1001")
        await sue.page.goto(url)
        await sue.coach_manager().live()
        await expect(sue.coach_manager().entry("Sue Supervisor")).to_contain_text("Ann Agent")
        await expect(ann.page.get_by_test_id("told-nobody")).to_be_visible()
        questions = sue.page.get_by_role("region", name="Why did you listen?")
        await expect(questions).to_contain_text("Why did you listen to Ann Agent?")
        wrong += await look(sue.page, "why-did-you-listen")
        await scene.hangup(listening)
        await expect(questions).to_contain_text("1 more without a reason")
        await expect(past).to_have_count(1)  # the call goes on
        await scene.hangup(call.customer)
        await expect(past).to_have_count(2)
        await expect(said).to_contain_text("Sue Supervisor listened to you")

        await questions.get_by_role("textbox").fill("a complaint of the day before")
        await questions.get_by_role("button", name="Save").click()
        await expect(questions.get_by_role("textbox")).to_have_count(1)
        await expect(past.first).to_contain_text("a complaint of the day before")
        wrong += await look(ann.page, "my-calls")

        # Which of them is still without one, and its own supervisor's to give.
        history = f"{url}/quality/quality-assurance/history?reason=missing"
        await sue.page.goto(history)
        rows = sue.page.get_by_role("button", name=re.compile("^Segments of Coach"))
        await expect(rows.first).to_be_visible()
        await rows.first.click()
        await sue.page.get_by_role("button", name="Give a reason").click()
        field = sue.page.get_by_role("textbox", name="Why it was listened to")
        await field.fill("first week on this campaign")
        await field.press("Enter")
        await expect(sue.page.get_by_text("first week on this campaign")).to_be_visible()
        await expect(past.last).to_contain_text("first week on this campaign")
    assert wrong == []


@only22
async def test_a_disconnect_asks_for_its_reason(
    scene: Scene, tmp_path: Path, browser: Browser
) -> None:
    async with (
        process(site(scene, POLICY).write(tmp_path)) as url,
        visitor(browser, url) as sue,
    ):
        await sue.sign_in("sue")
        here = sue.coach_manager()
        call = await scene.customer_calls_agent("5551234", "1001")
        await scene.supervisor_dials("2002", COACH, "1001")
        await here.choose("Tom Trainer")
        await here.disconnect.click()
        field = sue.page.get_by_label("Reason for the disconnect")
        button = here.question.get_by_role("button", name="Disconnect", exact=True)
        await expect(field).to_be_visible()
        await expect(button).to_be_disabled()
        wrong = await look(sue.page, "disconnect-reason")
        await field.fill("not their team")
        await button.click()
        await expect(sue.page.get_by_test_id("disconnect-status")).to_contain_text("Confirmed")
        await sue.page.goto(f"{url}/quality/quality-assurance/history")
        await sue.page.get_by_role("button", name=re.compile("^Segments of Coach")).first.click()
        await expect(sue.page.get_by_text("not their team")).to_be_visible()
        await scene.hangup(call.customer)
    assert wrong == []
