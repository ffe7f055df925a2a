"""What each of the five sections shows, on real Asterisk, while it happens."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import only22, visitor
from tests.browser.page_parts import frames
from tests.lab.scene import BARGE, COACH, MONITOR, TAKEOVER, Scene

pytestmark = pytest.mark.browser


@pytest.mark.row("003-01", "003-10", "003-38")
async def test_everybodys_supervisions_of_every_type_whatever_started_them(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    """Ina only looks on: none of these is hers."""
    async with visitor(browser, daemon_url) as ina:
        await ina.sign_in("ina")
        here = ina.coach_manager()
        await expect(here.users).to_contain_text("Nobody is coaching or monitoring now")
        calls = {
            a: await scene.customer_calls_agent(f"555{a}", a) for a in ("1001", "1003", "1004")
        }
        # by a feature code, by another program, and by a code whose keypad takes the call over
        await scene.supervisor_dials("2002", COACH, "1001")
        await scene.originate_spy("2009", calls["1003"].agent_channel, "qE")
        taker = await scene.supervisor_dials("2001", TAKEOVER, "1004")

        await expect(here.names).to_have_text(["PJSIP/2009", "Sue Supervisor", "Tom Trainer"])
        coach, monitor = here.entry("Tom Trainer"), here.entry("PJSIP/2009")
        barge = here.entry("Sue Supervisor")
        await expect(coach.locator(".badge")).to_have_text("Coach")
        await expect(coach).to_contain_text("Ann Agent")
        await expect(monitor.locator(".badge")).to_have_text("Monitor")
        await expect(monitor).to_contain_text("Agent 1003")
        await expect(barge.locator(".badge")).to_have_text("Barge")
        await scene.supervisor_presses(taker, "0")
        await expect(barge.locator(".badge")).to_have_text("Barge-Kick")
        # nobody else: not the agents, not those who only look at this page
        await expect(here.users.get_by_role("link")).to_have_count(3)
        await expect(here.page.get_by_test_id("count")).to_have_text("3 people")


@pytest.mark.row("003-02", "003-03", "003-09")
@only22
async def test_choosing_another_user_changes_every_section(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    ann = await scene.customer_calls_agent("5551234", "1001", campaign="spring")
    other = await scene.customer_calls_agent("5559876", "1003", campaign="autumn")
    await scene.supervisor_dials("2002", COACH, "1001")
    await scene.supervisor_dials("2001", BARGE, "1003")
    async with visitor(browser, daemon_url) as ina:
        await ina.sign_in("ina")
        here = ina.coach_manager()
        shown = {
            "Tom Trainer": ("Coach", "Ann Agent", ann.customer, "5551234", "spring"),
            "Sue Supervisor": ("Barge", "Agent 1003", other.customer, "5559876", "autumn"),
        }
        for name, not_shown in zip(shown, reversed(shown.values()), strict=True):
            kind, agent, call_id, number, campaign = shown[name]
            await expect(here.entry(name)).to_contain_text(agent)
            await here.choose(name)
            await expect(here.selected).to_contain_text(kind)
            await expect(here.current).to_contain_text(agent)
            for value in (call_id, number, campaign):
                await expect(here.calls).to_contain_text(value)
            for value in (kind, agent, campaign):
                await expect(here.history.get_by_role("table")).to_contain_text(value)
            for region in (here.selected, here.current, here.calls, here.history):
                for value in not_shown:
                    await expect(region.locator("tbody, .body, .one").first).not_to_contain_text(
                        re.compile(rf"\b{re.escape(value)}\b")
                    )


@pytest.mark.row("003-12", "003-13", "003-21")
@only22
async def test_the_name_selects_and_the_address_keeps_it(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    await scene.customer_calls_agent("5551234", "1001")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    async with visitor(browser, daemon_url) as ina:
        page, here = ina.page, ina.coach_manager()
        await ina.sign_in("ina")
        await expect(here.selected).to_contain_text("Nobody is selected")
        await here.choose("Tom Trainer")
        await expect(here.current.locator(".agent")).to_have_text("Ann Agent")
        await expect(here.current).to_contain_text("Nobody hears the supervisor")
        await expect(here.entry("Tom Trainer").get_by_role("link")).to_have_attribute(
            "aria-current", "true"
        )
        assert page.url.endswith("?user=tom")
        await page.go_back()
        await expect(here.selected).to_contain_text("Nobody is selected")
        linked = f"{daemon_url}/quality/quality-assurance/coach-manager?user=tom"
        async with visitor(browser, daemon_url) as sue:
            # a link that a colleague sent leads there through the sign-in
            await sue.page.goto(linked)
            await sue.fill_in("sue")
            await sue.page.wait_for_url(linked)
            await expect(sue.page.get_by_test_id("selected-name")).to_have_text("Tom Trainer")


@pytest.mark.row("003-14", "003-16", "003-22")
@only22
async def test_both_statuses_follow_the_call(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    async with visitor(browser, daemon_url) as sue:
        await sue.sign_in("sue")
        here = sue.coach_manager()
        call = await scene.customer_calls_in("5551234")
        assert call.endpoint == "PJSIP/1001"
        spyer = await scene.supervisor_spies("2002", "PJSIP/1001-", "qw")
        await here.choose("Tom Trainer")
        status = here.current.locator(".status").first
        doing = here.selected.get_by_role("group", name="Current status")
        await expect(doing).to_contain_text(re.compile(r"Coaching\s+Ann Agent"))
        await expect(status).to_contain_text("in call")
        await scene.hold(call.agent)
        await expect(status).to_contain_text("on hold")
        await scene.hold(call.agent, on=False)
        await expect(status).to_contain_text("in call")

        await scene.phone_hangs_up(call.customer)
        await expect(doing).to_contain_text("Waiting for the next call of Ann Agent")
        await expect(here.entry("Tom Trainer")).to_contain_text("Waiting")
        await expect(here.calls).to_contain_text("Ann Agent has no call now")
        await expect(status).to_contain_text("wrap-up")
        await expect(status).to_contain_text("available")
        await scene.pause_agent("1001", "Lunch")
        await expect(status).to_contain_text("paused: Lunch")
        await scene.pause_agent("1001", paused=False)
        await expect(status).to_contain_text("available")
        await expect(here.disconnect).to_be_enabled()

        # it ends while selected: the panel stays, says so, and there is nothing to disconnect
        await scene.hangup(spyer)
        await expect(doing).to_contain_text(re.compile("The supervision (has )?ended"))
        await expect(here.disconnect).to_have_count(0)
        await expect(here.names).to_have_count(0)
        await expect(sue.page.get_by_test_id("selected-name")).to_have_text("Tom Trainer")
        await expect(here.history).to_contain_text("hung up")


@pytest.mark.row("003-23", "003-24", "003-25")
@only22
async def test_the_current_call_with_its_id_and_number(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    inbound = await scene.customer_calls_in("5551234")
    assert inbound.endpoint == "PJSIP/1001"
    outbound = await scene.agent_dials("1003", "5559876")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    await scene.supervisor_dials("2001", MONITOR, "1003")
    async with visitor(browser, daemon_url) as ina:
        await ina.sign_in("ina")
        here = ina.coach_manager()
        await here.choose("Tom Trainer")
        assert await here.columns(here.calls) == [
            *("Call ID", "Phone number", "Length", "Campaign", "List", "Result code"),
        ]
        await expect(here.cell("Call ID")).to_have_text(inbound.customer)
        await expect(here.cell("Phone number")).to_have_text(re.compile(r"5551234\s*calling in"))
        await here.choose("Sue Supervisor")
        await expect(here.cell("Call ID")).to_have_text(outbound.agent)
        await expect(here.cell("Phone number")).to_have_text(re.compile(r"5559876\s*being called"))


@pytest.mark.row("003-27", "003-28", "003-29")
@only22
async def test_labels_and_a_result_code_that_changes(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    call = await scene.customer_calls_agent("5551234", "1001", campaign="spring", list_="L7")
    await scene.customer_calls_agent("5559876", "1003")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    await scene.supervisor_dials("2001", MONITOR, "1003")
    async with visitor(browser, daemon_url) as ina:
        await ina.sign_in("ina")
        here = ina.coach_manager()
        await here.choose("Tom Trainer")
        await expect(here.cell("Campaign")).to_have_text("spring")
        await expect(here.cell("List")).to_have_text("L7")
        await expect(here.cell("Result code")).to_have_text("not supplied")
        for result in ("CALLBACK", "SALE"):
            await scene.set_var(call.customer, "RESULT", result)
            await expect(here.cell("Result code")).to_have_text(result)
        await here.choose("Sue Supervisor")  # what nobody supplied is said, never blank
        for column in ("Campaign", "List", "Result code"):
            await expect(here.cell(column)).to_have_text("not supplied")


@pytest.mark.row("003-26")
@only22
async def test_the_length_ticks_without_the_server(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    await scene.customer_calls_agent("5551234", "1001")
    await scene.supervisor_dials("2002", MONITOR, "1001")
    async with visitor(browser, daemon_url) as ina:
        came = frames(ina.page)
        await ina.sign_in("ina")
        here = ina.coach_manager()
        await here.choose("Tom Trainer")
        ticking = here.cell("Length").locator("time")
        # a heartbeat comes every few seconds: look for two ticks with no frame around them
        for _ in range(60):
            before = len(came)
            seen = []
            for _ in range(3):
                seen.append(await ticking.inner_text())
                await expect(ticking).not_to_have_text(seen[-1])
            if len(came) == before:
                break
        else:
            pytest.fail("the length never moved on between two frames")
        lengths = [int(m) * 60 + int(s) for m, s in (text.split(":") for text in seen)]
        assert lengths == sorted(set(lengths)), "it counts up"


@pytest.mark.row("003-18", "003-19")
@only22
async def test_only_the_selected_user_leaves_and_a_take_over_warns(
    scene: Scene, daemon_url: str, browser: Browser
) -> None:
    call = await scene.customer_calls_agent("5551234", "1001")
    await scene.supervisor_dials("2002", COACH, "1001")
    taker = await scene.supervisor_dials("2001", TAKEOVER, "1001")
    async with visitor(browser, daemon_url) as sue:
        await sue.sign_in("sue")
        here = sue.coach_manager()
        await here.choose("Tom Trainer")
        await expect(here.current).to_contain_text("Sue Supervisor")  # also on this agent
        await here.disconnect.click()
        await expect(here.question).to_contain_text("The agent and the customer go on talking")
        await here.confirm()
        await expect(sue.page.get_by_test_id("disconnect-status")).to_contain_text("Confirmed")
        await expect(here.names).to_have_text(["Sue Supervisor"])
        alive = {c["Uniqueid"] for c in await scene.channels()}
        assert alive == {call.customer, call.agent, taker}

        await scene.supervisor_presses(taker, "0")
        await expect(here.entry("Sue Supervisor")).to_contain_text("Barge-Kick")
        await here.choose("Sue Supervisor")
        await expect(here.current).to_contain_text("The agent is out of the call")
        await here.disconnect.click()
        warning = "Disconnecting ends the customer’s call as well"
        await expect(here.question).to_contain_text(warning)
        await here.confirm("Cancel")
        await expect(here.question).to_have_count(0)
        alive = {c["Uniqueid"] for c in await scene.channels()}
        assert {call.customer, taker} <= alive, "a question that was not confirmed does nothing"
        await here.disconnect.click()
        await here.confirm("Disconnect and end the call")
        await scene.ami.wait_event("Hangup", Uniqueid=call.customer)
        await expect(here.names).to_have_count(0)
