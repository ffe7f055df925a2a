"""Alerts in Chromium: a feature code on real Asterisk by somebody without the right to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import only22, process, visitor
from tests.browser.looks import look
from tests.browser.teams import site_with_teams
from tests.lab.scene import COACH, Scene

pytestmark = pytest.mark.browser

END = '[policy]\nunauthorised = "end"\n'


@only22  # that either version tells what the alert is made of, tests/asterisk/test_alerts.py shows
async def test_told_at_once_and_acknowledged(
    scene: Scene, tmp_path: Path, browser: Browser
) -> None:
    wrong: list[str] = []
    async with (
        process(site_with_teams(scene).write(tmp_path)) as url,
        visitor(browser, url) as sue,
        visitor(browser, url) as cas,
    ):
        alerts = sue.page.get_by_role("region", name="Alerts")
        await sue.sign_in("sue")
        await cas.sign_in("cas")
        await cas.coach_manager().live()
        await expect(alerts).to_have_count(0)
        call = await scene.customer_calls_agent("5551234", "1001")
        await scene.supervisor_dials("2002", COACH, "1001")
        for text in ("Tom Trainer", "Coach", "Ann Agent", "has no right to use Coach"):
            await expect(alerts).to_contain_text(text)
        await expect(sue.coach_manager().entry("Tom Trainer")).to_contain_text(
            "no right to this type"
        )
        other = await scene.customer_calls_agent("5550000", "1003")
        await scene.supervisor_spies("2009", "PJSIP/1003-")
        # Cas sees what is of care, and nothing of the alert about sales.
        await expect(cas.coach_manager().entry("Lee Lead")).to_be_visible()
        await expect(cas.page.get_by_role("region", name="Alerts")).to_have_count(0)
        assert "Tom Trainer" not in await cas.page.content()
        wrong += await look(sue.page, "alert")
        await alerts.get_by_role("button", name="Acknowledge").click()
        await expect(alerts).to_have_count(0)
        await expect(sue.coach_manager().entry("Tom Trainer")).to_contain_text(
            "acknowledged by Sue Supervisor"
        )
        await sue.page.reload()
        await expect(sue.coach_manager().entry("Tom Trainer")).to_be_visible()
        await expect(alerts).to_have_count(0)
        for one in (call, other):
            await scene.hangup(one.customer)
    assert wrong == []


@only22
async def test_ended_by_policy_is_said(scene: Scene, tmp_path: Path, browser: Browser) -> None:
    async with (
        process(site_with_teams(scene, extra=END).write(tmp_path)) as url,
        visitor(browser, url) as sue,
    ):
        await sue.sign_in("sue")
        await sue.coach_manager().live()
        call = await scene.customer_calls_agent("5551234", "1001")
        await scene.supervisor_dials("2002", COACH, "1001")
        alerts = sue.page.get_by_role("region", name="Alerts")
        await expect(alerts).to_contain_text("It was ended by monitord")
        await expect(sue.coach_manager().names).to_have_count(0)
        live = {c["Uniqueid"] for c in await scene.channels()}
        assert live == {call.customer, call.agent}, "the call goes on"
        await sue.page.goto(f"{url}/quality/quality-assurance/history")
        await expect(sue.page.get_by_role("main")).to_contain_text("monitord (policy)")
        await scene.hangup(call.customer)
